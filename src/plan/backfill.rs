//! Whether a range of a table can be computed anew, decided from states alone.

use super::decide::{changed_definition, missing_input, refuse};
use super::state::{LakeState, TableState};
use super::{Decision, Wanted};
use crate::name::{Layer, TableName};
use crate::project::OnChange;

/// What a backfill may do with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backfill {
    /// an input does not exist yet
    Wait(String),
    /// recompute keys of the table as it is
    Recompute {
        /// its rows follow another definition than today's
        changed: bool,
    },
    /// begin the table with a range, or add one to such a table
    Load {
        /// the ranges that are there follow another definition than today's
        changed: bool,
    },
    /// going on would be wrong; the text says why and what to do
    Refuse(String),
}

/// Decides what a backfill of `wanted` may do in this `lake`.
pub fn backfill(wanted: Wanted<'_>, lake: &LakeState) -> Backfill {
    let own = lake.get(wanted.table);
    if let Some(hold) = own.and_then(|own| own.hold.as_ref()) {
        return Backfill::Refuse(hold.reason(wanted.table));
    }
    if let Some(why) = own.and_then(|own| refuse(wanted, own, lake)) {
        return Backfill::Refuse(why);
    }
    if let Some(wait) = missing_input(wanted, lake) {
        return Backfill::Wait(wait);
    }
    let Some(own) = own else { return Backfill::Load { changed: false } };
    let changed = own.definition.as_deref() != Some(wanted.definition);
    if changed
        && wanted.on_change == OnChange::Rebuild
        && let Decision::Refuse(why) = changed_definition(wanted, own)
    {
        return Backfill::Refuse(why);
    }
    if own.is_loading() { Backfill::Load { changed } } else { Backfill::Recompute { changed } }
}

impl TableState {
    /// Whether only ranges of the table were loaded so far: its watermarks stand before the first batch of bronze, so
    /// that the next run reads everything.
    pub fn is_loading(&self) -> bool {
        let unread =
            |(input, id): (&TableName, &String)| input.layer == Layer::Bronze && self.watermarks.get(id) == Some(&0);
        self.mixed && !self.inputs.is_empty() && self.inputs.iter().all(unread)
    }

    /// Whether all of its rows are those of `definition`, though there may be too few of them.
    pub(super) fn follows(&self, definition: &str) -> bool {
        self.definition.as_deref() == Some(definition) && self.left.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::decide;

    fn name(layer: Layer) -> TableName {
        TableName { layer, name: "t".into() }
    }

    fn silver(watermark: i64, mixed: bool) -> TableState {
        TableState {
            definition: Some("now".into()),
            mixed,
            inputs: [(name(Layer::Bronze), "b".to_string())].into(),
            watermarks: [("b".to_string(), watermark)].into(),
            ..TableState::default()
        }
    }

    fn lake(own: Option<TableState>) -> LakeState {
        let bronze = TableState { id: "b".into(), batch: Some(3), ..TableState::default() };
        let own = own.map(|own| (name(Layer::Silver), own));
        [(name(Layer::Bronze), bronze)].into_iter().chain(own).collect()
    }

    fn wanted<'a>(table: &'a TableName, inputs: &'a [TableName], definition: &'a str) -> Wanted<'a> {
        Wanted { table, inputs, definition, on_change: OnChange::Rebuild }
    }

    fn decided(own: Option<TableState>, definition: &str) -> Backfill {
        backfill(wanted(&name(Layer::Silver), &[name(Layer::Bronze)], definition), &lake(own))
    }

    #[test]
    fn what_is_not_there_is_loaded_and_what_is_there_recomputed() {
        assert_eq!(decided(None, "now"), Backfill::Load { changed: false });
        assert_eq!(decided(Some(silver(0, true)), "now"), Backfill::Load { changed: false });
        assert_eq!(decided(Some(silver(0, true)), "next"), Backfill::Load { changed: true });
        assert_eq!(decided(Some(silver(2, true)), "now"), Backfill::Recompute { changed: false });
        assert_eq!(decided(Some(silver(2, false)), "next"), Backfill::Recompute { changed: true });
    }

    #[test]
    fn a_table_on_hold_stays_as_it_is() {
        let hold = crate::plan::Hold { run_id: "r".into(), at: chrono::DateTime::UNIX_EPOCH, version: 3 };
        let held = decided(Some(TableState { hold: Some(hold), ..silver(2, false) }), "now");
        assert!(matches!(&held, Backfill::Refuse(why) if why.contains("--release")), "{held:?}");
    }

    #[test]
    fn a_definition_that_was_left_and_a_source_that_went_back_are_refused_as_a_run_does() {
        let left = TableState { left: vec!["before".into()], ..silver(2, false) };
        let refusals = [decided(Some(left.clone()), "before"), decided(Some(silver(4, false)), "now")];
        assert!(refusals.iter().all(|found| matches!(found, Backfill::Refuse(_))), "{refusals:?}");
        let (table, inputs) = (name(Layer::Silver), [name(Layer::Bronze)]);
        let onward = Wanted { on_change: OnChange::ForwardOnly, ..wanted(&table, &inputs, "before") };
        assert_eq!(backfill(onward, &lake(Some(left))), Backfill::Recompute { changed: true });
    }

    #[test]
    fn a_run_completes_what_was_loaded_by_ranges() {
        let (table, inputs) = (name(Layer::Silver), [name(Layer::Bronze)]);
        let decided = |own| decide(wanted(&table, &inputs, "now"), &lake(Some(own)));
        let mixed = |decision| match decision {
            Decision::Advance { from, mixed } => (from[&inputs[0]], mixed),
            other => panic!("{other:?}"),
        };
        assert_eq!(mixed(decided(silver(0, true))), (Some(0), false));
        // Some of its ranges are of another definition, whose rows may win against those of today's.
        let two = TableState { left: vec!["before".into()], ..silver(0, true) };
        assert_eq!(mixed(decided(two)), (Some(0), true));
        assert_eq!(mixed(decided(silver(1, true))), (Some(1), true));
    }
}
