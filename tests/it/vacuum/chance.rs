//! Random histories of a silver table, its quarantine and a gold one, judged by a model that knows each version's files.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::foreign::{ByHand, add, id, remove, vacuum};
use super::*;
use crate::promises::dice::Dice;

/// One version as the model has it.
#[derive(Clone, Default)]
struct Version {
    at: DateTime<Utc>,
    files: BTreeSet<String>,
    /// of the quarantine, noted with it
    names: Option<i64>,
}

/// A history of `n` commits up to `now`, some within minutes, some weeks apart. Files that went may come back.
fn history(dice: &mut Dice, table: &ByHand, n: usize, now: DateTime<Utc>, quarantine: Option<i64>) -> Vec<Version> {
    let gaps: Vec<TimeDelta> = (0..n).map(|_| TimeDelta::hours([1, 30, 24 * 9, 24 * 25][dice.below(4)])).collect();
    let mut at = now - gaps.iter().sum::<TimeDelta>();
    let (mut versions, mut current): (Vec<Version>, Version) = (Vec::new(), Version::default());
    for (version, gap) in gaps.into_iter().enumerate() {
        let mut actions = if version == 0 { table.head(&json!({})) } else { Vec::new() };
        let gone: Vec<String> = current.files.iter().filter(|_| dice.percent(30)).cloned().collect();
        actions.extend(gone.iter().map(|name| remove(name)));
        gone.iter().for_each(|name| _ = current.files.remove(name));
        let mut come: Vec<String> =
            (0..dice.below(3)).map(|file| format!("k=a b%20c/{version}-{file}.parquet")).collect();
        come.iter().for_each(|name| table.file(name));
        let before: Vec<&Version> = versions.iter().collect();
        if let (true, Some(old)) = (dice.percent(20), before.get(dice.below(version + 1))) {
            come.extend(
                old.files.iter().filter(|name| !current.files.contains(*name) && !gone.contains(name)).cloned(),
            );
        }
        actions.extend(come.iter().map(|name| add(name)));
        current.files.extend(come);
        if let Some(newest) = quarantine.filter(|_| dice.percent(50)) {
            let named = dice.below(usize::try_from(newest + 1).unwrap());
            current.names = Some(i64::try_from(named).unwrap());
            let app = format!("lakesmith/quarantine/{}", id("quarantine/events"));
            actions.push(json!({ "txn": { "appId": app, "version": named } }));
        }
        current.at = at;
        table.commit(i64::try_from(version).unwrap(), at, &actions);
        versions.push(current.clone());
        at += gap;
    }
    versions
}

/// The versions that were the newest one at some time in the span.
fn current_within(versions: &[Version], since: DateTime<Utc>) -> BTreeSet<usize> {
    (0..versions.len()).filter(|v| versions.get(v + 1).is_none_or(|next| next.at > since)).collect()
}

fn files_of(versions: &[Version], kept: &BTreeSet<usize>) -> BTreeSet<String> {
    kept.iter().flat_map(|version| versions[*version].files.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kept_version_has_its_files_and_no_other_file_is_left() {
    for seed in 0..20 {
        let (project, mut dice, now) = (Project::small(), Dice::new(seed), Utc::now());
        let refused = ByHand::new(&project, "quarantine/events");
        let n = 1 + dice.below(8);
        let quarantine = history(&mut dice, &refused, n, now, None);
        let table = ByHand::new(&project, "silver/events");
        let n = 1 + dice.below(10);
        let mut silver = history(&mut dice, &table, n, now, Some(quarantine.len() as i64 - 1));

        // pins come with one more commit
        let mut singles: BTreeSet<usize> = (0..dice.below(3)).map(|_| dice.below(silver.len())).collect();
        let pins = singles.iter().map(|v| (format!("p{v}"), json!({ "version": v, "at": "2026-01-01T00:00:00Z" })));
        let pins = Value::Object(pins.collect()).to_string();
        let head = table.head(&json!({ "lakesmith.pins": pins }));
        table.commit(silver.len() as i64, now, &head[1..]);
        silver.push(Version { at: now, ..silver.last().unwrap().clone() });

        let below = ByHand::new(&project, "gold/totals");
        let watermark = dice.below(silver.len());
        let inputs = json!({ "silver.events": id("silver/events") }).to_string();
        let txn =
            json!({ "txn": { "appId": format!("lakesmith/from/{}", id("silver/events")), "version": watermark } });
        below.commit(0, now, &[&below.head(&json!({ "lakesmith.inputs": inputs }))[..], &[txn]].concat());
        singles.insert(watermark);

        let days = [0, 7, 30, 90][dice.below(4)];
        let since = now - TimeDelta::days(days);
        let mut kept = current_within(&silver, since);
        kept.extend(singles);
        let mut kept_refused = current_within(&quarantine, since);
        kept_refused.extend(kept.iter().filter_map(|v| usize::try_from(silver[*v].names?).ok()));

        // left by a run that died, long ago and just now
        table.file("dead.parquet");
        fs::write(table.root.join("staged.parquet"), "x").unwrap();
        let report = vacuum(&project, TimeDelta::days(days), now).await;
        assert!(report.tables.iter().all(|told| told.error.is_none()), "seed {seed}: {report:?}");
        let mut expected = files_of(&silver, &kept);
        expected.insert("staged.parquet".to_owned());
        let left: BTreeSet<String> = table.names().into_iter().collect();
        assert_eq!(left, expected, "seed {seed}, {days} days");
        let left: BTreeSet<String> = refused.names().into_iter().collect();
        assert_eq!(left, files_of(&quarantine, &kept_refused), "seed {seed}, {days} days: quarantine");
        for (folder, versions) in [("silver.events", &silver), ("quarantine.events", &quarantine)] {
            let told = report.tables.iter().find(|told| told.table == folder).unwrap();
            let left: BTreeSet<&String> =
                if folder == "silver.events" { expected.iter().collect() } else { left.iter().collect() };
            let broken = versions.iter().rposition(|v| !v.files.iter().all(|file| left.contains(file)));
            assert_eq!(told.oldest, Some(broken.map_or(0, |v| v as i64 + 1)), "seed {seed}: {folder}");
        }
    }
}
