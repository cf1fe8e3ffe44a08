//! Ctrl-C and a polite kill: what is not committed is left undone, and nobody has to wait for our claims to expire.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use super::failure::Failure;
use super::ui;
use crate::run::{release_claims, stopped, sweep_scratch, tell_of_stopped};

/// What a process was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    /// Ctrl-C
    Interrupt,
    /// as `kill`, systemd and Kubernetes send it
    Terminate,
}

impl Signal {
    /// The exit code, as shells have it of a process that a signal ended.
    fn code(self) -> u8 {
        match self {
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }

    fn failure(self, message: &str) -> Failure {
        Failure { errors: vec![format!("{}: {message}", self.word()).into()], code: self.code() }
    }

    fn word(self) -> &'static str {
        match self {
            Signal::Interrupt => "interrupted",
            Signal::Terminate => "terminated",
        }
    }
}

/// The first signal that came.
static TOLD: OnceLock<watch::Receiver<Option<Signal>>> = OnceLock::new();
/// Works at this moment that leave something to put in order when they stop.
static AT_WORK: AtomicUsize = AtomicUsize::new(0);

/// Listens from now on, in a thread of its own: no work can keep it from hearing. A signal that finds nothing to put in
/// order ends the process, and so does the second one.
pub fn listen() {
    let (tell, told) = watch::channel(None);
    if TOLD.set(told).is_err() {
        return;
    }
    let (begin, begun) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let Some(mut signals) = Signals::new() else { return };
            drop(begin);
            let first = signals.next().await;
            if AT_WORK.load(Ordering::SeqCst) == 0 {
                stop(first);
            }
            let _ = tell.send(Some(first));
            stop(signals.next().await);
        });
    });
    // it hears before anything begins
    let _ = begun.recv();
}

fn stop(signal: Signal) -> ! {
    ui::tell(&format!("error: {}", signal.word()));
    std::process::exit(i32::from(signal.code()))
}

/// What comes of `work`, which changes the lake, unless the user interrupts it.
pub async fn or_done<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    match until_told(work).await {
        Ok(done) => Ok(done),
        Err(signal) => {
            let stopped = stopped();
            put_in_order().await;
            tell_of_stopped(stopped).await;
            Err(signal.failure("what was committed stays, the next run does the rest"))
        }
    }
}

/// What `work` gives, unless the user interrupts it: then the work is dropped, its claims are given free, and `message`
/// says how things are.
pub async fn or<T>(work: impl Future<Output = T>, message: &str) -> Result<T, Failure> {
    match until_told(work).await {
        Ok(done) => Ok(done),
        Err(signal) => {
            put_in_order().await;
            Err(signal.failure(message))
        }
    }
}

async fn until_told<T>(work: impl Future<Output = T>) -> Result<T, Signal> {
    let _at_work = AtWork::begin();
    tokio::select! {
        done = work => Ok(done),
        signal = told() => Err(signal),
    }
}

async fn put_in_order() {
    release_claims().await;
    sweep_scratch();
}

struct AtWork;

impl AtWork {
    fn begin() -> Self {
        AT_WORK.fetch_add(1, Ordering::SeqCst);
        AtWork
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        AT_WORK.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits for the first signal.
async fn told() -> Signal {
    if let Some(told) = TOLD.get()
        && let Ok(signal) = told.clone().wait_for(Option::is_some).await
        && let Some(signal) = *signal
    {
        return signal;
    }
    // nobody listens
    std::future::pending().await
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (signal(SignalKind::interrupt()).ok()?, signal(SignalKind::terminate()).ok()?);
        Some(Signals { interrupt, terminate })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Option<Self> {
        Some(Signals)
    }

    async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::Interrupt
    }
}
