//! `lakesmith init DIR`

use std::path::Path;

use super::args::{Global, InitArgs};
use super::failure::{Failure, Outcome};
use super::{ui, words};
use crate::project;

pub fn carry_out(global: &Global, args: &InitArgs) -> Outcome {
    let here = args.dir.is_absolute() || global.project == Path::new(".");
    let dir = if here { args.dir.clone() } else { global.project.join(&args.dir) };
    let written = project::init(&dir).map_err(|error| Failure::wrong(error.to_string()))?;
    if global.json {
        ui::answer_json(&serde_json::json!({ "project": dir, "files": written }));
    } else if !global.quiet {
        written.iter().for_each(|file| ui::answer(&words::clean_line(&format!("wrote {}", dir.join(file).display()))));
        ui::tell(&format!("Next: lakesmith -C {} run", words::shell(&dir.display().to_string())));
    }
    Ok(0)
}
