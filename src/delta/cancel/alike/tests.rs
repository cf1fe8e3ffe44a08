use std::iter;

use super::*;
use crate::delta::cancel::{cancel, uncertain};
use crate::delta::rows::{Files, Marks};
use crate::delta::tests::Disk;
use crate::delta::tests::patching::{one_file, patched, table_schema};
use crate::delta::{DataFile, Table};
use crate::memory::Memory;

const GROUP: u32 = 1 << 17;

fn columns(names: &[&str]) -> Vec<Column> {
    table_schema().columns.into_iter().filter(|column| names.contains(&column.name.as_str())).collect()
}

async fn unlike_in(table: &Table, files: [&DataFile; 2], names: &[&str]) -> Option<Vec<Range<u32>>> {
    let [ours, theirs] = files.map(|file| Origin { table: table.clone(), file: file.clone() });
    let rows = files[0].rows().unwrap();
    assert_eq!(unlike(&ours, &theirs, &columns(names), rows + 1, Proof::Bytes).await.unwrap(), None, "other rows");
    unlike(&ours, &theirs, &columns(names), rows, Proof::Bytes).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_copied_is_alike_column_by_column() {
    let disk = Disk::new();
    let (table, before) = one_file(&disk).await;
    let after = patched(&table, &before).await;
    let files = [&before, &after];
    // of three row groups the first and the last have another note, and nothing else is different
    assert_eq!(unlike_in(&table, files, &["id", "note"]).await, Some(vec![0..GROUP, 2 * GROUP..300_000]));
    assert_eq!(unlike_in(&table, files, &["id", "price", "rate", "seen"]).await, Some(vec![]));
    assert_eq!(unlike_in(&table, [&after, &after], &["note"]).await, Some(vec![]));

    let rows = |file: &DataFile| Files::of_table(&table, &table_schema(), std::slice::from_ref(file)).unwrap();
    let (ours, theirs) = (rows(&before), rows(&after));
    let compared = columns(&["id", "note"]);
    let rest = tokio::task::spawn_blocking(move || cancel(&ours, &theirs, &compared, Memory::of_machine()).unwrap());
    let rest = rest.await.unwrap();
    let mut changed = Marks::default();
    [1, 5, 299_999].into_iter().for_each(|row| changed.set(row));
    assert_eq!((&*rest.left, &*rest.right), (&changed, &changed));
    let origins = files.map(|file| [Origin { table: table.clone(), file: file.clone() }]);
    let [ours, theirs] = origins.each_ref().map(|origin| (&origin[..], &[300_000][..]));
    let uncertain = uncertain(ours, theirs, &columns(&["id", "note"]), Memory::of_machine()).await.unwrap();
    assert_eq!(uncertain, 2 * u64::from(300_000 - GROUP), "on both sides");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_byte_is_a_difference() {
    let disk = Disk::new();
    let (table, file) = one_file(&disk).await;
    let folder = disk.path().join("silver/t");
    let mut bytes = std::fs::read(folder.join(file.path())).unwrap();
    let group = footer(&table, &file).await.unwrap().row_group(1).clone();
    let id = group.columns().iter().find(|chunk| chunk.column_path().string() == "id").unwrap();
    let (start, length) = id.byte_range();
    bytes[(start + length - 1) as usize] ^= 1;
    std::fs::create_dir_all(disk.path().join("silver/other")).unwrap();
    std::fs::write(disk.path().join("silver/other").join(file.path()), bytes).unwrap();
    let ours = Origin { table, file: file.clone() };
    let theirs = Origin { table: disk.lake.table("silver/other"), file };
    let found = async |names: &[&str]| unlike(&ours, &theirs, &columns(names), 300_000, Proof::Bytes).await.unwrap();
    assert_eq!(found(&["note", "id"]).await, Some(iter::once(GROUP..2 * GROUP).collect()));
    assert_eq!(found(&["note"]).await, Some(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_do_not_tell_are_not_alike() {
    let disk = Disk::new();
    let (table, file) = one_file(&disk).await;
    let mut other = table_schema();
    other.columns.retain(|column| column.name != "rate");
    other.stats_columns.clear();
    let frame = table.scan(&other, std::slice::from_ref(&file)).unwrap();
    let without = table.write(frame.limit(10), &other).await.unwrap().remove(0);
    assert_eq!(unlike_in(&table, [&file, &without], &["id"]).await, None, "other row groups");
    let frame = table.scan(&other, std::slice::from_ref(&without)).unwrap();
    let again = table.write(frame, &other).await.unwrap().remove(0);
    assert_eq!(unlike_in(&table, [&without, &again], &["id", "rate"]).await, Some(vec![]), "NULL in both");
    let frame = table.scan(&table_schema(), std::slice::from_ref(&file)).unwrap();
    let with = table.write(frame.limit(10), &table_schema()).await.unwrap().remove(0);
    assert_eq!(unlike_in(&table, [&without, &with], &["id", "rate"]).await, None, "one has no such column");
}

#[test]
fn many_ranges_are_bridged_where_they_lie_nearest() {
    let groups = |numbers: &[u32]| joined(numbers.iter().map(|&number| number * 10..number * 10 + 10));
    assert_eq!(groups(&[]), []);
    assert_eq!(groups(&[0, 1, 5]), [0..20, 50..60]);
    assert_eq!(groups(&[0, 3, 5, 9, 14, 20]), [0..60, 90..100, 140..150, 200..210]);
}
