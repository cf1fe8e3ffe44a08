//! Key and time of every event, whatever becomes of it.

use super::*;
use crate::silver::{EVENT_TIME, places};

fn keyed() -> Events {
    let properties = vec![
        property("id", Type::BigInt, &[Rule::Required]),
        property("at", Type::Date, &[]),
        property("amount", Type::Int, &[Rule::Minimum("5".into())]),
        property("note", Type::String, &[]),
    ];
    let events = with_steps(
        events(EventInput::Csv, properties),
        &[("where", &[("", "note <> 'no'")]), ("derive", &[("twice", "amount * 2")])],
    );
    Events { key: vec!["id".into()], event_time: Some("at".into()), ..events }
}

fn rows() -> DataFrame {
    let text = |name: &str, values: [&str; 5]| Column::new(name.into(), values);
    let files = vec![
        text("id", ["1", "2", "3", "x", ""]),
        text("at", ["2026-10-01", "2026-10-02", "soon", "2026-10-04", "2026-10-05"]),
        text("amount", ["1", "?", "9", "9", "9"]),
        text("note", ["no", "", "yes", "yes", "yes"]),
    ];
    bronze(files, &[None, None, None, None, Some("torn")])
}

#[test]
fn what_is_dropped_or_refused_has_them_and_what_cannot_be_cast_is_null() {
    let found =
        places(&keyed(), 0, rows().lazy()).unwrap().collect_with_engine(Engine::Streaming).unwrap().unwrap_single();
    let names: Vec<&str> = found.get_column_names().into_iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["id", EVENT_TIME, "_batch", "_source_file", "_source_row"]);
    let ids: Vec<Option<i64>> = found.column("id").unwrap().i64().unwrap().iter().collect();
    assert_eq!(ids, [Some(1), Some(2), Some(3), None, None]);
    let timed: Vec<bool> = found.column(EVENT_TIME).unwrap().is_not_null().iter().flatten().collect();
    assert_eq!(timed, [true, true, false, true, true]);
}

#[test]
fn only_the_columns_that_they_need_are_read() {
    let plan = places(&keyed(), 0, rows().lazy()).unwrap().select([col("id"), col(EVENT_TIME)]).explain(true).unwrap();
    assert!(plan.contains("PROJECT 2/8") || plan.contains("PROJECT[\"id\", \"at\"] 2/8"), "{plan}");
}
