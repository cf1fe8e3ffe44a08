//! `logicalType` and `physicalType` of a property as a type of ours.

use super::property;
use crate::expr::{Column, Type};
use crate::project::reader::{File, Map, Text};
use crate::project::spelling::did_you_mean;
use crate::project::yaml::Node;

const LOGICAL: [&str; 8] = ["string", "integer", "number", "boolean", "date", "timestamp", "array", "object"];

/// The property's type, or faults.
pub(super) fn read(map: &Map) -> Option<Type> {
    let hint = format!("one of: {}", LOGICAL.join(", "));
    map.required("logicalType", &hint)?;
    let logical = map.text("logicalType")?;
    let physical = map.text("physicalType");
    match logical.value.as_str() {
        "string" => Some(string(map.file, physical.as_ref())),
        "integer" => integer(map.file, physical),
        "number" => number(map.file, &logical, physical),
        "boolean" => Some(Type::Boolean),
        "date" => Some(Type::Date),
        "timestamp" => Some(timestamp(map.file, physical.as_ref())),
        "array" => {
            let items = map.required("items", "what the array holds, e.g. `items: { logicalType: string }`")?;
            Some(Type::Array(Box::new(item(map.file, items)?)))
        }
        "object" => {
            let node = map.required("properties", "a list of the object's members")?;
            let members = property::nested(map.file, node)?;
            Some(Type::Struct(members))
        }
        other => {
            let hint = did_you_mean(other, LOGICAL).unwrap_or(hint);
            map.file.hinted(logical.mark, format!("lakesmith has no type `{other}`"), Some(hint));
            None
        }
    }
}

fn item(file: &File, node: &Node) -> Option<Type> {
    let map = file.map(node, "`items`", &property::KEYS)?;
    property::warn_of_nested_rules(&map);
    read(&map)
}

/// The members of an object.
pub(super) fn member(map: &Map) -> Option<Column> {
    let name = map.required("name", "the member's name").and(map.text("name"));
    let ty = read(map);
    Some(Column::new(name?.value, ty?))
}

fn string(file: &File, physical: Option<&Text>) -> Type {
    if let Some(text) = physical.filter(|text| text.value.contains('(')) {
        let hint = "write `logicalTypeOptions: { maxLength: … }`".to_owned();
        file.warn(text.mark, format!("the length in `{}` is not enforced", text.value), Some(hint));
    }
    Type::String
}

fn timestamp(file: &File, physical: Option<&Text>) -> Type {
    if let Some(text) = physical.filter(|text| text.value.to_lowercase().contains("ntz")) {
        let hint = "a text without a zone is read in the project's `timezone`".to_owned();
        file.warn(text.mark, "every timestamp is kept as an instant in UTC", Some(hint));
    }
    Type::Timestamp
}

fn integer(file: &File, physical: Option<Text>) -> Option<Type> {
    let Some(text) = physical else { return Some(Type::BigInt) };
    match text.value.to_lowercase().as_str() {
        "tinyint" => Some(Type::TinyInt),
        "smallint" => Some(Type::SmallInt),
        "int" | "integer" => Some(Type::Int),
        "bigint" | "long" => Some(Type::BigInt),
        other => {
            let known = ["tinyint", "smallint", "int", "bigint"];
            let hint = did_you_mean(other, known).unwrap_or_else(|| format!("one of: {}", known.join(", ")));
            file.hinted(text.mark, format!("`{}` is no type of integer", text.value), Some(hint));
            None
        }
    }
}

fn number(file: &File, logical: &Text, physical: Option<Text>) -> Option<Type> {
    let hint = "`physicalType: decimal(12,2)` for exact values such as money, else `double`".to_owned();
    let Some(text) = physical else {
        file.hinted(logical.mark, "a `number` needs a `physicalType`", Some(hint));
        return None;
    };
    let word = text.value.to_lowercase();
    let found = match word.trim() {
        "double" => Some(Type::Double),
        "float" => Some(Type::Float),
        other => decimal(other),
    };
    if found.is_none() {
        file.hinted(text.mark, format!("`{}` is no type of number", text.value), Some(hint));
    }
    found
}

/// `decimal(p,s)` or `numeric(p,s)`
fn decimal(word: &str) -> Option<Type> {
    let arguments = word.strip_prefix("decimal").or_else(|| word.strip_prefix("numeric"))?;
    let (precision, scale) = arguments.trim().strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale) = (precision.trim().parse::<u8>().ok()?, scale.trim().parse::<u8>().ok()?);
    ((1..=38).contains(&precision) && scale <= precision).then_some(Type::Decimal { precision, scale })
}
