//! The files that a table's log names, version by version, as names alone: what may be deleted is decided by them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use delta_kernel::actions::deletion_vector::DeletionVectorDescriptor;
use deltalake::kernel::{Add, EagerSnapshot, Remove};
use deltalake::logstore::LogStoreRef;
use deltalake::logstore::object_store::path::Path;
use serde_json::{Value, json};
use url::Url;

use super::log::{CommitFile, Listing, Log, Wanted, txn_of};
use super::snapshot::check_path;
use super::{DataFile, Error, Table};

/// What the log of a table names. The log itself does not change while this is held; commits that come are not seen.
pub struct NamedFiles {
    table: Table,
    log: Log,
    listing: Listing,
    newest: i64,
    commits: BTreeMap<i64, NamedCommit>,
    elsewhere: BTreeSet<String>,
}

/// What one commit says of files. Data files and deletion vectors stand side by side, each by its path within the
/// table's folder, as on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedCommit {
    /// when it was made, by its commitInfo or else by the time of its file
    pub at: DateTime<Utc>,
    /// files that came
    pub adds: BTreeSet<String>,
    /// files that went
    pub removes: BTreeSet<String>,
    /// applications and the versions that they noted
    pub txns: BTreeMap<String, i64>,
}

impl Table {
    /// The files that the log names; `None` if there is no table.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if a commit is damaged; [`Error::Storage`].
    pub async fn named_files(&self) -> Result<Option<NamedFiles>, Error> {
        let log = self.log()?;
        let listing = log.list().await?;
        let Some(newest) = listing.latest() else { return Ok(None) };
        let root = self.log_store()?.root_url().clone();
        let (mut commits, mut elsewhere) = (BTreeMap::new(), BTreeSet::new());
        for commit in log.read_all(listing.versions().collect()).await? {
            let mut named = self.named_commit(&commit, &root, &mut elsewhere)?;
            if named.at == DateTime::<Utc>::default() {
                named.at = log.modified(commit.version).await?.unwrap_or_default();
            }
            commits.insert(commit.version, named);
        }
        Ok(Some(NamedFiles { table: self.clone(), log, listing, newest, commits, elsewhere }))
    }

    /// The files that came with the commits after `version`, which may have been made since the log was looked at.
    ///
    /// # Errors
    /// As [`Table::named_files`].
    pub async fn named_since(&self, version: i64) -> Result<BTreeSet<String>, Error> {
        let log = self.log()?;
        let newest = log.list_recent().await?.latest().unwrap_or(version);
        let root = self.log_store()?.root_url().clone();
        let (mut came, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
        for commit in log.read_all((version + 1..=newest).collect()).await? {
            came.extend(self.named_commit(&commit, &root, &mut elsewhere)?.adds);
        }
        Ok(came)
    }

    fn named_commit(
        &self,
        commit: &CommitFile,
        root: &Url,
        elsewhere: &mut BTreeSet<String>,
    ) -> Result<NamedCommit, Error> {
        let mut names = |kind: &str| -> Result<BTreeSet<String>, Error> {
            let actions = commit.actions(kind, self.folder())?;
            Ok(actions.iter().flat_map(|action| names_in(action, root, elsewhere)).collect())
        };
        let (adds, removes) = (names("add")?, names("remove")?);
        let at = commit.time().unwrap_or_default();
        let txns = commit.actions("txn", self.folder())?.iter().filter_map(txn_of).collect();
        Ok(NamedCommit { at, adds, removes, txns })
    }
}

impl NamedFiles {
    /// The table's folder.
    pub fn folder(&self) -> &str {
        self.table.folder()
    }

    /// The newest version.
    pub fn newest(&self) -> i64 {
        self.newest
    }

    /// By version, as far as the log has them.
    pub fn commits(&self) -> &BTreeMap<i64, NamedCommit> {
        &self.commits
    }

    /// Names, without folders, of files that the log names by an absolute path or one that leaves the table's folder.
    /// Whatever has such a name is needed.
    pub fn elsewhere(&self) -> &BTreeSet<String> {
        &self.elsewhere
    }

    /// The files of a version; `None` if the log does not have all that it is put together from (any more).
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::Storage`]
    pub async fn of(&self, version: i64) -> Result<Option<BTreeSet<String>>, Error> {
        let number = u64::try_from(version).ok().filter(|_| version <= self.newest);
        let Some(number) = number.filter(|_| self.listing.replayed(version).is_ok()) else { return Ok(None) };
        let replayed = self.table.replayed(&self.log, &self.listing, version, Wanted::Files).await?;
        let log_store = self.table.log_store_without(&replayed.unusable)?;
        // as in `Snapshot`, whose files must all be readable; here names are enough
        let adds = match replayed.replay.files() {
            Some(adds) => adds,
            None => by_delta_rs(self.table.folder(), &log_store, number).await?,
        };
        Ok(Some(adds.iter().flat_map(|add| names_of_add(add, log_store.root_url())).collect()))
    }

    /// The version that an application had noted by then; `None` also if the log does not tell any more.
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::Storage`]
    pub async fn txn(&self, version: i64, app: &str) -> Result<Option<i64>, Error> {
        if self.listing.replayed(version).is_err() {
            return Ok(None);
        }
        let mut replayed = self.table.replayed(&self.log, &self.listing, version, Wanted::Head).await?;
        Ok(replayed.replay.txns.remove(app))
    }
}

async fn by_delta_rs(table: &str, log_store: &LogStoreRef, version: u64) -> Result<Vec<Add>, Error> {
    let replay = EagerSnapshot::try_new(log_store.as_ref(), Some(version)).await;
    let replay = replay.map_err(|error| Error::delta(table, &error))?;
    #[expect(deprecated)]
    Ok(replay.log_data().iter().map(|view| view.add_action()).collect())
}

/// The data file and the deletion vector that an action of the log names.
fn names_in(action: &Value, root: &Url, elsewhere: &mut BTreeSet<String>) -> Vec<String> {
    let Some(raw) = action.get("path").and_then(Value::as_str) else { return Vec::new() };
    // deltalake decodes names as it reads an action
    let remove: Result<Remove, _> = serde_json::from_value(json!({ "path": raw, "dataChange": true }));
    let path = remove.map_or_else(|_| raw.to_owned(), |remove| remove.path);
    if check_path("", &path).is_err() {
        elsewhere.extend(path.rsplit(['/', '\\']).next().map(str::to_owned));
    }
    let vector = action.get("deletionVector").filter(|vector| vector.is_object());
    let vector = vector.and_then(|vector| serde_json::from_value(vector.clone()).ok());
    let vector = vector.and_then(|vector| vector_name(vector, root));
    [Some(plain(&path)), vector].into_iter().flatten().collect()
}

fn names_of_add(add: &Add, root: &Url) -> Vec<String> {
    let vector = add.deletion_vector.clone().and_then(|vector| vector_name(vector, root));
    [Some(plain(&add.path)), vector].into_iter().flatten().collect()
}

/// The data file and its deletion vector, if that is a file.
pub(super) fn names_of(file: &DataFile) -> Vec<String> {
    // only the path below the root counts
    let root = Url::parse("file:///");
    let vector = file.deletion_vector().zip(root.ok()).and_then(|(vector, root)| vector_name(vector.clone(), &root));
    [Some(plain(file.path())), vector].into_iter().flatten().collect()
}

/// The path of a deletion vector's file within the table's folder; `None` for one that stands in the log.
pub(super) fn vector_name(vector: deltalake::kernel::DeletionVectorDescriptor, root: &Url) -> Option<String> {
    let url = DeletionVectorDescriptor::try_from(vector).ok()?.absolute_path(root).ok()??;
    let path = url.path().strip_prefix(root.path()).unwrap_or(url.path());
    Some(Path::from_url_path(path).map_or_else(|_| path.to_owned(), |path| path.as_ref().to_owned()))
}

/// Without `.` and empty parts, which lead nowhere.
fn plain(path: &str) -> String {
    path.split('/').filter(|part| !["", "."].contains(part)).collect::<Vec<_>>().join("/")
}
