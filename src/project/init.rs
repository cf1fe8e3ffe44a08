//! `lakesmith init`: a small project that runs at once.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Every file of the new project: where it goes and what it holds.
const FILES: [(&str, &str); 11] = [
    ("lakesmith.yaml", include_str!("template/lakesmith.yaml")),
    ("layers/bronze/customers.yaml", include_str!("template/layers/bronze/customers.yaml")),
    ("layers/bronze/orders.yaml", include_str!("template/layers/bronze/orders.yaml")),
    ("layers/silver/customers.yaml", include_str!("template/layers/silver/customers.yaml")),
    ("layers/silver/orders.yaml", include_str!("template/layers/silver/orders.yaml")),
    ("layers/gold/daily_revenue.yaml", include_str!("template/layers/gold/daily_revenue.yaml")),
    ("schemas/customers.odcs.yaml", include_str!("template/schemas/customers.odcs.yaml")),
    ("schemas/orders.odcs.yaml", include_str!("template/schemas/orders.odcs.yaml")),
    ("landing/customers/2026-01-01.ndjson", include_str!("template/landing/customers/2026-01-01.ndjson")),
    ("landing/orders/2026-01-01.csv", include_str!("template/landing/orders/2026-01-01.csv")),
    ("landing/orders/2026-01-02.csv", include_str!("template/landing/orders/2026-01-02.csv")),
];
/// Left alone where there is one: a repository may begin with it.
const IGNORE: (&str, &str) = (".gitignore", "/lake/\n/site/\n");

/// Why no project was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// It would have to overwrite something.
    #[error("`{0}` is there already; choose a new directory")]
    Exists(PathBuf),
    /// The file system refused.
    #[error("`{path}` cannot be written: {source}")]
    Io {
        /// the file or folder
        path: PathBuf,
        /// what the system says
        source: io::Error,
    },
}

/// Writes a small project into `dir`, which is made if need be: two bronze, two silver and one gold table, their
/// contracts and a few landing files. Gives the files written, relative to `dir`.
///
/// # Errors
/// A file of that name is there already (nothing is written then), or the file system refuses.
pub fn init(dir: &Path) -> Result<Vec<PathBuf>, InitError> {
    if let Some((path, _)) = FILES.iter().find(|(path, _)| dir.join(path).symlink_metadata().is_ok()) {
        return Err(InitError::Exists(dir.join(path)));
    }
    let ignored = dir.join(IGNORE.0).symlink_metadata().is_ok();
    let mut written = Vec::with_capacity(FILES.len() + 1);
    for (path, text) in FILES.iter().chain(Some(&IGNORE).filter(|_| !ignored)) {
        write(&dir.join(path), text)?;
        written.push(PathBuf::from(path));
    }
    Ok(written)
}

fn write(path: &Path, text: &str) -> Result<(), InitError> {
    let result = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        let mut file = File::create_new(path)?;
        file.write_all(text.as_bytes())
    });
    result.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => InitError::Exists(path.to_owned()),
        _ => InitError::Io { path: path.to_owned(), source },
    })
}
