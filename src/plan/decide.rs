//! What a silver or gold table needs, decided from states alone. `plan` shows it, `run` follows it.

use std::collections::BTreeMap;

use super::state::{Gap, LakeState, TableState};
use crate::name::{Layer, TableName};
use crate::project::OnChange;

/// What is to be done with a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// its inputs have nothing new
    Nothing,
    /// an input does not exist yet
    Wait(String),
    /// it went back to an earlier version and is to stay there until someone says otherwise
    Held(String),
    /// read what is new in these inputs; the first time: all of it
    Advance {
        /// per input that has something new: the watermark, `None` for an input never read
        from: BTreeMap<TableName, Option<i64>>,
        /// the table's rows will follow two definitions
        mixed: bool,
    },
    /// compute all of it anew and publish it in one commit
    Rebuild(String),
    /// going on would be wrong; the text says why and what to do
    Refuse(String),
}

/// What there is to know of a table, beside the lake.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// which
    pub table: &'a TableName,
    /// what it reads
    pub inputs: &'a [TableName],
    /// hash of its definition
    pub definition: &'a str,
    /// what a changed definition does
    pub on_change: OnChange,
}

/// Decides what `wanted` needs in this `lake`.
pub fn decide(wanted: Wanted<'_>, lake: &LakeState) -> Decision {
    let own = lake.get(wanted.table);
    if let Some(hold) = own.and_then(|own| own.hold.as_ref()) {
        return Decision::Held(hold.reason(wanted.table));
    }
    if let Some(refusal) = own.and_then(|own| refuse(wanted, own, lake)) {
        return Decision::Refuse(refusal);
    }
    if let Some(wait) = missing_input(wanted, lake) {
        return Decision::Wait(wait);
    }
    let Some(own) = own else {
        return Decision::Advance { from: wanted.inputs.iter().map(|i| (i.clone(), None)).collect(), mixed: false };
    };
    let changed = own.definition.as_deref() != Some(wanted.definition);
    if changed && wanted.on_change == OnChange::Rebuild {
        return changed_definition(wanted, own);
    }
    advance(wanted, own, lake, changed)
}

pub(super) fn missing_input(wanted: Wanted<'_>, lake: &LakeState) -> Option<String> {
    let missing: Vec<_> = wanted.inputs.iter().filter(|i| !lake.contains_key(i)).collect();
    let first = missing.first()?;
    // A silver table with several sources begins with those that have something.
    let enough = first.layer == Layer::Bronze && missing.len() < wanted.inputs.len();
    (!enough).then(|| format!("`{first}` has no rows yet"))
}

pub(super) fn changed_definition(wanted: Wanted<'_>, own: &TableState) -> Decision {
    if own.left.iter().any(|h| h == wanted.definition) {
        return Decision::Refuse(format!(
            "`{t}` has left this definition for a later one, perhaps from another checkout; if this one is to hold \
             again, say so: lakesmith rebuild {t}",
            t = wanted.table
        ));
    }
    Decision::Rebuild("its definition changed".into())
}

fn advance(wanted: Wanted<'_>, own: &TableState, lake: &LakeState, changed: bool) -> Decision {
    let mut from = BTreeMap::new();
    for input in wanted.inputs {
        let Some(state) = lake.get(input) else { continue };
        let watermark = own.watermarks.get(&state.id).copied();
        if watermark != Some(state.position()) || state.is_other_than(own) {
            from.insert(input.clone(), watermark);
        }
    }
    // Then every event is read under the one definition that all rows follow, and the greatest of each key wins.
    let completes = own.is_loading() && own.follows(wanted.definition);
    match (from.is_empty(), (own.mixed && !completes) || changed) {
        (true, _) => Decision::Nothing,
        (false, mixed) => Decision::Advance { from, mixed },
    }
}

/// Why nothing may be done with a table by itself, not even a rebuild for a changed definition: what is there now may be
/// less than what its rows were made from.
pub(super) fn refuse(wanted: Wanted<'_>, own: &TableState, lake: &LakeState) -> Option<String> {
    let table = wanted.table;
    if own.definition.is_none() {
        return Some(format!(
            "the lake has a table `{table}` that lakesmith did not make; to replace all its rows: lakesmith rebuild {table}"
        ));
    }
    let refused_input = wanted.inputs.iter().find_map(|input| refuse_input(table, input, own, lake.get(input)));
    refused_input.or_else(|| own.lost_refusals.clone())
}

fn refuse_input(table: &TableName, input: &TableName, own: &TableState, state: Option<&TableState>) -> Option<String> {
    let read = own.inputs.get(input);
    let Some(state) = state else {
        let gone = read.filter(|_| input.layer == Layer::Bronze);
        return gone.map(|_| {
            format!(
                "`{input}`, which `{table}` was made from, is no longer in the lake; bring it back or, to make `{table}` \
                 from what is there: lakesmith rebuild {table}"
            )
        });
    };
    if read.is_some_and(|id| *id != state.id) && input.layer == Layer::Bronze {
        return Some(format!(
            "`{input}` is another table than the one that `{table}` was made from; to make it from this one: \
             lakesmith rebuild {table}"
        ));
    }
    let watermark = own.watermarks.get(&state.id).copied();
    if read.is_some() && watermark.is_none() && input.layer == Layer::Bronze {
        return Some(format!(
            "`{table}` no longer says how far it has read `{input}`, as a copy by another engine may leave it; to make it \
             anew: lakesmith rebuild {table}"
        ));
    }
    if let Some(Gap { after, before }) = watermark.and_then(|watermark| state.lost_under(watermark)) {
        return Some(format!(
            "`{table}` has read batches of `{input}` between {after} and {before}, which were lost; to make `{table}` from \
             what is there: lakesmith rebuild {table}"
        ));
    }
    // Of a table made from tables all can be computed anew from what is there: no event is gone with it.
    let ahead = watermark.filter(|w| *w > state.position() && input.layer == Layer::Bronze)?;
    let last = state.position();
    Some(format!(
        "`{table}` has read `{input}` up to batch {ahead}, but that table ends at batch {last}: commits of bronze were \
         lost. Bring its folder back from a copy; or say `lakesmith repair {input}`, and the next run takes in anew what \
         is still in the landing folder"
    ))
}

/// Of which input a table made from tables has read a version that is no more, as a sentence: its commits were lost, and
/// those that are there now, or come, tell nothing of what changed.
pub fn ahead(own: &TableState, inputs: &[TableName], lake: &LakeState) -> Option<String> {
    inputs.iter().filter(|input| input.layer != Layer::Bronze).find_map(|input| {
        let now = lake.get(input)?;
        let read = own.watermarks.get(&now.id).filter(|read| **read > now.version)?;
        Some(went_back(input, now.version, *read))
    })
}

/// That the commits of a table's version which was read were lost.
pub fn went_back(input: &TableName, now: i64, read: i64) -> String {
    format!("`{input}` ends at version {now}, and version {read} was read: its commits were lost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Hold;

    fn name(layer: Layer, name: &str) -> TableName {
        TableName { layer, name: name.into() }
    }

    fn bronze(id: &str, batch: i64) -> TableState {
        TableState { id: id.into(), version: batch, batch: Some(batch), ..TableState::default() }
    }

    fn silver(input: &str, watermark: i64) -> TableState {
        TableState {
            id: "s".into(),
            definition: Some("now".into()),
            left: vec!["before".into()],
            inputs: [(name(Layer::Bronze, "b"), input.to_string())].into(),
            watermarks: [(input.to_string(), watermark)].into(),
            ..TableState::default()
        }
    }

    fn decided(own: Option<TableState>, input: Option<TableState>, definition: &str, on_change: OnChange) -> Decision {
        let (table, source) = (name(Layer::Silver, "s"), name(Layer::Bronze, "b"));
        let mut lake = LakeState::new();
        lake.extend(own.map(|s| (table.clone(), s)));
        lake.extend(input.map(|s| (source.clone(), s)));
        let inputs = [source];
        decide(Wanted { table: &table, inputs: &inputs, definition, on_change }, &lake)
    }

    fn from(watermark: Option<i64>) -> BTreeMap<TableName, Option<i64>> {
        [(name(Layer::Bronze, "b"), watermark)].into()
    }

    #[test]
    fn waits_for_its_input_then_reads_all_of_it() {
        assert!(matches!(decided(None, None, "now", OnChange::Rebuild), Decision::Wait(_)));
        let decision = decided(None, Some(bronze("b1", 2)), "now", OnChange::Rebuild);
        assert_eq!(decision, Decision::Advance { from: from(None), mixed: false });
    }

    #[test]
    fn reads_beyond_its_watermark_and_nothing_when_there_is_nothing() {
        let own = || Some(silver("b1", 2));
        assert_eq!(decided(own(), Some(bronze("b1", 2)), "now", OnChange::Rebuild), Decision::Nothing);
        let decision = decided(own(), Some(bronze("b1", 3)), "now", OnChange::Rebuild);
        assert_eq!(decision, Decision::Advance { from: from(Some(2)), mixed: false });
    }

    #[test]
    fn a_changed_definition_rebuilds_but_never_back_to_one_it_has_left() {
        let own = || Some(silver("b1", 2));
        let b = || Some(bronze("b1", 2));
        assert!(matches!(decided(own(), b(), "next", OnChange::Rebuild), Decision::Rebuild(_)));
        assert!(matches!(decided(own(), b(), "before", OnChange::Rebuild), Decision::Refuse(_)));
        assert_eq!(decided(own(), b(), "next", OnChange::ForwardOnly), Decision::Nothing);
        let later = decided(own(), Some(bronze("b1", 3)), "next", OnChange::ForwardOnly);
        assert_eq!(later, Decision::Advance { from: from(Some(2)), mixed: true });
    }

    #[test]
    fn refuses_a_source_that_was_replaced_or_went_back_or_is_gone_whatever_the_definition() {
        let own = || Some(silver("b1", 2));
        for definition in ["now", "next"] {
            let [rebuild, repair] = ["lakesmith rebuild silver.s", "lakesmith repair bronze.b"];
            for (source, advice) in [(Some(bronze("b2", 5)), rebuild), (Some(bronze("b1", 1)), repair), (None, rebuild)]
            {
                let decision = decided(own(), source, definition, OnChange::Rebuild);
                let Decision::Refuse(why) = decision else { panic!("{decision:?}") };
                assert!(why.contains(advice), "{why}");
            }
        }
    }

    /// It has no event that others do not have too.
    #[test]
    fn an_input_of_versions_that_went_back_is_news() {
        let (table, input) = (name(Layer::Gold, "g"), name(Layer::Silver, "t"));
        let source = TableState { id: "t1".into(), version: 1, ..TableState::default() };
        let own = TableState { inputs: [(input.clone(), "t1".to_string())].into(), ..silver("t1", 4) };
        let lake: LakeState = [(table.clone(), own.clone()), (input.clone(), source)].into();
        let inputs = [input.clone()];
        let wanted = Wanted { table: &table, inputs: &inputs, definition: "now", on_change: OnChange::Rebuild };
        assert_eq!(decide(wanted, &lake), Decision::Advance { from: [(input, Some(4))].into(), mixed: false });
        assert!(ahead(&own, &inputs, &lake).unwrap().contains("ends at version 1, and version 4 was read"));
    }

    #[test]
    fn a_table_on_hold_stays_as_it_is_whatever_is_new() {
        let hold = Hold { run_id: "r".into(), at: chrono::DateTime::UNIX_EPOCH, version: 3 };
        let own = TableState { hold: Some(hold), ..silver("b1", 2) };
        for (source, definition) in [(bronze("b1", 3), "now"), (bronze("b1", 2), "next"), (bronze("b2", 9), "now")] {
            let decision = decided(Some(own.clone()), Some(source), definition, OnChange::Rebuild);
            let Decision::Held(why) = decision else { panic!("{decision:?}") };
            assert!(why.contains("version 3") && why.contains("lakesmith restore silver.s --release"), "{why}");
        }
    }

    #[test]
    fn refuses_whatever_is_new_when_rows_that_it_refused_are_gone() {
        for (batch, definition) in [(2, "now"), (3, "now"), (2, "next")] {
            let own = TableState { lost_refusals: Some("gone".into()), ..silver("b1", 2) };
            let decision = decided(Some(own), Some(bronze("b1", batch)), definition, OnChange::Rebuild);
            assert_eq!(decision, Decision::Refuse("gone".into()));
        }
    }

    #[test]
    fn refuses_to_go_on_from_a_batch_that_was_lost() {
        // lost, made anew up to 8, lost again
        let lost = vec![Gap { after: 3, before: 6 }, Gap { after: 8, before: 10 }];
        let source = TableState { lost, ..bronze("b1", 10) };
        for watermark in 0..=10 {
            let decision = decided(Some(silver("b1", watermark)), Some(source.clone()), "now", OnChange::Rebuild);
            let refused = matches!(decision, Decision::Refuse(_));
            assert_eq!(refused, [4, 5, 9].contains(&watermark), "{watermark}: {decision:?}");
        }
    }

    #[test]
    fn a_version_of_the_same_number_with_another_mark_is_news() {
        let source = |mark| TableState { id: "t1".into(), version: 2, mark, ..TableState::default() };
        let read = |read: &[i64]| {
            let read = read.iter().map(|at| ("t1".to_string(), *at)).collect();
            TableState { read, ..silver("t1", 2) }
        };
        let decided = |own, source| decided(Some(own), Some(source), "now", OnChange::Rebuild);
        assert_eq!(decided(read(&[7]), source(Some(7))), Decision::Nothing);
        assert_eq!(decided(read(&[]), source(Some(7))), Decision::Nothing, "a table of an earlier lakesmith");
        assert_eq!(decided(read(&[7]), source(None)), Decision::Nothing, "the log no longer tells");
        assert_eq!(decided(read(&[7]), source(Some(8))), Decision::Advance { from: from(Some(2)), mixed: false });
    }

    #[test]
    fn refuses_to_read_from_the_start_into_a_table_that_has_read_before() {
        let own = TableState { watermarks: BTreeMap::new(), ..silver("b1", 2) };
        let decision = decided(Some(own), Some(bronze("b1", 2)), "now", OnChange::Rebuild);
        assert!(matches!(decision, Decision::Refuse(_)), "{decision:?}");
    }

    #[test]
    fn a_table_of_another_maker_is_not_rebuilt_unasked() {
        let theirs = TableState { id: "s".into(), ..TableState::default() };
        let decision = decided(Some(theirs), Some(bronze("b1", 2)), "now", OnChange::Rebuild);
        assert!(matches!(decision, Decision::Refuse(_)), "{decision:?}");
    }
}
