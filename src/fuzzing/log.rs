//! Logs: whatever stands in a file of `_delta_log`, the table is read or an error says why not.

use std::path::Path;

use super::{Broken, trouble};
use crate::delta::Lake;

const FIRST: &str = r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{"metaData":{"id":"5fba94ed-9794-4965-ba6e-6ee3c0d22af9","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{},"createdTime":1}}
{"add":{"path":"a.parquet","size":1,"partitionValues":{},"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":1}"}}
"#;

/// The files of a log that the first byte chooses among.
const FILES: [&str; 5] = [
    "00000000000000000000.json",
    "00000000000000000001.json",
    "00000000000000000000.checkpoint.parquet",
    "00000000000000000000.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
    "_last_checkpoint",
];

/// The first byte chooses a file of the log of a table of one commit, the others are its content.
///
/// # Errors
/// Never by itself: what breaks the promise is a panic.
pub fn log(bytes: &[u8]) -> Broken {
    let Some((&which, content)) = bytes.split_first() else { return Ok(()) };
    let folder = tempfile::tempdir().map_err(|e| trouble(&e))?;
    let log = folder.path().join("silver/t/_delta_log");
    std::fs::create_dir_all(&log).map_err(|e| trouble(&e))?;
    std::fs::write(log.join(FILES[0]), FIRST).map_err(|e| trouble(&e))?;
    std::fs::write(log.join(FILES[usize::from(which) % FILES.len()]), content).map_err(|e| trouble(&e))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.map_err(|e| trouble(&e))?.block_on(read(folder.path()))
}

async fn read(lake: &Path) -> Broken {
    let lake = Lake::open(&lake.to_string_lossy(), &Default::default()).map_err(|e| trouble(&e))?;
    let table = lake.table("silver/t");
    let _ = table.head().await;
    let _ = table.history(0).await;
    if let Ok(Some(snapshot)) = table.snapshot().await {
        let _ = (snapshot.rows(), snapshot.bytes(), snapshot.pins());
        for file in snapshot.files() {
            let _ = (file.size(), file.rows(), file.min_max_i64("a"), file.null_count("a"));
        }
    }
    Ok(())
}
