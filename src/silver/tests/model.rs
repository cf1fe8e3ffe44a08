//! Random CSV texts, judged by `prepare` and by a naive reading of one row after the other.

use proptest::prelude::*;

use super::*;

/// What the model makes of a row.
#[derive(Debug, PartialEq)]
enum Judged {
    Good(Option<i32>, Option<i64>, Option<String>),
    Filtered,
    Refused(Vec<String>),
}

/// `n int minimum -50`, `m decimal(6,2)` in cents, `s string` of at most 3 characters, `where n <> 7`, key s.
fn model(row: &[Option<String>; 3]) -> Judged {
    let present = |text: &Option<String>| text.clone().filter(|t| !t.is_empty() && t != "NA");
    let (n, m, s) = (present(&row[0]), present(&row[1]), present(&row[2]));
    let as_int = n.as_ref().map(|text| text.parse::<i32>());
    let as_cents = m.as_ref().map(|text| cents(text).ok_or(()));
    let mut reasons = Vec::new();
    if let Some(Err(_)) = as_int {
        reasons.push(format!("n: type ({})", n.unwrap()));
    }
    if let Some(Err(())) = as_cents {
        reasons.push(format!("m: type ({})", m.unwrap()));
    }
    if !reasons.is_empty() {
        return Judged::Refused(reasons);
    }
    let (n, m) = (as_int.map(Result::unwrap), as_cents.map(Result::unwrap));
    if n.is_none() || n == Some(7) {
        return Judged::Filtered;
    }
    if n < Some(-50) {
        reasons.push(format!("n: minimum ({})", n.unwrap()));
    }
    match &s {
        Some(s) if s.chars().count() > 3 => reasons.push(format!("s: maxLength ({s})")),
        None => reasons.push("s: key (-)".to_owned()),
        _ => {}
    }
    if reasons.is_empty() { Judged::Good(n, m, s) } else { Judged::Refused(reasons) }
}

/// Hundredths, where the text has at most four digits before the point and two that count after it.
fn cents(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let is_number =
        !digits.trim_matches('.').is_empty() && whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit());
    if !is_number || fraction.len() > 2 || whole.trim_start_matches('0').len() > 4 {
        return None;
    }
    let value: i64 = format!("0{whole}{fraction:0<2}").parse().ok()?;
    Some(if negative { -value } else { value })
}

fn rows() -> impl Strategy<Value = Vec<[Option<String>; 3]>> {
    let field =
        |texts: &'static str| prop_oneof![1 => Just(None), 1 => Just(Some("NA".to_owned())), 8 => texts.prop_map(Some)];
    let row = (field("-?[0-9]{0,11}|7|x"), field("-?[0-9]{1,5}(\\.[0-9]{1,4})?|a"), field("[a-zä\"]{0,5}"));
    prop::collection::vec(row.prop_map(|(n, m, s)| [n, m, s]), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_row_is_judged_as_the_model_does(rows in rows()) {
        let mut events = events(EventInput::Csv, vec![
            property("n", Type::Int, &[Rule::Minimum("-50".to_owned())]),
            property("m", decimal(6, 2), &[]),
            property("s", Type::String, &[Rule::MaxLength(3)]),
        ]);
        events.null_values = vec![vec!["NA".to_owned()]];
        events.key = vec!["s".to_owned()];
        let events = with_steps(events, &[("where", &[("", "n <> 7")])]);
        let column = |i: usize| rows.iter().map(|row| row[i].as_deref()).collect::<Vec<_>>();
        let bronze = csv(&[("n", &column(0)), ("m", &column(1)), ("s", &column(2))]);
        let (good, bad) = judge(&events, bronze);

        let mut found: Vec<Judged> = rows.iter().map(|_| Judged::Filtered).collect();
        let position = |frame: &DataFrame, row| {
            usize::try_from(frame.column("_source_row").unwrap().i64().unwrap().get(row).unwrap()).unwrap() - 1
        };
        let m = good.column("m").unwrap().as_materialized_series().to_physical_repr().into_owned();
        for row in 0..good.height() {
            let n = good.column("n").unwrap().i32().unwrap().get(row);
            let m = m.i128().unwrap().get(row).map(|m| i64::try_from(m).unwrap());
            let s = good.column("s").unwrap().str().unwrap().get(row).map(str::to_owned);
            found[position(&good, row)] = Judged::Good(n, m, s);
        }
        for (row, reasons) in reasons(&bad).into_iter().enumerate() {
            found[position(&bad, row)] = Judged::Refused(reasons.split("; ").map(str::to_owned).collect());
        }
        let expected: Vec<Judged> = rows.iter().map(model).collect();
        let filtered = expected.iter().filter(|judged| **judged == Judged::Filtered).count();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(good.height() + bad.height() + filtered, rows.len());
    }
}
