//! Files brought into order: rows stay.

use lakesmith::delta::Lake;
use lakesmith::report::{OptimizeReport, Status};
use lakesmith::run::folder;

use super::Travel;
use crate::lake::{assert_rows, now, rows_of};

impl Travel<'_> {
    /// No row changes, and what is in order stays as it is.
    pub async fn optimize(&self, z_order: bool) {
        let before = self.contents().await;
        let report = self.put_in_order(&self.world.lake, z_order).await;
        assert_ne!(report.status, Status::Failed, "{report:#?}");
        for ((at, before), (_, after)) in before.iter().zip(self.contents().await) {
            assert_rows(&format!("{at}, its files in order"), &after, before);
        }
        let files = self.world.project.lake_files();
        let report = self.put_in_order(&self.world.lake, z_order).await;
        assert_eq!(report.status, Status::Unchanged, "{report:#?}");
        assert_eq!(self.world.project.lake_files(), files);
    }

    /// All tables; or the orders, by columns.
    pub async fn put_in_order(&self, lake: &Lake, z_order: bool) -> OptimizeReport {
        let tables = match z_order {
            true => ["silver.orders", "silver.visits"].map(|name| name.parse().unwrap()).into(),
            false => self.project().order.iter().cloned().collect(),
        };
        let columns = ["order_id", "updated_at"].map(str::to_owned);
        self.as_run_in(lake).optimize(&tables, z_order.then_some(&columns), 2).await
    }

    async fn contents(&self) -> Vec<(String, crate::lake::Rows)> {
        let mut all = Vec::new();
        for name in &self.project().order {
            let at = folder(name);
            if let Some(snapshot) = now(&self.world.lake, &at).await {
                all.push((at, rows_of(&snapshot, &["*"]).await));
            }
        }
        all
    }
}
