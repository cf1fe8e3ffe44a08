//! What the README and the tutorial show is run, so that it is what people will see.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Project;

#[test]
fn the_tour_shows_what_happens() {
    play("README.md");
}

#[test]
fn the_tutorial_shows_what_happens() {
    play("docs/time-travel.md");
}

/// Runs the commands of a page. `LAKESMITH_TOUR=FILE` writes the page as it should be to a file.
fn play(page: &str) {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let project = Project::empty();
    let mut folder = project.root().to_path_buf();
    let mut parts = text.split("```");
    let mut played = parts.next().unwrap().to_string();
    while let (Some(block), Some(rest)) = (parts.next(), parts.next()) {
        let block = match block.strip_prefix("console\n") {
            Some(block) => format!("console\n{}", session(&mut folder, block)),
            None => block.to_string(),
        };
        played.push_str(&format!("```{block}```{rest}"));
    }
    if let Some(path) = std::env::var_os("LAKESMITH_TOUR") {
        std::fs::write(Path::new(&path).join(page.rsplit('/').next().unwrap()), &played).unwrap();
    }
    let (shown, happened) = (comparable(&text), comparable(&played));
    for (shown, happened) in shown.lines().zip(happened.lines()) {
        assert_eq!(shown, happened, "in {page}");
    }
    assert_eq!(shown.lines().count(), happened.lines().count());
}

/// The commands of a block, each with what it says. A command goes on in lines that begin with `> `.
fn session(folder: &mut PathBuf, block: &str) -> String {
    let mut played = String::new();
    let mut lines = block.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("$ ") else { continue };
        let mut command = command.to_string();
        played.push_str(&format!("{line}\n"));
        while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
            command.push_str(&format!("\n{}", &more[2..]));
            played.push_str(&format!("{more}\n"));
        }
        played.push_str(&output(folder, &command));
    }
    played
}

fn output(folder: &mut PathBuf, command: &str) -> String {
    if let Some(dir) = command.strip_prefix("cd ") {
        folder.push(dir);
        return String::new();
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_lakesmith")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1\n{command}")]).current_dir(folder).env("PATH", path).env("NO_COLOR", "1");
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
        r"\d+(\.\d)? k?B",
        r"\d+ data files?",
        r"\d+ → \d+ +",
        r"read \d+ of \d+ files?",
        "─+",
        r" {2,}",
    ];
    differs.iter().fold(text.to_string(), |text, pattern| {
        regex::Regex::new(pattern).unwrap().replace_all(&text, "…").into_owned()
    })
}
