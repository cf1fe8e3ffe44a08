//! `lakesmith docs`

mod html;
mod serve;

use std::io::Write;
use std::path::{Path, PathBuf};

use super::args::{DocsArgs, Global};
use super::failure::{Complaint, FAILED, Failure, Outcome};
use super::{ui, words};
use crate::project::Project;
use crate::run::{ProjectDocs, project_docs};

/// What the page is called, so that a folder of it is a web site.
const FILE: &str = "index.html";
/// The folder that it goes into, in the project's.
const FOLDER: &str = "site";

pub async fn carry_out(global: &Global, args: &DocsArgs) -> Outcome {
    let written = match (&args.out, &args.serve) {
        (None, Some(_)) => 0,
        (out, _) => write(global, out.as_deref()).await?,
    };
    match &args.serve {
        Some(address) => serve::until_interrupted(global, address).await,
        None => Ok(written),
    }
}

async fn write(global: &Global, out: Option<&Path>) -> Outcome {
    let project = super::project(global)?;
    let folder = out.map_or_else(|| global.project.join(FOLDER), Path::to_path_buf);
    refuse_within(&project, &folder)?;
    let docs = project_docs(&project).await?;
    let page = html::page(&docs.to_json());
    let file = folder.join(FILE);
    put(&folder, &file, page.as_bytes()).map_err(|error| {
        Failure::failed(Complaint::from(format!("`{}` cannot be written: {error}", file.display())))
    })?;
    tell(global, &file, page.len() as u64, &docs);
    Ok(if docs.unreadable().next().is_some() { FAILED } else { 0 })
}

fn tell(global: &Global, file: &Path, bytes: u64, docs: &ProjectDocs) {
    if global.json {
        let errors: Vec<_> =
            docs.unreadable().map(|(table, error)| serde_json::json!({ "table": table, "error": error })).collect();
        let tables = docs.tables.len();
        ui::answer_json(&serde_json::json!({ "file": file, "bytes": bytes, "tables": tables, "errors": errors }));
    } else {
        let tables = words::count(docs.tables.len() as u64, "table");
        ui::answer(&words::clean_line(&format!("wrote {} ({tables}, {})", file.display(), words::bytes(bytes))));
    }
    for (table, error) in docs.unreadable() {
        ui::print_error(&Complaint::of_table(table, error));
    }
}

/// A page in the lake or in the landing folder would be taken for what it is not.
fn refuse_within(project: &Project, folder: &Path) -> Result<(), Failure> {
    let environment = &project.environment;
    for (place, what) in [(&environment.lake, "the lake"), (&environment.landing, "the landing folder")] {
        if !place.contains("://") && real(folder).starts_with(real(Path::new(place))) {
            let error = format!("the page would stand within {what}, `{place}`");
            return Err(Failure::wrong(Complaint::from(error).with_hint("`--out DIR` names another folder")));
        }
    }
    Ok(())
}

/// Links resolved, as far as the path exists.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(path), _, _) => path,
        (Err(_), Some(parent), Some(name)) => real(parent).join(name),
        (Err(_), _, _) => path,
    }
}

/// Whoever reads the page meanwhile sees the old one or the new one.
fn put(folder: &Path, file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut new = readable_by_all().prefix(".index").suffix(".html").tempfile_in(folder)?;
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}

/// Temporary files are their owner's alone, and a web server is somebody else; the umask still counts.
fn readable_by_all() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}
