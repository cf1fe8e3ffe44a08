//! What people see: answers, errors, colour. stdout is the answer, stderr is for people.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use super::args::Global;
use super::failure::{Complaint, Failure};
use super::words;
use crate::secrets;

/// Whether stderr shows colours.
pub fn is_coloured() -> bool {
    colours(&|name| std::env::var(name).ok(), std::io::stderr().is_terminal())
}

/// Whether stdout shows colours.
pub fn answers_are_coloured() -> bool {
    colours(&|name| std::env::var(name).ok(), std::io::stdout().is_terminal())
}

/// What the variables say that many programs know: <https://no-color.org>, <https://bixense.com/clicolors>.
fn colours(variable: &dyn Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let is = |name: &str, says: &dyn Fn(&str) -> bool| variable(name).is_some_and(|value| says(&value));
    if is("NO_COLOR", &|value| !value.is_empty()) {
        return false;
    }
    if is("CLICOLOR_FORCE", &|value| !["", "0"].contains(&value)) {
        return true;
    }
    is_terminal && !is("CLICOLOR", &|value| value == "0") && !is("TERM", &|value| value == "dumb")
}

/// The columns that an answer may take: those of the terminal, or `COLUMNS` where that is set. What goes into a file or
/// another program has no width.
pub fn width() -> Option<u16> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let told = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    told.filter(|width| *width > 0).or_else(|| comfy_table::Table::new().width())
}

/// Prints an answer on stdout. A reader that has gone away (`| head`) is no error.
pub fn answer(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
}

/// Prints an answer as JSON on stdout.
pub fn answer_json(value: &impl Serialize) {
    let text = serde_json::to_value(value).and_then(|mut value| {
        secrets::mask_messages(&mut value);
        serde_json::to_string_pretty(&value)
    });
    match text {
        Ok(text) => answer(&words::plain_json(&text)),
        Err(error) => tell(&format!("error: {error}")),
    }
}

/// Prints a line for people on stderr.
pub fn tell(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = err.write_all(secrets::masked(text).as_bytes()).and_then(|()| err.write_all(b"\n"));
}

/// A panic's words may be those of a file.
pub fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| tell(&words::clean(&panic.to_string()))));
}

/// Prints why a command failed; with `--json` also as an object on stdout.
pub fn print_failure(failure: &Failure, json: bool) {
    failure.errors.iter().for_each(print_error);
    if failure.errors.len() > 1 {
        tell(&format!("{} errors", failure.errors.len()));
    }
    if json {
        answer_json(&serde_json::json!({ "status": "failed", "errors": failure.errors }));
    }
}

/// Prints what went wrong.
pub fn print_error(error: &Complaint) {
    tell(&format!("{} {}", paint("error:", "1;31"), words::clean(&error.to_string())));
}

/// Prints what deserves a word but stops nothing.
pub fn print_warning(text: &Complaint) {
    tell(&warning(&text.to_string()));
}

/// What deserves a word but stops nothing, as it is printed.
pub fn warning(text: &str) -> String {
    format!("{} {}", paint("warning:", "1;33"), words::clean(text))
}

/// Colours text where stderr shows colours; `code` is an SGR parameter.
fn paint(text: &str, code: &str) -> String {
    if is_coloured() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
}

/// A command for the user to type, with the flags that name this project and environment.
pub fn command(global: &Global, rest: &str) -> String {
    let mut text = "lakesmith ".to_string();
    let dir = global.project.display().to_string();
    if dir != "." {
        text.push_str(&format!("-C {} ", words::shell(&dir)));
    }
    if let Some(environment) = &global.environment {
        text.push_str(&format!("--env {} ", words::shell(environment)));
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_unless_the_user_says_otherwise() {
        let of = |set: &[(&str, &str)], is_terminal| {
            let find = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            colours(&find, is_terminal)
        };
        assert!(of(&[], true) && !of(&[], false));
        assert!(!of(&[("NO_COLOR", "1")], true) && of(&[("NO_COLOR", "")], true));
        assert!(of(&[("CLICOLOR_FORCE", "1")], false) && !of(&[("CLICOLOR_FORCE", "0")], false));
        assert!(!of(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true));
        assert!(!of(&[("CLICOLOR", "0")], true) && !of(&[("TERM", "dumb")], true));
    }
}
