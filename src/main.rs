//! Parse, run, exit code.

use std::process::ExitCode;

/// How much waits between the parts of a query. Polars' own defaults (four pieces of rows for each thread at each place,
/// and as many row groups read ahead as fit into 64 MB of compressed bytes) come to some hundred megabytes of wide rows.
const WAITING: [(&str, &str); 3] = [
    ("POLARS_DEFAULT_DISTRIBUTOR_BUFFER_SIZE", "1"),
    ("POLARS_DEFAULT_LINEARIZER_BUFFER_SIZE", "1"),
    ("POLARS_ROW_GROUP_PREFETCH_SIZE", "2"),
];

fn main() -> ExitCode {
    let_little_wait();
    lakesmith::cli::main()
}

/// Polars takes these settings from the environment alone. What is set there already stays.
#[expect(unsafe_code)]
fn let_little_wait() {
    for (name, value) in WAITING {
        if std::env::var_os(name).is_none() {
            // SAFETY: nobody reads the environment meanwhile, for no other thread has been started yet.
            unsafe { std::env::set_var(name, value) };
        }
    }
}
