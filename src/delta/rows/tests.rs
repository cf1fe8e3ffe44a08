use std::collections::BTreeSet;

use polars::df;
use polars::prelude::{Column, NamedFrom, Series, TimeUnit};
use proptest::prelude::*;

use super::*;

fn positions(rows: &[(u8, u16)]) -> BTreeSet<u64> {
    rows.iter().map(|(file, row)| u64::from(*file) << 32 | u64::from(*row)).collect()
}

fn marks(positions: &BTreeSet<u64>) -> Marks {
    let mut marks = Marks::default();
    positions.iter().for_each(|position| marks.set(*position));
    marks
}

fn some_rows() -> impl Strategy<Value = Vec<(u8, u16)>> {
    prop::collection::vec((0..4u8, 0..200u16), 0..60)
}

proptest! {
    #[test]
    fn marks_are_sets_of_positions(a in some_rows(), b in some_rows()) {
        let (a, b) = (positions(&a), positions(&b));
        prop_assert_eq!(marks(&a).total(), a.len() as u64);
        let mut both = marks(&a);
        both.union(&marks(&b));
        prop_assert_eq!(both.total(), a.union(&b).count() as u64);
        both.subtract(&marks(&b));
        prop_assert_eq!(both.total(), a.difference(&b).count() as u64);
        for file in 0..5 {
            prop_assert_eq!(marks(&a).count(file), a.iter().filter(|p| **p >> 32 == file as u64).count() as u64);
        }
    }

    #[test]
    fn all_rows_are_marked_and_no_more(counts in prop::collection::vec(0..200u64, 0..5)) {
        let all = Marks::all(&counts);
        for (file, rows) in counts.iter().enumerate() {
            prop_assert_eq!(all.count(file), *rows);
        }
    }
}

#[test]
fn a_query_reads_the_rows_to_keep_with_their_positions() {
    let frames = [df!("a" => [10, 11, 12]).unwrap(), df!("a" => [20]).unwrap(), df!("a" => [30, 31]).unwrap()];
    let files = Files::new(Arc::clone(frames[0].schema()), frames.iter().map(|frame| frame.clone().lazy()).collect());
    let chosen = Arc::new(marks(&positions(&[(0, 1), (2, 0), (2, 1)])));
    let read = |keep| {
        let frame = collect(files.narrow(&[col("a")], keep).unwrap()).unwrap();
        let values: Vec<i32> = frame.column("a").unwrap().i32().unwrap().into_no_null_iter().collect();
        let at: Vec<u64> = frame.column(POSITION).unwrap().u64().unwrap().into_no_null_iter().collect();
        values.into_iter().zip(at.into_iter().map(|at| (at >> 32, at & 0xFFFF_FFFF))).collect::<Vec<_>>()
    };
    assert_eq!(read(Keep::Marked(&chosen)), [(11, (0, 1)), (30, (2, 0)), (31, (2, 1))]);
    assert_eq!(read(Keep::Unmarked(&chosen)), [(10, (0, 0)), (12, (0, 2)), (20, (1, 0))]);
    assert_eq!(read(Keep::All).len(), 6);
    assert_eq!(read(Keep::Marked(&Arc::default())), []);
    assert_eq!(files.counts().unwrap(), [3, 1, 2]);
    assert_eq!(files.only(&[2, 1]).counts().unwrap(), [2, 1]);
}

#[test]
fn thousands_of_files_are_read_some_at_a_time_and_in_their_order() {
    let frames: Vec<_> = (0..2 * AT_ONCE as i32 + 2).map(|i| df!("a" => [i, -i]).unwrap()).collect();
    let files = Files::new(Arc::clone(frames[0].schema()), frames.iter().map(|frame| frame.clone().lazy()).collect());
    let all: Vec<usize> = (0..files.len()).rev().collect();
    let rows = files.collect_some(&all, &[col("a")], Keep::All).unwrap();
    let expected: Vec<i32> = all.iter().flat_map(|&i| [i as i32, -(i as i32)]).collect();
    assert_eq!(rows.column("a").unwrap().i32().unwrap().into_no_null_iter().collect::<Vec<_>>(), expected);
    assert_eq!(rows.column(POSITION).unwrap().u64().unwrap().get(1), Some(((files.len() as u64 - 1) << 32) + 1));
    assert_eq!(files.collect_some(&[], &[col("a")], Keep::All).unwrap().height(), 0);
    assert_eq!(files.counts().unwrap(), vec![2; files.len()]);
    let queries: Vec<usize> = files.queries(&all).iter().map(Vec::len).collect();
    assert_eq!(queries, [AT_ONCE, AT_ONCE, 2]);
    assert_eq!(files.queries(&[]), [[0; 0]]);
    let many = files.narrow_many(&all, &[col("a")], Keep::All).unwrap();
    assert!(collect(many).unwrap().equals(&rows));
}

#[test]
fn hashes_tell_values_columns_and_seeds_apart() {
    let frame = df!("a" => [Some(1i64), Some(2), None, Some(0)], "b" => [Some(2i64), Some(1), None, None]).unwrap();
    let hashes = |seed| -> Vec<u64> {
        let hashed = frame.clone().lazy().select([hash(&["a", "b"], seed).alias("h")]).collect().unwrap();
        hashed.column("h").unwrap().u64().unwrap().into_no_null_iter().collect()
    };
    let (first, second) = (hashes(11), hashes(13));
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 4, "swapped values and NULL against 0");
    let step = |hashes: &[u64]| hashes[1].wrapping_sub(hashes[0]);
    assert_ne!(step(&first), step(&second), "the second hash says more than the first");
    assert_eq!(first, hashes(11));
    let zeros = df!("a" => [0.0, -0.0, f64::NAN, -f64::NAN]).unwrap().lazy().select([hash(&["a"], 1).alias("h")]);
    let zeros: Vec<u64> = zeros.collect().unwrap().column("h").unwrap().u64().unwrap().into_no_null_iter().collect();
    assert!(zeros[0] == zeros[1] && zeros[2] == zeros[3] && zeros[0] != zeros[2]);
}

#[test]
fn hashes_tell_cells_of_every_type_from_each_other_and_from_null() {
    let long = "a text that is longer than those which a view holds itself, of more than sixteen bytes";
    let list = |items: &[i64]| Some(Series::new("".into(), items));
    let columns: Vec<Column> = vec![
        Column::new("bool".into(), [Some(false), None, Some(true)]),
        Column::new("int".into(), [Some(0i32), None, Some(-1)]),
        Column::new("float".into(), [Some(0f32), None, Some(-1.5)]),
        Column::new("text".into(), [Some(""), None, Some(long)]),
        Column::new("bytes".into(), [Some(&b""[..]), None, Some(long.as_bytes())]),
        Column::new("list".into(), [list(&[]), None, list(&[1])]),
        Column::new("double".into(), [Some(f64::NAN), None, Some(0.0)]),
        Column::new("small".into(), [Some(0i64), None, Some(1)]).cast(&DataType::Int8).unwrap(),
        Column::new("exact".into(), [Some(0i64), None, Some(1)]).cast(&DataType::Decimal(38, 2)).unwrap(),
        Column::new("at".into(), [Some(0i64), None, Some(1)])
            .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
            .unwrap(),
    ];
    for column in columns {
        let name = column.name().to_string();
        let hashes = |frame: &DataFrame| -> Vec<u64> {
            let hashed = frame.clone().lazy().select([hash(&[&name], 3)]).collect().unwrap();
            hashed.columns()[0].u64().unwrap().into_no_null_iter().collect()
        };
        let frame = column.clone().into_frame();
        let whole = hashes(&frame);
        assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 3, "{name}");
        let pieces = frame.slice(0, 1).vstack(&frame.slice(1, 2)).unwrap();
        assert_eq!(hashes(&pieces), whole, "{name} in two pieces");
        let rest = frame.slice(2, 1);
        assert_eq!(hashes(&rest), whole[2..], "{name} without a NULL beside it");
    }
}
