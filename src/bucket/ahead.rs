//! First pieces of objects, fetched before they are asked for: many landing files are small, and a server answers many
//! requests at once sooner than one after the other.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use object_store::ObjectStore;
use object_store::path::Path;

use super::blocking;
use super::read::{FIRST, fetch};

/// Requests that are under way or whose answer waits to be read.
const AT_ONCE: usize = 24;
/// Bytes of small objects that are kept to be read once more: each is opened for its columns and then for its rows.
const KEPT: usize = 32 << 20;

/// An object at one version.
type Key = (Path, Option<String>);

/// Cheap to clone; all clones share it.
#[derive(Clone, Default)]
pub struct Ahead(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// what will be read, in this order
    wanted: VecDeque<(Key, u64)>,
    coming: HashMap<Key, Receiver<io::Result<Bytes>>>,
    kept: HashMap<Key, Bytes>,
    kept_bytes: usize,
}

impl Ahead {
    /// Objects that will soon be read, in this order, with their sizes; those told before are forgotten.
    pub fn expect(&self, store: &Arc<dyn ObjectStore>, objects: impl IntoIterator<Item = (Path, Option<String>, u64)>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.coming.clear();
        let objects = objects.into_iter().filter(|(_, etag, size)| *size > 0 && etag.is_some());
        state.wanted = objects.map(|(key, etag, size)| ((key, etag), size)).collect();
        state.go_on(store);
    }

    /// The first piece of an object, or what will be.
    pub(super) fn take(&self, store: &Arc<dyn ObjectStore>, key: &Path, etag: Option<&String>) -> Option<First> {
        let key = (key.clone(), etag.cloned());
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = state.kept.remove(&key) {
            state.kept_bytes -= bytes.len();
            return Some(First::Here(bytes));
        }
        let coming = state.coming.remove(&key);
        state.go_on(store);
        coming.map(First::Coming)
    }

    /// Keeps the bytes of a small object for the next time it is opened.
    pub(super) fn keep(&self, key: &Path, etag: Option<&String>, bytes: &Bytes) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if etag.is_some() && state.kept_bytes + bytes.len() <= KEPT {
            state.kept_bytes += bytes.len();
            let before = state.kept.insert((key.clone(), etag.cloned()), bytes.clone());
            state.kept_bytes -= before.map_or(0, |before| before.len());
        }
    }
}

/// A first piece.
pub(super) enum First {
    /// it was read before
    Here(Bytes),
    /// it was asked for
    Coming(Receiver<io::Result<Bytes>>),
}

impl State {
    fn go_on(&mut self, store: &Arc<dyn ObjectStore>) {
        while self.coming.len() < AT_ONCE {
            let Some((key, size)) = self.wanted.pop_front() else { return };
            if self.kept.contains_key(&key) {
                continue;
            }
            let (store, (path, etag)) = (Arc::clone(store), key.clone());
            let piece = async move { fetch(store.as_ref(), &path, etag, 0..size.min(FIRST)).await };
            match blocking::start(piece) {
                Ok(receiver) => drop(self.coming.insert(key, receiver)),
                Err(_) => return,
            }
        }
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ahead")
    }
}
