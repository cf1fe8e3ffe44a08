//! What a backfill must make of a table, written naively.

use std::collections::{BTreeMap, BTreeSet};

use crate::lake::NULL;
use crate::promises::dice::Dice;

/// The text of a field, and whether it fits its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    Null,
    Value(i64),
    Broken,
}

/// One line of a landing file.
#[derive(Clone, Debug)]
pub struct Event {
    pub table: &'static str,
    pub batch: i64,
    pub file: String,
    pub row: i64,
    id: Field,
    status: &'static str,
    amount: Field,
    /// hours since 2026-10-01, by the one definition and by the other
    at: [Field; 2],
    updated: Field,
}

/// What decides over the rows.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// which rows a `where` drops
    pub dropped: &'static str,
    pub minimum: i64,
    pub factor: i64,
    /// which column is the event time
    pub time: usize,
    pub keyless: bool,
}

/// A row as text: its values, then batch, table, file and row.
pub type Row = Vec<String>;
/// Batch, table, file and row of an event, as text.
pub type Place = Vec<String>;

/// A table and its quarantine.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub rows: BTreeSet<Row>,
    /// with the kind of rule
    pub refused: BTreeMap<Place, &'static str>,
}

/// How many of a row's columns are values.
pub const VALUES: usize = 6;
const AT: usize = 4;
/// 2026-10-01 in hours since 1970
const EPOCH: i64 = 497_448;

impl Event {
    pub fn random(dice: &mut Dice, timed: bool) -> Self {
        let mut field = |percent: usize, value: i64| match dice.below(100) {
            n if n < percent => Field::Null,
            n if n < 2 * percent => Field::Broken,
            _ => Field::Value(value),
        };
        let (mut id, mut amount) = (field(6, 0), field(6, 0));
        let mut at = if timed { [Field::Value(0), Field::Value(0)] } else { [field(8, 0), field(8, 0)] };
        let mut updated = field(0, 0);
        let fill = |field: &mut Field, value: usize| {
            if let Field::Value(it) = field {
                *it = value as i64;
            }
        };
        fill(&mut id, 1 + dice.below(6));
        fill(&mut amount, dice.below(9));
        fill(&mut updated, dice.below(3));
        let hour = dice.below(8 * 24);
        fill(&mut at[0], hour);
        // Most events stay where they are under the other definition.
        let other = if dice.percent(70) { hour } else { dice.below(8 * 24) };
        fill(&mut at[1], other);
        let status = dice.pick(&["open", "open", "open", "test", "void", ""]);
        Event { table: "", batch: 0, file: String::new(), row: 0, id, status, amount, at, updated }
    }

    /// The line of the landing file.
    pub fn line(&self) -> String {
        let time = |field: &Field| match field {
            Field::Value(hours) => instant(*hours),
            other => number(other),
        };
        let [at, at2] = &self.at;
        let fields =
            [number(&self.id), self.status.into(), number(&self.amount), time(at), time(at2), number(&self.updated)];
        fields.join(",") + "\n"
    }

    fn place(&self) -> Place {
        vec![self.batch.to_string(), format!("bronze.{}", self.table), self.file.clone(), self.row.to_string()]
    }
}

pub const HEADER: &str = "id,status,amount,at,at2,updated\n";

fn number(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Value(value) => value.to_string(),
        Field::Broken => "?".into(),
    }
}

fn instant(hours: i64) -> String {
    let instant = chrono::DateTime::from_timestamp((EPOCH + hours) * 3600, 0).unwrap();
    instant.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn value(field: &Field) -> Option<i64> {
    match field {
        Field::Value(value) => Some(*value),
        _ => None,
    }
}

fn text(value: Option<i64>) -> String {
    value.map_or(NULL.into(), |value| value.to_string())
}

impl Definition {
    /// What tells the rows of the table apart.
    fn key(&self, event: &Event) -> Option<Row> {
        if self.keyless { Some(event.place()) } else { value(&event.id).map(|id| vec![id.to_string()]) }
    }

    fn key_of(&self, row: &Row) -> Row {
        if self.keyless { row[VALUES..].to_vec() } else { row[..1].to_vec() }
    }

    /// A good row, the kind of rule that a refused one breaks, or nothing.
    fn judge(&self, event: &Event) -> Result<Row, Option<&'static str>> {
        let at = &event.at[self.time];
        if [&event.id, &event.amount, at].contains(&&Field::Broken) {
            return Err(Some("type"));
        }
        if event.status.is_empty() || event.status == self.dropped {
            return Err(None);
        }
        let (id, amount, at) = (value(&event.id), value(&event.amount), value(at));
        if id.is_none() || amount.is_some_and(|amount| amount < self.minimum) {
            return Err(Some("rule"));
        }
        let at = at.map(|hours| (EPOCH + hours) * 3_600_000_000);
        let total = amount.map(|amount| amount * self.factor);
        let values = [text(id), event.status.into(), text(amount), text(total), text(at), text(value(&event.updated))];
        Ok(values.into_iter().chain(event.place()).collect())
    }

    fn order<'a>(&self, event: &'a Event) -> (Option<i64>, i64, &'a str, &'a str, i64) {
        (value(&event.updated), event.batch, event.table, &event.file, event.row)
    }

    /// What a backfill of the hours from `from` up to `to` makes of a table that has read these events.
    pub fn backfill(&self, before: &State, events: &[Event], (from, to): (i64, i64), several: bool) -> State {
        let in_range = |hours: Option<i64>| hours.is_some_and(|hours| from <= hours && hours < to);
        let is_due = |event: &&Event| in_range(value(&event.at[self.time]));
        let row_in_range = |row: &&Row| in_range(row[AT].parse::<i64>().ok().map(|us| us / 3_600_000_000 - EPOCH));
        let present: Vec<&Row> = before.rows.iter().filter(row_in_range).collect();
        let places: BTreeSet<Place> = present.iter().map(|row| row[VALUES..].to_vec()).collect();
        let due: BTreeSet<Place> = events.iter().filter(is_due).map(Event::place).collect();
        let taken = |event: &&Event| due.contains(&event.place()) || places.contains(&event.place());
        let mut keys: BTreeSet<Row> = events.iter().filter(taken).filter_map(|event| self.key(event)).collect();
        keys.extend(present.iter().map(|row| self.key_of(row)));
        let judged: Vec<&Event> =
            events.iter().filter(|e| taken(e) || self.key(e).is_some_and(|key| keys.contains(&key))).collect();

        let mut after = before.clone();
        after.refused.retain(|place, _| !judged.iter().any(|event| event.place() == *place));
        let mut winners: BTreeMap<Row, (&Event, Row)> = BTreeMap::new();
        for event in judged {
            match self.judge(event) {
                Err(kind) => after.refused.extend(kind.map(|kind| (event.place(), kind))),
                Ok(row) => {
                    let key = self.key(event).unwrap();
                    if winners.get(&key).is_none_or(|(other, _)| self.order(other) < self.order(event)) {
                        winners.insert(key, (event, row));
                    }
                }
            }
        }
        after.rows.retain(|row| !keys.contains(&self.key_of(row)));
        for (key, (_, row)) in winners {
            // What differs in where it came from alone stays, unless that decides over later events.
            let there = before.rows.iter().find(|there| self.key_of(there) == key);
            let same = there.filter(|there| !several && there[..VALUES] == row[..VALUES]);
            after.rows.insert(same.cloned().unwrap_or(row));
        }
        after
    }
}
