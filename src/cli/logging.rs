//! Diagnostics on stderr, for `-v` and `LAKESMITH_LOG`.

use tracing_subscriber::EnvFilter;

/// Starts logging: `-v` tells of our own work, `-vv` in detail; `LAKESMITH_LOG` takes a filter such as
/// `lakesmith=debug,deltalake=info` and goes before the flags. `LAKESMITH_LOG_FORMAT=json` prints a JSON object a line.
pub fn start(verbose: u8) {
    let default = match verbose {
        0 => "lakesmith=warn",
        1 => "lakesmith=info",
        _ => "lakesmith=debug",
    };
    let filter = std::env::var("LAKESMITH_LOG")
        .ok()
        .and_then(|text| EnvFilter::try_new(text).ok())
        .unwrap_or_else(|| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var("LAKESMITH_LOG_FORMAT").as_deref() == Ok("json") {
        subscriber.json().init();
    } else {
        subscriber.with_ansi(super::ui::is_coloured()).with_target(false).init();
    }
}
