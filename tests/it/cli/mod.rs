//! What people and scripts see of the command line.

use crate::support::{Project, Said};

/// A good row, a row that a later one supersedes, one that does not fit the contract, one that is cut off.
const MIXED: &str = "id,kind,amount,at
1,a,1.10,2026-01-01T00:00:00Z
2,b,2.20,2026-01-01T00:00:00Z
2,b,2.30,2026-01-02T00:00:00Z
3,c,1.005,2026-01-01T00:00:00Z
4
";
/// No text, so no header can be read.
const BROKEN: &[u8] = b"\x00\xff\xfePNG";

/// The small project with rows of every fate and a file that cannot be read.
fn mixed() -> Project {
    let project = Project::small();
    project.write("landing/events/1.csv", MIXED);
    project.write("landing/events/broken.csv", BROKEN);
    project
}

/// The small project, whose one file was taken in.
fn made() -> Project {
    let project = Project::small();
    project.write("landing/events/1.csv", MIXED);
    project.run(0);
    project
}

/// Exit code, stdout and stderr; what differs from run to run is left out.
fn seen(project: &Project, args: &[&str]) -> String {
    let Said { code, stdout, stderr } = project.lakesmith(args);
    for line in stdout.lines() {
        assert!(!line.ends_with(' '), "{line:?}");
    }
    let root = project.root().display().to_string();
    format!("exit {code}\n{stdout}--- stderr\n{stderr}").replace(&root, "[DIR]")
}

macro_rules! assert_seen {
    ($project:expr, $args:expr, @$snapshot:literal) => {
        let filters = [
            (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "[RUN]"),
            (r"runs [0-9a-f]{8}-[0-9a-f]{4}\b", "runs [RUN]"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[WHEN             ]"),
            (r"(?m) [ \d]\d\.\d\d$", "  [S]"),
            (r"[ \d]\d s ago", "[AGO]  "),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "[WHEN                    ]"),
            (r"[0-9a-f]{8} \(today's\)", "[HASH]   (today's)"),
            (r"[\d.]+ k?B of [\d.]+ k?B", "[BYTES]"),
        ];
        insta::with_settings!({ filters => filters }, {
            insta::assert_snapshot!(seen($project, $args), @$snapshot);
        });
    };
}

// After the macro, which they use.
mod answers;
mod backfill;
mod contract;
mod diff;
mod errors;
mod manual;
mod old_versions;
mod rehearsal;
mod repair;
mod runs;
