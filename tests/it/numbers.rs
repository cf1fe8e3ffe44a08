//! Sums at the edge of what their types hold: a table is right or it fails, and is right again once the rows allow it.
//! The model adds in numbers that know no edge.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::promises::dice::Dice;
use crate::support::{Project, table};

const CONTRACT: &str = r#"apiVersion: v3.1.0
kind: DataContract
id: events
version: 1.0.0
status: active
schema:
  - name: events
    properties:
      - { name: id, logicalType: integer, required: true, primaryKey: true }
      - { name: kind, logicalType: string }
      - { name: big, logicalType: integer }
      - { name: money, logicalType: number, physicalType: "decimal(38,2)" }
      - { name: at, logicalType: integer }
"#;

/// The first adds what came and went, the second computes its groups anew.
const BY_ADDITION: &str = "from: silver.events\nsteps:\n  - group_by: { kind: kind }\n    aggregate: { n: count(*), big: \
                           sum(big), money: sum(money) }\n";
const ANEW: &str = "from: silver.events\nsteps:\n  - group_by: { kind: kind }\n    aggregate: { n: count(*), big: \
                    sum(big), money: sum(money), most: max(big) }\n";

#[derive(Clone, Debug)]
struct Row {
    kind: Option<&'static str>,
    big: Option<i64>,
    /// in hundredths
    money: Option<i128>,
}

/// Whole numbers as two parts, of which neither comes near its edge.
#[derive(Clone, Copy, Default)]
struct Wide {
    high: i128,
    low: i128,
}

const PART: i128 = 10_i128.pow(19);

impl Wide {
    fn add(self, n: i128) -> Self {
        let low = self.low + n % PART;
        Wide { high: self.high + n / PART + low / PART, low: low % PART }
    }

    /// If its magnitude is less than 10^38.
    fn within_38_digits(self) -> Option<i128> {
        let n = self.high.checked_mul(PART)?.checked_add(self.low)?;
        (n.abs() < 10_i128.pow(38)).then_some(n)
    }
}

/// Count and sums; `Err` where a type does not hold them.
type Totals = BTreeMap<Option<&'static str>, (u64, Option<i64>, Option<i128>)>;

fn totals(rows: &BTreeMap<u64, Row>) -> Result<Totals, ()> {
    let mut groups: BTreeMap<Option<&str>, Vec<&Row>> = BTreeMap::new();
    rows.values().for_each(|row| groups.entry(row.kind).or_default().push(row));
    let mut totals = Totals::new();
    for (kind, rows) in groups {
        let big: Vec<i128> = rows.iter().filter_map(|row| row.big.map(i128::from)).collect();
        let money: Vec<i128> = rows.iter().filter_map(|row| row.money).collect();
        let big_sum = i64::try_from(big.iter().sum::<i128>()).map_err(drop)?;
        let money_sum = money.iter().fold(Wide::default(), |sum, n| sum.add(*n)).within_38_digits().ok_or(())?;
        let some = |any: bool| any.then_some(());
        totals.insert(
            kind,
            (rows.len() as u64, some(!big.is_empty()).map(|()| big_sum), some(!money.is_empty()).map(|()| money_sum)),
        );
    }
    Ok(totals)
}

fn roll(dice: &mut Dice) -> Row {
    let edge = 10_i128.pow(38) - 1;
    let bigs = [i64::MAX, i64::MIN, i64::MAX / 2, i64::MIN / 2, -1, 0, 1];
    let moneys = [edge, -edge, edge / 2, -edge / 2, 1, 0, -1];
    let kinds = [Some("a"), Some("b"), None];
    // mostly small, so that sums are often right
    let pick = |dice: &mut Dice| if dice.below(3) == 0 { dice.below(7) } else { 4 + dice.below(3) };
    Row {
        kind: kinds[dice.below(3)],
        big: (dice.below(6) > 0).then(|| bigs[pick(dice)]),
        money: (dice.below(6) > 0).then(|| moneys[pick(dice)]),
    }
}

fn money_text(hundredths: i128) -> String {
    let (sign, n) = (if hundredths < 0 { "-" } else { "" }, hundredths.unsigned_abs());
    format!("{sign}{}.{:02}", n / 100, n % 100)
}

fn line(id: u64, row: &Row, at: usize) -> String {
    let big = row.big.map(|n| n.to_string()).unwrap_or_default();
    format!("{id},{},{big},{},{at}\n", row.kind.unwrap_or_default(), row.money.map(money_text).unwrap_or_default())
}

fn project() -> Project {
    let project = Project::small();
    project.write("schemas/events.odcs.yaml", CONTRACT);
    project.write(
        "layers/silver/events.yaml",
        "from: bronze.events\ncontract: schemas/events.odcs.yaml\nkey: [id]\nlatest_by: [at]\n",
    );
    std::fs::remove_file(project.path("layers/gold/totals.yaml")).unwrap();
    project.write("layers/gold/added.yaml", BY_ADDITION);
    project.write("layers/gold/anew.yaml", ANEW);
    project
}

fn stored(project: &Project, name: &str) -> Totals {
    let sql = format!("SELECT kind, n, CAST(big AS string) AS big, CAST(money AS string) AS money FROM {name}");
    let text = |row: &Value, key: &str| row[key].as_str().map(str::to_owned);
    let rows = project.query(&sql);
    let total = |row: &Value| {
        let kind = text(row, "kind").map(|kind| if kind == "a" { "a" } else { "b" });
        let big = text(row, "big").map(|n| n.parse().unwrap());
        let money = text(row, "money").map(|n| n.replace('.', "").parse().unwrap());
        (kind, (row["n"].as_u64().unwrap(), big, money))
    };
    rows.iter().map(total).collect()
}

fn history(seed: u64, steps: usize) {
    let (project, mut dice) = (project(), Dice::new(seed));
    let mut rows: BTreeMap<u64, Row> = BTreeMap::new();
    let mut last_right: Option<Totals> = None;
    let (mut failed, mut right) = (0, 0);
    for step in 0..steps {
        let mut text = "id,kind,big,money,at\n".to_owned();
        for _ in 0..1 + dice.below(4) {
            // every third step mends: extreme rows become small ones
            let id = dice.below(12) as u64;
            let row =
                if step % 3 == 2 { Row { big: Some(1), money: Some(1), ..roll(&mut dice) } } else { roll(&mut dice) };
            text.push_str(&line(id, &row, step * 10 + 1));
            rows.insert(id, row);
            if step % 3 != 2 {
                break;
            }
        }
        project.write(&format!("landing/events/{step:03}.csv"), text);
        let expected = totals(&rows);
        let report = project.run(if expected.is_ok() { 0 } else { 1 });
        for name in ["gold.added", "gold.anew"] {
            match &expected {
                Ok(expected) => assert_eq!(stored(&project, name), *expected, "seed {seed}, step {step}: {name}"),
                Err(()) => {
                    let told = table(&report, name)["error"].as_str().unwrap();
                    assert!(told.contains("overflow"), "seed {seed}, step {step}: {name}: {told}");
                    if let Some(last) = &last_right {
                        assert_eq!(stored(&project, name), *last, "seed {seed}, step {step}: {name} stays as it was");
                    }
                }
            }
        }
        match expected {
            Ok(totals) => (last_right, right) = (Some(totals), right + 1),
            Err(()) => failed += 1,
        }
    }
    assert!(failed > 0 && right > 0, "seed {seed}: {failed} failed, {right} right: the dice show nothing");
}

#[test]
fn sums_are_right_or_fail_and_are_right_again() {
    history(7, 16);
}

/// `make soak` runs it: `LAKESMITH_SEEDS=100 cargo test --test it -- --ignored numbers::`.
#[test]
#[ignore = "takes minutes"]
fn sums_over_many_histories() {
    let seeds = std::env::var("LAKESMITH_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    for seed in 0..seeds {
        history(seed, 24);
    }
}
