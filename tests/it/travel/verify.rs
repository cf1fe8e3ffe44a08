//! `verify` against what is known otherwise.

use lakesmith::name::{Layer, TableName};
use lakesmith::report::Proof;
use lakesmith::run::folder;

use super::Travel;
use super::check::is_mixed;
use crate::lake::now;

impl Travel<'_> {
    /// What it says is so, and it writes nothing. A table that differs may be behind: it is proved where it stands.
    pub async fn verify(&self) {
        let files = self.world.project.lake_files();
        let report = self.as_run().verify(&self.project().order.iter().cloned().collect(), true).await;
        assert_eq!(self.world.project.lake_files(), files);
        for proof in &report.tables {
            let Some(snapshot) = now(&self.world.lake, &folder(&proof.table)).await else {
                assert_eq!(proof.status, Proof::Missing, "{proof:?}");
                continue;
            };
            let current = proof.table.layer == Layer::Bronze || self.is_current(&proof.table, &snapshot);
            let expected = match () {
                () if is_mixed(&snapshot) => Proof::Mixed,
                () if !current => Proof::Stale,
                () if self.memory.is_tainted(&folder(&proof.table)) => continue,
                () if self.reads_what_is_gone(&proof.table, &snapshot) => continue,
                () => Proof::Equal,
            };
            assert_eq!(proof.status, expected, "{proof:#?}");
        }
    }

    /// What it says of one table.
    pub async fn proof(&self, name: &TableName) -> Proof {
        self.as_run().verify(&[name.clone()].into(), false).await.tables[0].status
    }

    /// Everything is what it should be, in depth.
    pub async fn all_is_equal(&self) {
        let report = self.as_run().verify(&self.project().order.iter().cloned().collect(), true).await;
        for proof in &report.tables {
            assert!([Proof::Equal, Proof::Missing].contains(&proof.status), "{proof:#?}");
        }
    }
}
