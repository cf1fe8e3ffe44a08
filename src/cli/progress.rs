//! How a run goes on: bars on stderr for work over a second, on a terminal only; the log otherwise.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::args::Global;
use super::words;
use crate::name::TableName;
use crate::report::TableReport;
use crate::run::{Event, Listener};

const QUIET_FOR: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(120);

/// The bars of one run.
pub struct Progress {
    bars: Option<Arc<Mutex<Bars>>>,
}

#[derive(Default)]
struct Bars {
    all: MultiProgress,
    running: BTreeMap<TableName, Work>,
    over: bool,
}

struct Work {
    began: Instant,
    rows: u64,
    /// of a backfill: the number of the chunk, and how many there are
    chunk: Option<(usize, usize)>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Bars, unless stderr is no terminal or the user wants quiet or the log.
    pub fn new(global: &Global) -> Self {
        let shown = std::io::stderr().is_terminal() && !global.quiet && global.verbose == 0;
        let bars = shown.then(|| Arc::new(Mutex::new(Bars::default())));
        if let Some(bars) = &bars {
            let bars = Arc::downgrade(bars);
            std::thread::spawn(move || tick(&bars));
        }
        Progress { bars }
    }

    /// What a run tells.
    pub fn listener(&self) -> Listener {
        let bars = self.bars.clone();
        Arc::new(move |event| {
            log(&event);
            if let Some(bars) = &bars {
                locked(bars).on(event);
            }
        })
    }

    /// Takes the bars away.
    pub fn finish(&self) {
        if let Some(bars) = &self.bars {
            let mut bars = locked(bars);
            bars.over = true;
            bars.running.clear();
            let _ = bars.all.clear();
        }
    }
}

/// A task that computes for long before its first row shows that it is alive.
fn tick(bars: &Weak<Mutex<Bars>>) {
    loop {
        std::thread::sleep(TICK);
        let Some(bars) = bars.upgrade() else { return };
        let mut bars = locked(&bars);
        if bars.over {
            return;
        }
        bars.draw();
    }
}

fn locked(bars: &Mutex<Bars>) -> MutexGuard<'_, Bars> {
    bars.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bars {
    fn on(&mut self, event: Event) {
        match event {
            _ if self.over => {}
            Event::Started(table) => {
                self.running.insert(table, Work { began: Instant::now(), rows: 0, chunk: None, bar: None });
            }
            Event::Progress { table, rows } => {
                if let Some(work) = self.running.get_mut(&table) {
                    work.rows += rows;
                }
            }
            Event::Chunk { table, number, of } => {
                if let Some(work) = self.running.get_mut(&table) {
                    work.chunk = Some((number, of));
                }
            }
            Event::Finished(report) => {
                if let Some(Work { bar: Some(bar), .. }) = self.running.remove(&report.table) {
                    bar.finish_and_clear();
                }
            }
        }
    }

    fn draw(&mut self) {
        for (table, work) in &mut self.running {
            let elapsed = work.began.elapsed();
            if elapsed < QUIET_FOR {
                continue;
            }
            let bar = work.bar.get_or_insert_with(|| spinner(&self.all, table, elapsed));
            let chunk = work.chunk.map(|(number, of)| format!("chunk {number} of {of}"));
            let rows = (work.rows > 0).then(|| format!("{} rows", words::thousands(work.rows)));
            let told: Vec<String> = chunk.into_iter().chain(rows).collect();
            if !told.is_empty() {
                bar.set_message(told.join(", "));
            }
            bar.tick();
        }
    }
}

fn spinner(all: &MultiProgress, table: &TableName, elapsed: Duration) -> ProgressBar {
    let spinner = all.add(ProgressBar::new_spinner().with_elapsed(elapsed));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}  {elapsed}  {msg}") {
        spinner.set_style(style);
    }
    spinner.set_prefix(table.to_string());
    spinner
}

fn log(event: &Event) {
    match event {
        Event::Started(table) => tracing::debug!(%table, "started"),
        Event::Progress { table, rows } => tracing::trace!(%table, rows, "rows"),
        Event::Chunk { table, number, of } => tracing::debug!(%table, number, of, "chunk"),
        Event::Finished(report) => finished(report),
    }
}

fn finished(report: &TableReport) {
    let TableReport { table, action, status, version, seconds, note, error, .. } = report;
    let (action, status) = (action.as_str(), status.as_str());
    let why = error.as_deref().or(note.as_deref()).unwrap_or_default();
    tracing::info!(%table, action, status, version, seconds = (seconds * 1000.0).round() / 1000.0, why, "finished");
}
