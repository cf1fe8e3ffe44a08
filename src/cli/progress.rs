//! Bars on stderr for work over a second, on a terminal only.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::args::Global;
use crate::name::TableName;
use crate::run::{Event, Listener};

const QUIET_FOR: Duration = Duration::from_secs(1);

/// The bars of one run.
#[derive(Clone)]
pub struct Progress {
    bars: Option<Arc<Mutex<Bars>>>,
}

struct Bars {
    all: MultiProgress,
    running: HashMap<TableName, (Instant, u64, Option<ProgressBar>)>,
}

impl Progress {
    /// Bars, unless stderr is no terminal or the user wants quiet.
    pub fn new(global: &Global) -> Self {
        let shown = std::io::stderr().is_terminal() && !global.quiet && global.verbose == 0;
        let bars = || Bars { all: MultiProgress::new(), running: HashMap::new() };
        Progress { bars: shown.then(|| Arc::new(Mutex::new(bars()))) }
    }

    /// What a run tells.
    pub fn listener(&self) -> Listener {
        let bars = self.bars.clone();
        Arc::new(move |event| {
            if let Some(mut bars) = bars.as_ref().and_then(|b| b.lock().ok()) {
                bars.on(event);
            }
        })
    }

    /// Takes the bars away.
    pub fn finish(&self) {
        if let Some(bars) = self.bars.as_ref().and_then(|b| b.lock().ok()) {
            let _ = bars.all.clear();
        }
    }
}

impl Bars {
    fn on(&mut self, event: Event) {
        match event {
            Event::Started(table) => {
                self.running.insert(table, (Instant::now(), 0, None));
            }
            Event::Progress { table, rows } => self.advance(&table, rows),
            Event::Finished(report) => {
                if let Some((_, _, Some(bar))) = self.running.remove(&report.table) {
                    bar.finish_and_clear();
                }
            }
        }
    }

    fn advance(&mut self, table: &TableName, rows: u64) {
        let Some((began, total, bar)) = self.running.get_mut(table) else { return };
        *total += rows;
        if bar.is_none() && began.elapsed() > QUIET_FOR {
            let spinner = self.all.add(ProgressBar::new_spinner().with_elapsed(began.elapsed()));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:32} {human_pos} rows  {per_sec}") {
                spinner.set_style(style);
            }
            spinner.set_prefix(table.to_string());
            spinner.enable_steady_tick(Duration::from_millis(120));
            *bar = Some(spinner);
        }
        if let Some(bar) = bar {
            bar.set_position(*total);
        }
    }
}
