//! A random life of a lake: which files arrive when, and which runs die where.

use std::collections::BTreeSet;

use super::dice::Dice;
use super::events::{Customer, Form, Order, Record};
use crate::faulty::Death;

/// What kind of project it is.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// silver.orders reads bronze.web and bronze.shop
    pub two_sources: bool,
    /// silver.orders is partitioned by customer
    pub partitioned: bool,
    /// customers come as NDJSON, else as CSV
    pub ndjson: bool,
    /// files arrive in the order of their names
    pub in_order: bool,
}

/// A landing file.
#[derive(Clone, Debug)]
pub struct File {
    /// which bronze table takes it in
    pub table: &'static str,
    /// within the landing folder
    pub path: String,
    pub form: Form,
    pub records: Vec<Record>,
}

/// Files arrive, then a run or several.
#[derive(Clone, Debug)]
pub struct Round {
    pub files: Vec<File>,
    /// the run dies
    pub death: Option<Death>,
    /// so many runs at the same time, else one
    pub at_once: usize,
    /// files that are here already are touched, without another byte
    pub touched: bool,
}

#[derive(Clone, Debug)]
pub struct History {
    pub variant: Variant,
    pub rounds: Vec<Round>,
}

/// A run of the whole project makes about so many changes.
const CHANGES: usize = 60;

impl History {
    pub fn random(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let rounds = 2 + dice.below(3);
        History::of(&mut dice, rounds)
    }

    /// A life of so many rounds.
    pub fn of(dice: &mut Dice, rounds: usize) -> Self {
        let variant = Variant {
            two_sources: dice.percent(50),
            partitioned: dice.percent(50),
            ndjson: dice.percent(50),
            in_order: dice.percent(50),
        };
        let mut arriving = Arriving { variant, names: BTreeSet::new(), sent: Vec::new() };
        let rounds = (0..rounds).map(|n| arriving.round(dice, n, n + 1 == rounds)).collect();
        History { variant, rounds }
    }
}

struct Arriving {
    variant: Variant,
    names: BTreeSet<usize>,
    /// orders that may come again
    sent: Vec<Order>,
}

impl Arriving {
    fn round(&mut self, dice: &mut Dice, n: usize, last: bool) -> Round {
        let mut files = Vec::new();
        let web = if n == 0 { 1 + dice.below(2) } else { dice.below(3) };
        for _ in 0..web {
            files.push(self.orders(dice, "web", Form::Csv));
        }
        let shop = if self.variant.two_sources { dice.below(3) } else { 0 };
        for _ in 0..shop {
            files.push(self.orders(dice, "shop", Form::Backwards));
        }
        if dice.percent(60) {
            files.push(self.customers(dice));
        }
        let death = Death { after: dice.below(CHANGES), last_arrives: dice.percent(50), blind: dice.percent(50) };
        let fate = if last { 99 } else { dice.below(100) };
        Round {
            files,
            death: (fate < 60).then_some(death),
            at_once: if (60..85).contains(&fate) { 3 } else { 1 },
            touched: dice.percent(15),
        }
    }

    fn orders(&mut self, dice: &mut Dice, table: &'static str, form: Form) -> File {
        let records = (0..dice.below(9)).map(|_| self.order(dice, form)).collect();
        File { table, path: format!("{table}/{}.csv", self.name(dice)), form, records }
    }

    fn order(&mut self, dice: &mut Dice, form: Form) -> Record {
        if dice.percent(4) {
            return Record::Torn(form.torn());
        }
        let again = !self.sent.is_empty() && dice.percent(20);
        let order = if again { dice.pick(&self.sent) } else { Order::random(dice) };
        self.sent.push(order.clone());
        Record::Order(order)
    }

    fn customers(&mut self, dice: &mut Dice) -> File {
        let (form, ending) = if self.variant.ndjson { (Form::Ndjson, "ndjson") } else { (Form::CustomersCsv, "csv") };
        let mut record = || match dice.percent(5) {
            true => Record::Torn(form.torn()),
            false => Record::Customer(Customer::random(dice)),
        };
        let records = [record(), record(), record()].into();
        File { table: "customers", path: format!("customers/{}.{ending}", self.name(dice)), form, records }
    }

    /// A name that sorts after all others, or anywhere.
    fn name(&mut self, dice: &mut Dice) -> String {
        let last = self.names.last().copied().unwrap_or(0);
        let mut name = if self.variant.in_order { last + 1 } else { dice.below(1000) };
        while !self.names.insert(name) {
            name = dice.below(1000);
        }
        format!("{name:04}")
    }
}
