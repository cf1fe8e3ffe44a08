//! The tour of the README is run, so that it shows what people will see.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Project;

/// `LAKESMITH_TOUR=FILE` writes what happened to a file.
#[test]
fn the_tour_shows_what_happens() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let project = Project::empty();
    let mut folder = project.root().to_path_buf();
    let (mut shown, mut happened) = (String::new(), String::new());
    for block in readme.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        shown.push_str(block);
        for line in block.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                happened.push_str(&format!("{line}\n{}", output(&mut folder, command)));
            }
        }
    }
    if let Some(path) = std::env::var_os("LAKESMITH_TOUR") {
        std::fs::write(path, &happened).unwrap();
    }
    let (shown, happened) = (comparable(&shown), comparable(&happened));
    for (shown, happened) in shown.lines().zip(happened.lines()) {
        assert_eq!(shown, happened);
    }
    assert_eq!(shown.lines().count(), happened.lines().count());
}

fn output(folder: &mut PathBuf, command: &str) -> String {
    if let Some(dir) = command.strip_prefix("cd ") {
        folder.push(dir);
        return String::new();
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_lakesmith")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{command} 2>&1")]).current_dir(folder).env("PATH", path).env("NO_COLOR", "1");
    String::from_utf8(shell.env_remove("LAKESMITH_LOG").output().unwrap().stdout).unwrap()
}

/// Leaves out what differs from run to run.
fn comparable(text: &str) -> String {
    let differs = [
        r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
        r"(?m) +\d+\.\d\d$",
        r" +\d+ s ago",
        r"[0-9a-f]{8}( \(today's\))?   ",
        "─+",
        r" {2,}",
    ];
    differs.iter().fold(text.to_string(), |text, pattern| {
        regex::Regex::new(pattern).unwrap().replace_all(&text, "…").into_owned()
    })
}
