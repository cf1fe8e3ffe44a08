//! Diagnostics on stderr, for `-v` and `LAKESMITH_LOG`.

use std::fmt;
use std::io::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::secrets;

/// Starts logging: `-v` tells of our own work, `-vv` in detail; `LAKESMITH_LOG` takes a level such as `debug` for our
/// own work or a filter such as `lakesmith=debug,deltalake=info`, and goes before the flags. `LAKESMITH_LOG_FORMAT=json`
/// prints a JSON object a line. A filter that cannot be read is given back.
pub fn start(verbose: u8) -> Result<(), String> {
    let default = match verbose {
        0 => "lakesmith=warn",
        1 => "lakesmith=info",
        _ => "lakesmith=debug",
    };
    let told = std::env::var("LAKESMITH_LOG").ok().filter(|text| !text.trim().is_empty());
    let (filter, unread) = match told.as_deref().map(|text| (text, filter(text))) {
        Some((_, Some(filter))) => (filter, None),
        Some((text, None)) => (EnvFilter::new(default), Some(text.to_string())),
        None => (EnvFilter::new(default), None),
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Masked);
    if std::env::var("LAKESMITH_LOG_FORMAT").as_deref() == Ok("json") {
        subscriber.json().init();
    } else if verbose == 0 && told.is_none() {
        subscriber.event_format(Plain).init();
    } else {
        subscriber.with_ansi(super::ui::is_coloured()).with_target(false).init();
    }
    unread.map_or(Ok(()), Err)
}

/// What deserves a word, as the other warnings of the tool: nobody has asked for a log.
struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut told = Told::default();
        event.record(&mut told);
        writeln!(out, "{}", super::ui::warning(&told.sentence()))
    }
}

/// What an event says, and of what.
#[derive(Default)]
struct Told {
    message: String,
    of: Vec<String>,
    error: Option<String>,
}

impl Told {
    fn sentence(self) -> String {
        let of = if self.of.is_empty() { String::new() } else { format!(" ({})", self.of.join(", ")) };
        let error = self.error.map(|error| format!(": {error}")).unwrap_or_default();
        format!("{}{of}{error}", self.message)
    }
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "error" | "why" => self.error = Some(format!("{value:?}")),
            name => self.of.push(format!("{name} {value:?}")),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// stderr, for one event after the other, without what must not be told.
struct Masked;

impl Write for Masked {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        io::stderr().lock().write_all(secrets::masked(&text).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn filter(text: &str) -> Option<EnvFilter> {
    match text.trim().parse::<LevelFilter>() {
        Ok(level) => EnvFilter::try_new(format!("lakesmith={level}")).ok(),
        Err(_) => EnvFilter::try_new(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_level_is_about_our_own_work() {
        assert_eq!(filter("debug").unwrap().to_string(), "lakesmith=debug");
        assert_eq!(filter("deltalake=info").unwrap().to_string(), "deltalake=info");
        assert!(filter("a=b=c").is_none());
    }
}
