//! `lakesmith completions SHELL` and `lakesmith man`: what shells and man(1) know of the command line.

use clap::{Command, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::args::{Cli, Global, ManArgs, Shells};
use super::failure::Outcome;
use super::ui;

/// What arguments are called whose words are tables.
const TABLES: [&str; 3] = ["select", "table", "from"];

/// The commands that take tables.
fn over_tables() -> Vec<String> {
    let takes = |command: &Command| command.get_positionals().any(|word| TABLES.contains(&word.get_id().as_str()));
    Cli::command().get_subcommands().filter(|command| takes(command)).map(|command| command.get_name().into()).collect()
}

/// Prints a script that a shell is to read.
pub fn completions(shell: Shells) -> Outcome {
    let (shell, after) = match shell {
        Shells::Bash => (Shell::Bash, bash()),
        Shells::Zsh => (Shell::Zsh, String::new()),
        Shells::Fish => (Shell::Fish, fish()),
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "lakesmith", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Zsh {
        script = zsh(&script);
    }
    ui::answer((script + &after).trim_end());
    Ok(0)
}

/// The tables are the files below `layers/` of the project that `-C` names: no program need be asked.
fn bash() -> String {
    let commands = over_tables().join("|");
    format!(
        r#"
_lakesmith_with_tables() {{
    _lakesmith "$@"
    local cur="${{COMP_WORDS[COMP_CWORD]}}" dir=. command= word i
    [[ "$cur" == -* ]] && return 0
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${{COMP_WORDS[i]}}"
        case "$word" in
            -C|--project) dir="${{COMP_WORDS[i+1]}}" ;;
            {commands}) [[ -z "$command" ]] && command="$word" ;;
        esac
    done
    [[ -z "$command" ]] && return 0
    local tables
    tables="$(cd "$dir" 2>/dev/null && for file in layers/*/*.yaml; do
        [[ -e "$file" ]] && file="${{file#layers/}}" && file="${{file%.yaml}}" && printf '%s\n' "${{file/\//.}}"
    done)"
    COMPREPLY+=($(compgen -W "$tables" -- "$cur"))
}}
complete -F _lakesmith_with_tables -o nosort -o bashdefault -o default lakesmith
"#
    )
}

fn fish() -> String {
    let commands = over_tables().join(" ");
    let shells = Shells::value_variants().iter().filter_map(Shells::to_possible_value);
    let shells = shells.map(|shell| shell.get_name().to_owned()).collect::<Vec<_>>().join(" ");
    format!(
        r#"
function __lakesmith_tables
    set -l dir .
    set -l words (commandline -opc)
    for i in (seq (count $words))
        contains -- $words[$i] -C --project; and set dir $words[(math $i + 1)]
    end
    for file in $dir/layers/*/*.yaml
        string replace -r '.*/layers/([^/]+)/([^/]+)\.yaml$' '$1.$2' $file
    end
end
complete -c lakesmith -n "__fish_seen_subcommand_from {commands}" -f -a "(__lakesmith_tables)"
complete -c lakesmith -n "__fish_seen_subcommand_from completions" -f -a "{shells}"
"#
    )
}

/// clap has `_default`, files, for whatever it knows nothing of.
fn zsh(script: &str) -> String {
    let of_tables = |line: &str| {
        let argument = line.trim_start().trim_start_matches('\'').trim_start_matches(['*', ':']);
        let name = argument.split([' ', ':']).next().unwrap_or_default();
        TABLES.contains(&name) && line.trim_start().starts_with(['\'', '*', ':'])
    };
    let lines = script.lines().map(|line| match of_tables(line) {
        true => line.replace(":_default'", ":_lakesmith_tables'"),
        false => line.to_owned(),
    });
    let function = r#"
_lakesmith_tables() {
    local dir=. i
    for ((i = 1; i < CURRENT; i++)); do
        [[ "$words[i]" == (-C|--project) ]] && dir="$words[i+1]"
    done
    local -a tables
    tables=($dir/layers/*/*.yaml(N))
    tables=(${tables#$dir/layers/})
    tables=(${${tables%.yaml}/\//.})
    compadd -a tables
}
"#;
    let text = lines.collect::<Vec<_>>().join("\n");
    // before the last lines, which call the function that is defined above them
    match text.find("if [ \"$funcstack[1]\"") {
        Some(at) => format!("{}{}\n{}", &text[..at], function.trim_start(), &text[at..]),
        None => text + function,
    }
}

/// Prints the manual page, or writes one for each command.
pub fn man(global: &Global, args: &ManArgs) -> Outcome {
    let command = Cli::command().disable_help_subcommand(true);
    let Some(dir) = &args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        ui::answer(String::from_utf8_lossy(&page).trim_end());
        return Ok(0);
    };
    std::fs::create_dir_all(dir)?;
    clap_mangen::generate_to(command, dir)?;
    if !global.quiet {
        ui::tell(&format!(
            "wrote the manual pages to {}; to read one: man -l {}/lakesmith.1",
            dir.display(),
            dir.display()
        ));
    }
    Ok(0)
}
