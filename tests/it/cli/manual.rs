//! What shells and man(1) are told.

use std::process::Command;

use crate::support::Project;

#[test]
fn shells_get_a_script_that_knows_commands_and_tables() {
    let project = Project::small();
    for shell in ["bash", "zsh", "fish"] {
        let said = project.lakesmith(&["completions", shell]);
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{shell}");
        for word in ["rebuild", "dry-run", "quarantine", "layers/*/*.yaml"] {
            assert!(said.stdout.contains(word), "{shell}: {word}");
        }
    }
    let said = project.lakesmith(&["completions", "zsh"]);
    assert!(said.stdout.contains(":_lakesmith_tables'"), "{}", said.stdout);
    assert_eq!(project.lakesmith(&["completions", "tcsh"]).code, 2);
}

#[test]
fn bash_completes_commands_and_tables() {
    let project = Project::small();
    project.write("completions.bash", project.lakesmith(&["completions", "bash"]).stdout);
    let completed = |words: &str| {
        let script = format!(
            "source completions.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _lakesmith_with_tables lakesmith \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").arg("-c").arg(script).current_dir(project.root()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(completed("lakesmith reb"), "rebuild\n");
    assert!(completed("lakesmith rebuild --dry").contains("--dry-run"));
    assert_eq!(completed("lakesmith rebuild si"), "silver.events\n");
    assert_eq!(completed("lakesmith repair si"), "silver.events\n");
    assert_eq!(completed("lakesmith -C . show gold."), "gold.totals\n");
    assert_eq!(completed("lakesmith -C nowhere show gold."), "\n");
    assert!(!completed("lakesmith init si").contains("silver.events"));
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let project = Project::small();
    let page = project.lakesmith(&["man"]).stdout;
    assert!(page.contains(".TH lakesmith 1") && page.contains("rebuild"), "{page}");
    let out = project.path("man").display().to_string();
    let said = project.lakesmith(&["man", "--out", &out]);
    assert_eq!(said.code, 0, "{said:?}");
    for name in ["lakesmith.1", "lakesmith-run.1", "lakesmith-runs.1", "lakesmith-man.1"] {
        let page = std::fs::read_to_string(project.path("man").join(name)).unwrap();
        assert!(page.contains(".SH EXTRA") || page.contains("Examples:"), "{name}: {page}");
    }
}
