use std::io::Write;

use polars::prelude::*;
use proptest::prelude::{ProptestConfig, any, prop};
use proptest::{prop_assert_eq, proptest};

use super::*;
use crate::bronze::{Landing, ReadOptions, clean_headers, columns_of};
use crate::project::{CsvOptions, Format, Source, header, landing};

#[test]
fn a_column_that_no_file_has_is_a_fault_with_a_hint() {
    assert_eq!(
        faults(&[("landing/orders/1.csv", "order_id,state,quantity,unit_price,updated\n")]),
        [
            "schemas/orders.odcs.yaml:13:15 `bronze.orders` has no column `status` | did you mean `state`; or say where it comes from, e.g. `columns: { status: … }`",
            "schemas/orders.odcs.yaml:21:15 `bronze.orders` has no column `updated_at` | did you mean `updated`; or say where it comes from, e.g. `columns: { updated_at: … }`",
        ]
    );
}

#[test]
fn columns_of_later_files_count() {
    let project = good(&[
        ("landing/orders/1.csv", "order_id,status,quantity\n"),
        ("landing/orders/2.csv", "order_id,unit_price,updated_at\n"),
    ]);
    assert_eq!(shown(&project.warnings), Vec::<String>::new());
}

#[test]
fn without_a_file_there_is_a_warning_and_names_are_taken_on_trust() {
    let silver = edited("layers/silver/orders.yaml", "steps:", "columns: { status: lower(\"the state\") }\nsteps:");
    let project = good(&[("landing/orders/1.csv", ""), ("layers/silver/orders.yaml", &silver)]);
    assert_eq!(
        shown(&project.warnings),
        [
            "layers/silver/orders.yaml:1:7 the columns of `bronze.orders` could not be checked | no file matches `orders/*.csv` in the landing folder yet"
        ]
    );
    let bronze = edited("layers/bronze/orders.yaml", "format: csv", "format: parquet");
    let found = faults(&[
        ("landing/orders/1.csv", ""),
        ("layers/silver/orders.yaml", &silver),
        ("layers/bronze/orders.yaml", &bronze),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("layers/silver/orders.yaml:5:20 no file is there yet"), "{found:?}");
}

#[test]
fn expressions_see_the_columns_of_every_source() {
    let silver = |sql: &str| {
        let text = edited("layers/silver/orders.yaml", "from: bronze.orders", "from: [bronze.orders, bronze.old]");
        text.replace("steps:", &format!("columns: {{ status: {sql} }}\nsteps:"))
    };
    let project = |sql: &str| {
        let dir = shop(&[
            ("layers/silver/orders.yaml", &silver(sql)),
            ("layers/bronze/old.yaml", "source: { path: old/*.csv, format: csv }\n"),
            ("landing/old/1.csv", "order_id,state,quantity,unit_price,updated_at,only_old\n"),
        ]);
        loaded(dir.path()).map_err(|faults| shown(&faults))
    };
    let found = project("only_old").unwrap_err();
    assert!(found[0].starts_with("layers/silver/orders.yaml:5:20 ") && found[0].contains("only_old"), "{found:?}");
    project("concat_free").unwrap_err();
    project("_source_file").unwrap();
}

fn source(path: &str, format: Format) -> Source {
    Source {
        path: path.to_owned(),
        format,
        changed_files: crate::project::ChangedFiles::Reject,
        same_content: crate::project::SameContent::Take,
        settle: std::time::Duration::ZERO,
    }
}

/// What this module finds and what bronze reads.
fn both(root: &Path, source: &Source) -> (Option<Vec<String>>, Vec<String>) {
    let show = |columns: &crate::expr::Columns| columns.iter().map(|c| format!("{} {}", c.name, c.ty)).collect();
    let found = landing::columns(source, root.to_str().unwrap());
    let place = Landing::open(root.to_str().unwrap()).unwrap();
    let files = place.list(&source.path).unwrap().files;
    let mut columns = crate::expr::Columns::new();
    for file in &files {
        for column in columns_of(&place, file, &source.format, &ReadOptions::default()).unwrap() {
            if !columns.iter().any(|c| c.name == column.name) {
                columns.push(column);
            }
        }
    }
    (found.as_ref().map(show), show(&columns))
}

#[test]
fn headers_are_what_bronze_makes_of_them() {
    let options = CsvOptions { delimiter: b';', ..CsvOptions::default() };
    let dir = tempfile::tempdir().unwrap();
    let text = "\u{feff}Order Date;\"Amount; (EUR)\";;id;ID;\"a\"\"b\";_batch\n1;2;3;4;5;6;7\n";
    write(dir.path(), "x/a.csv", text);
    write(dir.path(), "x/_b.csv", "never\n");
    write(dir.path(), "x/c.csv.tmp", "never\n");
    write(dir.path(), "x/.d/e.csv", "never\n");
    write(dir.path(), "x/y/f.csv", "never\n");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"packed;id\r\n1;2\r\n").unwrap();
    fs::write(dir.path().join("x/g.csv.gz"), gz.finish().unwrap()).unwrap();
    fs::write(dir.path().join("x/h.csv.zst"), zstd::encode_all(&b"zst;id\r1;2\r"[..], 1).unwrap()).unwrap();
    let (found, bronze) = both(dir.path(), &source("x/*.csv", Format::Csv(options)));
    assert_eq!(found.unwrap(), bronze);
    assert!(bronze.contains(&"Amount_EUR string".to_owned()) && bronze.contains(&"zst string".to_owned()));
    let options = CsvOptions { header: false, ..CsvOptions::default() };
    write(dir.path(), "z/a.csv", "1,2,3");
    let (found, bronze) = both(dir.path(), &source("z/*.csv", Format::Csv(options)));
    assert_eq!((found.unwrap(), bronze.len()), (bronze, 3));
}

#[test]
fn parquet_types_are_what_bronze_makes_of_them() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("p")).unwrap();
    let mut frame = df!(
        "a b" => [1u32], "n" => [1u64], "s" => ["x"], "f" => [1.5f64], "d" => [1i8], "l" => [Series::new("".into(), [1u16])]
    )
    .unwrap();
    let time = Series::new("t".into(), [1i64]).cast(&DataType::Datetime(TimeUnit::Milliseconds, None)).unwrap();
    frame.with_column(time.into()).unwrap();
    let file = fs::File::create(dir.path().join("p/1.parquet")).unwrap();
    ParquetWriter::new(file).finish(&mut frame).unwrap();
    let (found, bronze) = both(dir.path(), &source("p/*.parquet", Format::Parquet));
    assert_eq!(found.unwrap(), bronze);
    assert_eq!(bronze.len(), 7);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn names_are_cleaned_as_bronze_cleans_them(
        names in prop::collection::vec(prop::sample::select(vec![
            "", " ", "a", "A", "a_2", "a b", "a(b)", "_batch", "_BATCH_2", "column_1", "Größe", "a\tb", "=",
        ]), 0..8),
        any_name in any::<String>(),
    ) {
        let mut raw: Vec<String> = names.into_iter().map(str::to_owned).collect();
        raw.push(any_name);
        let bronze: Vec<String> = clean_headers(&raw).into_iter().map(|header| header.stored).collect();
        prop_assert_eq!(header::stored(&raw), bronze);
    }
}
