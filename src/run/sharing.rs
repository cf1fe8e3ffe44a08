//! The memory of a run, shared out among the tables that are worked on at once.

use std::collections::BTreeSet;

use super::Run;
use crate::memory::Memory;
use crate::name::TableName;
use crate::project::Project;

impl Run {
    /// The run with the memory that each table may have while it works on `tables`, and how many at once: at most `jobs`,
    /// and no more than can have what is least.
    pub(super) fn sharing(self, tables: &BTreeSet<TableName>, jobs: usize) -> (Self, usize) {
        let memory = self.lake.memory();
        let most = usize::try_from(memory.bytes() / Memory::LEAST.bytes()).unwrap_or(usize::MAX);
        let jobs = jobs.min(chains(&self.project, tables)).min(most).max(1);
        let lake = self.lake.clone().with_memory(memory.part(jobs));
        (Run { lake, ..self }, jobs)
    }
}

/// Into how many chains, each table made from the one before, the tables fall: no more can be worked on at once, for
/// each waits for those that it reads.
fn chains(project: &Project, tables: &BTreeSet<TableName>) -> usize {
    let (mut chains, mut ended) = (0, BTreeSet::new());
    for name in project.order.iter().filter(|name| tables.contains(*name)) {
        // It goes on with a chain that ends at one of its inputs, else it begins a new one.
        if !project.inputs(name).iter().any(|input| ended.remove(input)) {
            chains += 1;
        }
        ended.insert(name.clone());
    }
    chains
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::delta::Lake;
    use crate::project::load;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn each_table_at_work_has_its_part() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        write(root, "lakesmith.yaml", "name: x\nenvironments: { dev: { lake: ./lake, landing: ./in } }\n");
        write(root, "schemas/a.yaml", CONTRACT);
        for name in ["a", "b"] {
            write(root, &format!("layers/bronze/{name}.yaml"), "source: { path: '*.csv', format: csv }\n");
            let silver = format!("from: bronze.{name}\ncontract: schemas/a.yaml\nkey: [id]\n");
            write(root, &format!("layers/silver/{name}.yaml"), &silver);
        }
        let gold =
            |from: &str| format!("from: silver.{from}\nsteps: [{{ group_by: [id], aggregate: {{ n: count(*) }} }}]\n");
        for (name, from) in [("one", "a"), ("two", "a"), ("three", "b")] {
            write(root, &format!("layers/gold/{name}.yaml"), &gold(from));
        }
        let project = Arc::new(load(root, None, &|_| None).unwrap());
        let lake = Lake::open(root.join("lake").to_str().unwrap(), &Default::default()).unwrap();
        let shared = |megabytes: u64, tables: &[&str], jobs| {
            let lake = lake.clone().with_memory(Memory::of_bytes(megabytes * 1_000_000));
            let run = Run::in_lake(project.clone(), lake, Arc::new(|_| ()));
            let tables = tables.iter().flat_map(|name| {
                project.order.iter().filter(move |table| table.to_string().starts_with(name)).cloned()
            });
            let (run, jobs) = run.sharing(&tables.collect(), jobs);
            (jobs, run.lake.memory().bytes() / 1_000_000)
        };
        assert_eq!(shared(6_000, &[""], 8), (3, 2_000), "bronze to gold twice, and one gold table more");
        assert_eq!(shared(6_000, &[""], 2), (2, 3_000));
        assert_eq!(shared(6_000, &["bronze.a", "silver.a", "gold.one"], 8), (1, 6_000), "each waits for the other");
        assert_eq!(shared(6_000, &["gold"], 8), (3, 2_000));
        assert_eq!(shared(600, &[""], 8), (2, 300), "three would have too little each");
        assert_eq!(shared(256, &[""], 8), (1, 256));
        assert_eq!(shared(256, &[], 8), (1, 256));
    }

    const CONTRACT: &str = "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\nschema:\n  - name: a\n    \
                            properties:\n      - { name: id, logicalType: integer, physicalType: bigint }\n";
}
