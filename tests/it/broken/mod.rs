//! Lakes that somebody or something has broken: whatever was done to their files, every command says what is wrong and
//! what to do, what it says works, and nothing differs in silence.

mod checkpoints;
mod commits;
mod files;
mod refused;
mod replaced;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Project, table};

/// A file of twenty events with ids of its own.
fn events(file: usize) -> String {
    let rows = (0..20).map(|n| format!("{},k{},{n}.50,2026-01-{:02}T00:00:00Z\n", 20 * file + n, n % 3, 1 + file % 28));
    ["id,kind,amount,at\n".to_owned()].into_iter().chain(rows).collect()
}

/// The small project after as many runs as there are files.
struct Lake {
    project: Project,
    files: usize,
}

impl Lake {
    fn after(runs: usize) -> Self {
        let mut lake = Lake { project: Project::small(), files: 0 };
        for _ in 0..runs {
            lake.more();
            lake.project.run(0);
        }
        lake
    }

    /// One more file arrives.
    fn more(&mut self) {
        self.project.write(&format!("landing/events/{:03}.csv", self.files), events(self.files));
        self.files += 1;
    }

    fn events(&self) -> u64 {
        20 * self.files as u64
    }

    fn log(&self, table: &str, file: &str) -> PathBuf {
        self.project.path(&format!("lake/{table}/_delta_log/{file}"))
    }

    fn commit(&self, table: &str, version: u64) -> PathBuf {
        self.log(table, &format!("{version:020}.json"))
    }

    /// The data files of a table, oldest first.
    fn data(&self, table: &str) -> Vec<PathBuf> {
        let listed = fs::read_dir(self.project.path(&format!("lake/{table}"))).unwrap();
        let mut files: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
        files.sort();
        files
    }

    /// Commands of which none may panic or speak in a library's words, whatever their exit code.
    fn tour(&self) {
        let commands: [&[&str]; 8] = [
            &["status"],
            &["history", "silver.events"],
            &["files"],
            &["show", "silver.events"],
            &["query", "SELECT sum(amount) FROM silver.events"],
            &["verify", "--deep"],
            &["vacuum", "--dry-run"],
            &["run"],
        ];
        for args in commands {
            let said = self.project.lakesmith(args);
            for word in
                ["panicked", "internal error", "RUST_BACKTRACE", "Kernel error", "out of specification", "os error"]
            {
                assert!(!said.stderr.contains(word), "{args:?}: {said:?}");
            }
            assert!((0..=3).contains(&said.code), "{args:?}: {said:?}");
            if said.code != 0 {
                assert!(said.stderr.contains("error: "), "{args:?}: {said:?}");
            }
        }
    }

    /// All is as if nothing had happened: every event once, and every table what its inputs give.
    fn is_whole(&self) {
        self.project.run(0);
        let n = self.events();
        assert_eq!(self.project.value("SELECT count(*) FROM bronze.events"), n);
        assert_eq!(self.project.value("SELECT count(*) FROM silver.events"), n);
        assert_eq!(self.project.value("SELECT sum(events) FROM gold.totals"), n);
        let report = self.project.json(&["verify", "--deep"], 0);
        assert_eq!(report["status"], "equal", "{report:#}");
        assert_eq!(self.project.run(0)["status"], "unchanged");
    }

    fn repair(&self, table: &str, code: i32) -> Value {
        self.project.json(&["repair", table, "--yes"], code)
    }
}

/// The error that a report has about a table.
fn error<'a>(report: &'a Value, name: &str) -> &'a str {
    table(report, name)["error"].as_str().unwrap_or_default()
}

fn cut(path: &PathBuf) {
    let whole = fs::read(path).unwrap();
    fs::write(path, &whole[..whole.len() / 2]).unwrap();
}

/// Everything a text must say.
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

#[test]
fn a_sound_table_is_left_alone_and_a_wrong_name_is_told() {
    let lake = Lake::after(2);
    let before = lake.project.lake_files();
    for table in ["bronze.events", "silver.events", "gold.totals", "lakesmith.ledger", "lakesmith.runs"] {
        let report = lake.repair(table, 0);
        assert_eq!((&report["status"], &report["faults"]), (&json!("sound"), &json!([])), "{report:#}");
    }
    assert_eq!(lake.project.lake_files(), before);
    let said = lake.project.lakesmith(&["repair", "silver.event"]);
    assert_eq!(said.code, 2, "{said:?}");
    says(&said.stderr, &["there is no table `silver.event`", "did you mean `silver.events`?"]);
}
