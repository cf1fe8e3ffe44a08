use std::path::Path;

use super::*;
use crate::project::{Definition, init};

#[test]
fn the_project_of_init_is_right() {
    let dir = tempfile::tempdir().unwrap();
    init(&dir.path().join("shop")).unwrap();
    let project = loaded(&dir.path().join("shop")).map_err(|faults| shown(&faults)).unwrap();
    assert_eq!(shown(&project.warnings), Vec::<String>::new());
    let order: Vec<String> = project.order.iter().map(ToString::to_string).collect();
    assert_eq!(order, ["bronze.customers", "bronze.orders", "silver.customers", "silver.orders", "gold.daily_revenue"]);
    for table in project.tables.values() {
        eprintln!("{table:#?}");
    }
}

#[test]
fn the_sample_project_is_right() {
    let project = loaded(Path::new(env!("CARGO_MANIFEST_DIR"))).map_err(|faults| shown(&faults)).unwrap();
    assert_eq!(shown(&project.warnings), Vec::<String>::new());
    let Definition::Gold(lifetime) = &project.tables[&project.order[project.order.len() - 5]].definition else {
        panic!()
    };
    assert_eq!(lifetime.key, ["customer_id"]);
}
