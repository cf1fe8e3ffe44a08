//! What destroys or republishes asks first.

use std::io::{BufRead, IsTerminal};

use super::failure::{Complaint, Failure};
use super::ui;

/// Whether the user says yes to `question`.
///
/// # Errors
/// Nobody can be asked; `because` says what is not done unasked.
pub fn agreed(question: &str, because: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        let error = Complaint::from(format!("{because}, and there is nobody here to ask"));
        return Err(Failure::wrong(error.with_hint("say --yes")));
    }
    ui::tell(&format!("{question} [y/N]"));
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
