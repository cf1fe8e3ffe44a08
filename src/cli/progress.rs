//! How a run goes on: bars on a terminal for work over a second, a line now and then elsewhere; the log with `-v`. All of
//! it on stderr.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::args::Global;
use super::{pace, ui};
use crate::name::TableName;
use crate::report::TableReport;
use crate::run::{Event, Listener};

const QUIET_FOR: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(120);
/// Where nobody watches, work is told of so often.
const LINE_EACH: Duration = Duration::from_secs(30);

/// The bars of one run.
pub struct Progress {
    bars: Option<Arc<Mutex<Bars>>>,
}

struct Bars {
    /// none: a line now and then
    all: Option<MultiProgress>,
    running: BTreeMap<TableName, Work>,
    line_each: Duration,
    over: bool,
}

struct Work {
    began: Instant,
    told: Instant,
    pace: pace::Pace,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Unless the user wants quiet or the log.
    pub fn new(global: &Global) -> Self {
        let shown = !global.quiet && global.verbose == 0;
        let all = std::io::stderr().is_terminal().then(MultiProgress::new);
        let bars = Bars { all, running: BTreeMap::new(), line_each: line_each(), over: false };
        let bars = shown.then(|| Arc::new(Mutex::new(bars)));
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
            let _ = bars.all.as_ref().map(MultiProgress::clear);
        }
    }
}

/// Tests cannot wait half a minute.
fn line_each() -> Duration {
    let told = std::env::var("LAKESMITH_PROGRESS_SECONDS").ok().and_then(|text| text.parse().ok());
    told.filter(|seconds: &f64| *seconds > 0.0)
        .map_or(LINE_EACH, |seconds| Duration::from_secs_f64(seconds.min(86_400.0)))
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
                let now = Instant::now();
                self.running.insert(table, Work { began: now, told: now, pace: pace::Pace::default(), bar: None });
            }
            Event::Expected { table, rows } => self.tell(&table, |pace| pace.expect(rows)),
            Event::Share { table, share } => self.tell(&table, |pace| pace.share = Some(share)),
            Event::Progress { table, rows } => self.tell(&table, |pace| pace.rows += rows),
            Event::Chunk { table, number, of } => self.tell(&table, |pace| pace.chunk = Some((number, of))),
            Event::Finished(report) => {
                if let Some(Work { bar: Some(bar), .. }) = self.running.remove(&report.table) {
                    bar.finish_and_clear();
                }
            }
        }
    }

    fn tell(&mut self, table: &TableName, change: impl FnOnce(&mut pace::Pace)) {
        if let Some(work) = self.running.get_mut(table) {
            change(&mut work.pace);
        }
    }

    fn draw(&mut self) {
        for (table, work) in &mut self.running {
            let elapsed = work.began.elapsed();
            match &self.all {
                Some(all) if elapsed >= QUIET_FOR => {
                    let bar = work.bar.get_or_insert_with(|| spinner(all, table, elapsed));
                    bar.set_message(work.pace.told(elapsed));
                    bar.tick();
                }
                None if work.told.elapsed() >= self.line_each => {
                    work.told = Instant::now();
                    ui::tell(&format!("{table}: {}", work.pace.line(elapsed)));
                }
                _ => {}
            }
        }
    }
}

fn spinner(all: &MultiProgress, table: &TableName, elapsed: Duration) -> ProgressBar {
    let spinner = all.add(ProgressBar::new_spinner().with_elapsed(elapsed));
    // one line, however narrow the terminal
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}  {elapsed}  {wide_msg}") {
        spinner.set_style(style);
    }
    spinner.set_prefix(table.to_string());
    spinner
}

fn log(event: &Event) {
    match event {
        Event::Started(table) => tracing::debug!(%table, "started"),
        Event::Expected { table, rows } => tracing::debug!(%table, rows, "rows to come"),
        Event::Share { table, share } => tracing::trace!(%table, share, "done"),
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
