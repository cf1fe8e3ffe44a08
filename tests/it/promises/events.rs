//! Random events: orders and customers, as they stand in landing files.

use super::dice::Dice;

/// What stands in a field of text.
#[derive(Clone, Debug, PartialEq)]
pub enum Field<T> {
    Null,
    Value(T),
    /// text that is none of the field's type
    Broken(&'static str),
}

/// A record of a landing file.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Order(Order),
    Customer(Customer),
    /// text that cannot be split into columns, or is no document
    Torn(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub id: Field<i64>,
    pub customer: Option<&'static str>,
    pub quantity: Field<i64>,
    pub price_cents: Field<i64>,
    pub weight_tenths: Option<i64>,
    pub status: Option<&'static str>,
    /// minutes since [`EPOCH`]
    pub updated_at: Field<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    pub id: Option<&'static str>,
    pub region: Option<&'static str>,
    /// minutes since [`EPOCH`]
    pub seen: Option<i64>,
}

/// 2026-01-01T00:00:00Z, in seconds since 1970
pub const EPOCH: i64 = 1_767_225_600;
/// The columns of orders, as files have them.
pub const ORDER_COLUMNS: [&str; 7] = ["order_id", "customer_id", "quantity", "price", "weight", "status", "updated_at"];

const CUSTOMERS: [Option<&str>; 5] = [Some("c1"), Some("c2"), Some("c 3/é"), Some("c4"), None];
const REGIONS: [Option<&str>; 4] = [Some("north"), Some("south"), Some("east"), None];
/// Few, so that rows tie; days apart, so that groups differ.
const MINUTES: [i64; 8] = [0, 1, 2, 3, 1440, 1441, 2880, 4000];

impl Order {
    pub fn random(dice: &mut Dice) -> Self {
        let mut or = |percent, broken, value| match () {
            () if dice.percent(percent) => Field::Null,
            () if dice.percent(3) => Field::Broken(broken),
            () => Field::Value(value),
        };
        let (mut id, mut quantity) = (or(4, "x", 0), or(3, "1.5", 0));
        let (mut price_cents, mut updated_at) = (or(3, "1.005", 0), or(10, "soon", 0));
        for (field, value) in [
            (&mut id, 1 + dice.below(7) as i64),
            (&mut quantity, dice.pick(&[1, 1, 2, 3, 4, 5, 1, 2, 0, -1])),
            (&mut price_cents, dice.below(5000) as i64),
            (&mut updated_at, dice.pick(&MINUTES)),
        ] {
            if let Field::Value(v) = field {
                *v = value;
            }
        }
        Order {
            id,
            customer: dice.pick(&CUSTOMERS),
            quantity,
            price_cents,
            weight_tenths: dice.percent(90).then(|| dice.below(100) as i64),
            status: dice.pick(&[Some("open"), Some("open"), Some("paid"), Some("paid"), Some("test"), None]),
            updated_at,
        }
    }

    /// In the order of [`ORDER_COLUMNS`].
    fn texts(&self, null: &str) -> [String; 7] {
        let field = |field: &Field<i64>, value: &dyn Fn(i64) -> String| match field {
            Field::Null => null.to_owned(),
            Field::Value(v) => value(*v),
            Field::Broken(text) => (*text).to_owned(),
        };
        let text = |text: Option<&str>| text.unwrap_or(null).to_owned();
        [
            field(&self.id, &|id| id.to_string()),
            text(self.customer),
            field(&self.quantity, &|n| n.to_string()),
            field(&self.price_cents, &|cents| crate::lake::cents(cents.into())),
            self.weight_tenths.map_or(null.to_owned(), |t| format!("{}.{}", t / 10, t % 10)),
            text(self.status),
            field(&self.updated_at, &instant),
        ]
    }
}

impl Customer {
    pub fn random(dice: &mut Dice) -> Self {
        let id = if dice.percent(5) { None } else { CUSTOMERS[dice.below(3)] };
        Customer { id, region: dice.pick(&REGIONS), seen: dice.percent(90).then(|| dice.pick(&MINUTES)) }
    }

    fn texts(&self) -> [Option<String>; 3] {
        [self.id.map(str::to_owned), self.region.map(str::to_owned), self.seen.map(instant)]
    }
}

/// How a file's records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// orders: columns as in [`ORDER_COLUMNS`], NULL is empty
    Csv,
    /// orders: columns the other way round, NULL is `NA`, semicolons
    Backwards,
    /// customers
    CustomersCsv,
    /// customers
    Ndjson,
}

impl Form {
    /// A file of these records.
    pub fn file(self, records: &[Record]) -> String {
        let header = match self {
            Form::Csv => vec![ORDER_COLUMNS.join(",")],
            Form::Backwards => vec![backwards(ORDER_COLUMNS.map(str::to_owned))],
            Form::CustomersCsv => vec!["customer_id,region,seen".to_owned()],
            Form::Ndjson => vec![],
        };
        let lines: Vec<String> = header.into_iter().chain(records.iter().map(|r| self.line(r))).collect();
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The line of one record.
    pub fn line(self, record: &Record) -> String {
        match (self, record) {
            (_, Record::Torn(text)) => (*text).to_owned(),
            (Form::Csv, Record::Order(order)) => order.texts("").join(","),
            (Form::Backwards, Record::Order(order)) => backwards(order.texts("NA")),
            (Form::CustomersCsv, Record::Customer(c)) => c.texts().map(Option::unwrap_or_default).join(","),
            (Form::Ndjson, Record::Customer(c)) => {
                let [id, region, seen] = c.texts();
                serde_json::json!({ "customer_id": id, "region": region, "seen": seen }).to_string()
            }
            other => panic!("{other:?}"),
        }
    }

    /// Text that is no record.
    pub fn torn(self) -> &'static str {
        match self {
            Form::Csv | Form::CustomersCsv => "1,2",
            Form::Backwards => "1;2",
            Form::Ndjson => "{\"customer_id\": ",
        }
    }
}

fn backwards(mut texts: [String; 7]) -> String {
    texts.reverse();
    texts.join(";")
}

fn instant(minutes: i64) -> String {
    let instant = chrono::DateTime::from_timestamp(EPOCH + minutes * 60, 0).unwrap();
    instant.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
