//! What a run with nothing to do costs, counted instead of timed.

use crate::support::Project;

/// What our own storage code tells while a run finds nothing to do, a line each.
fn told(project: &Project) -> Vec<String> {
    let said = project.lakesmith_with(&[("LAKESMITH_LOG", "lakesmith::delta=trace")], &["run"]);
    assert_eq!(said.code, 0, "{said:?}");
    said.stderr.lines().map(str::to_owned).collect()
}

fn count(told: &[String], words: &[&str]) -> usize {
    told.iter().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

#[test]
fn only_the_ledger_is_opened_and_each_look_lists_a_log_once() {
    let project = Project::small();
    for day in 1..=13 {
        project.write(&format!("landing/events/{day}.csv"), format!("id,kind,amount,at\n{day},a,1,2026-01-01\n"));
        let said = project.lakesmith(&["run"]);
        assert_eq!(said.code, 0, "{said:?}");
    }
    let before = project.lake_files();
    let told = told(&project);
    assert_eq!(before, project.lake_files());
    assert_eq!(count(&told, &["opened"]), 1, "{told:#?}");
    assert_eq!(count(&told, &["opened", "_lakesmith/ledger"]), 1, "{told:#?}");
    // the ledger twice, bronze; silver and its input; gold and its input
    assert_eq!(count(&told, &["listed"]), 7, "{told:#?}");
    // the hint, the checkpoint of version 9, and the commits since
    assert_eq!(count(&told, &["read", "gold/totals", "_last_checkpoint"]), 1, "{told:#?}");
    assert_eq!(count(&told, &["read", "gold/totals"]), 2 + 3, "{told:#?}");
    assert_eq!(count(&told, &["_lakesmith/runs"]), 0, "{told:#?}");
}

#[test]
fn the_ledger_is_read_once_for_all_sources() {
    let project = Project::small();
    for n in 0..5 {
        project.write(&format!("layers/bronze/more_{n}.yaml"), format!("source:\n  path: m{n}/*.csv\n  format: csv\n"));
        project.write(&format!("landing/m{n}/a.csv"), "a\n1\n");
    }
    project.write("landing/events/1.csv", "id,kind,amount,at\n1,a,1,2026-01-01\n");
    let said = project.lakesmith(&["run"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(count(&told(&project), &["opened"]), 1);
}
