//! A project in a temporary folder and the shipped binary run over it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A project in a folder that goes away with it.
pub struct Project {
    dir: tempfile::TempDir,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    /// An empty folder.
    pub fn empty() -> Self {
        Project { dir: tempfile::tempdir().unwrap() }
    }

    /// The smallest project that has it all: events of one CSV source, typed, summed.
    pub fn small() -> Self {
        let project = Project::empty();
        project.write(
            "lakesmith.yaml",
            "name: small\nenvironment: dev\nenvironments:\n  dev: { lake: ./lake, landing: ./landing }\n",
        );
        project.write("layers/bronze/events.yaml", "source:\n  path: events/*.csv\n  format: csv\n");
        project.write("schemas/events.odcs.yaml", CONTRACT);
        project.write("layers/silver/events.yaml", SILVER);
        project.write("layers/gold/totals.yaml", GOLD);
        std::fs::create_dir_all(project.path("landing/events")).unwrap();
        project
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file, its folders too.
    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Runs the binary here.
    pub fn lakesmith(&self, args: &[&str]) -> Said {
        self.lakesmith_with(&[], args)
    }

    /// Runs the binary here with variables of the environment.
    pub fn lakesmith_with(&self, env: &[(&str, &str)], args: &[&str]) -> Said {
        Said::of(self.command(args).envs(env.iter().copied()).output().unwrap())
    }

    /// Starts the binary here.
    pub fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Starts the binary here, temporary files in a folder of their own.
    pub fn started(&self, args: &[&str], tmp: &Path) -> Child {
        let mut command = self.command(args);
        command.env("TMPDIR", tmp).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lakesmith"));
        command.arg("-C").arg(self.root()).args(args);
        command
            .env_remove("LAKESMITH_LOG")
            .env_remove("LAKESMITH_LOG_FORMAT")
            .env("NO_COLOR", "1")
            .env("COLUMNS", "160");
        command
    }

    /// Runs the binary, expects an exit code, gives the JSON it printed.
    pub fn json(&self, args: &[&str], code: i32) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let said = self.lakesmith(&args);
        assert_eq!(said.code, code, "{args:?}: {said:?}");
        serde_json::from_str(&said.stdout).unwrap_or_else(|e| panic!("{e}: {said:?}"))
    }

    /// `run --json`, every table accounted for (I3).
    pub fn run(&self, code: i32) -> Value {
        let report = self.json(&["run"], code);
        assert_accounted(&report);
        report
    }

    /// The rows that a question gives.
    pub fn query(&self, sql: &str) -> Vec<Value> {
        self.json(&["query", sql], 0).as_array().unwrap().clone()
    }

    /// The one value that a question gives.
    pub fn value(&self, sql: &str) -> Value {
        let rows = self.query(sql);
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows[0].as_object().unwrap().values().next().unwrap().clone()
    }

    /// Every file below the lake, with its size: two equal listings mean that nothing was written between.
    pub fn lake_files(&self) -> Vec<(PathBuf, u64)> {
        let mut files = Vec::new();
        list(&self.path("lake"), &mut files);
        files.sort();
        files
    }
}

/// I3: silver from bronze accounts for every event, in every report that a test sees.
pub fn assert_accounted(report: &Value) {
    for table in report["tables"].as_array().unwrap() {
        let from_bronze = table["inputs"].as_array().is_some_and(|i| i.iter().any(|i| i["batch"].is_number()));
        let rows = &table["rows"];
        let n = |key: &str| rows[key].as_u64().unwrap();
        let sum: u64 =
            ["inserted", "updated", "unchanged", "superseded", "filtered", "quarantined"].map(n).iter().sum();
        if from_bronze {
            assert_eq!(n("read"), sum, "{table}");
        }
    }
}

/// The report of one table.
pub fn table<'a>(report: &'a Value, name: &str) -> &'a Value {
    let found = report["tables"].as_array().unwrap().iter().find(|t| t["table"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report}"))
}

fn list(dir: &Path, files: &mut Vec<(PathBuf, u64)>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            list(&entry.path(), files);
        } else {
            files.push((entry.path(), entry.metadata().unwrap().len()));
        }
    }
}

impl Said {
    pub fn of(output: Output) -> Self {
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

const CONTRACT: &str = r#"apiVersion: v3.1.0
kind: DataContract
id: events
version: 1.0.0
status: active
schema:
  - name: events
    logicalType: object
    properties:
      - { name: id, logicalType: integer, physicalType: bigint, required: true, primaryKey: true }
      - { name: kind, logicalType: string }
      - { name: amount, logicalType: number, physicalType: "decimal(12,2)" }
      - { name: at, logicalType: timestamp }
"#;

const SILVER: &str = "from: bronze.events
contract: schemas/events.odcs.yaml
key: [id]
latest_by: [at]
event_time: at
";

const GOLD: &str = "from: silver.events
steps:
  - group_by: { kind: kind }
    aggregate: { events: count(*), amount: sum(amount) }
";
