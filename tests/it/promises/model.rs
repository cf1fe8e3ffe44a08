//! What silver, gold and quarantine must be, written naively: all events at once, no file, no batch, no merge.

use std::collections::{BTreeMap, BTreeSet};

use super::events::{Customer, EPOCH, Field, Order, Record};
use crate::lake::{NULL, Rows, cents};

/// A record where it stands in bronze.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// e.g. `web`
    pub table: &'a str,
    pub batch: i64,
    pub file: &'a str,
    pub row: i64,
    pub record: &'a Record,
}

/// Which event wins beside the columns of `latest_by`.
type Place<'a> = (i64, &'a str, &'a str, i64);

impl<'a> Event<'a> {
    fn place(&self) -> Place<'a> {
        (self.batch, self.table, self.file, self.row)
    }
}

/// An order that silver takes.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    id: i64,
    customer: Option<&'static str>,
    quantity: Option<i64>,
    price: Option<i64>,
    weight: Option<f64>,
    status: &'static str,
    at: Option<i64>,
}

/// Where each event went.
#[derive(Default)]
pub struct Silver {
    pub orders: Vec<Row>,
    pub visits: Rows,
    pub customers: BTreeMap<&'static str, Customer>,
    /// by silver table: place and rules
    pub refused: BTreeMap<&'static str, Rows>,
    /// orders that a `where` drops
    pub filtered: u64,
}

impl Silver {
    /// Judges all events.
    pub fn of(events: &[Event]) -> Self {
        let mut silver = Silver::default();
        let (mut orders, mut customers) = (BTreeMap::new(), BTreeMap::new());
        for event in events {
            match event.record {
                Record::Order(order) => silver.order(event, order, &mut orders),
                Record::Customer(customer) => silver.customer(event, customer, &mut customers),
                Record::Torn(_) if event.table == "customers" => silver.refuse("customers", event, "malformed"),
                Record::Torn(_) => {
                    ["orders", "visits"].map(|t| silver.refuse(t, event, "malformed")).into_iter().collect()
                }
            }
        }
        silver.orders = orders.into_values().map(|(_, row)| row).collect();
        silver.customers = customers.into_iter().map(|(id, (_, customer))| (id, customer)).collect();
        silver.visits.sort();
        silver.refused.values_mut().for_each(|rows| rows.sort());
        silver
    }

    fn order<'a>(
        &mut self,
        event: &Event<'a>,
        order: &Order,
        latest: &mut BTreeMap<i64, ((Option<i64>, Place<'a>), Row)>,
    ) {
        let casts = [&order.id, &order.quantity, &order.price_cents, &order.updated_at];
        let broken = casts.iter().filter(|field| matches!(field, Field::Broken(_))).count();
        if broken > 0 {
            let rules = vec!["type"; broken].join(" ");
            return ["orders", "visits"].map(|t| self.refuse(t, event, &rules)).into_iter().collect();
        }
        let [id, quantity, price, at] = casts.map(value);
        let (no_id, negative) = (id.is_none(), quantity.is_some_and(|n| n < 0));
        match (no_id, negative) {
            (false, false) => self.visits.push(vec![number(id), text(order.customer), time(at)]),
            (true, false) => self.refuse("visits", event, "required"),
            (false, true) => self.refuse("visits", event, "minimum"),
            (true, true) => self.refuse("visits", event, "required minimum"),
        }
        let Some(status) = order.status.filter(|status| *status != "test") else {
            self.filtered += 1;
            return;
        };
        let weight = order.weight_tenths.map(|tenths| tenths as f64 / 10.0);
        if quantity == Some(0) && weight.is_some() {
            return self.refuse("orders", event, "division by zero");
        }
        let Some(id) = id else {
            return self.refuse("orders", event, if negative { "required key minimum" } else { "required key" });
        };
        if negative {
            return self.refuse("orders", event, "minimum");
        }
        let row = Row { id, customer: order.customer, quantity, price, weight, status, at };
        keep_latest(latest, id, (at, event.place()), row);
    }

    fn customer<'a>(
        &mut self,
        event: &Event<'a>,
        customer: &Customer,
        latest: &mut BTreeMap<&'static str, ((Option<i64>, Place<'a>), Customer)>,
    ) {
        match customer.id {
            Some(id) => keep_latest(latest, id, (customer.seen, event.place()), customer.clone()),
            None => self.refuse("customers", event, "required key"),
        }
    }

    fn refuse(&mut self, silver: &'static str, event: &Event, rules: &str) {
        let place =
            [event.batch.to_string(), format!("bronze.{}", event.table), event.file.into(), event.row.to_string()];
        self.refused.entry(silver).or_default().push(place.into_iter().chain([rules.to_owned()]).collect());
    }

    /// The rows of a table, NULL where there is none, in the columns of [`super::project`].
    pub fn rows(&self, folder: &str) -> Rows {
        let mut rows: Rows = match folder {
            "silver/orders" => self.orders.iter().map(Row::texts).collect(),
            "silver/visits" => self.visits.clone(),
            "silver/customers" => {
                self.customers.values().map(|c| vec![text(c.id), text(c.region), time(c.seen)]).collect()
            }
            "gold/by_region" => self.by_region(),
            "gold/by_customer" => self.by_customer().into_iter().map(|(row, _)| row).collect(),
            "gold/regulars" => self.regulars(),
            "gold/ranking" => self.ranking(),
            "gold/open" => self.open(),
            "gold/by_status" => self.by_status(),
            other => panic!("no {other}"),
        };
        rows.sort();
        rows
    }

    fn region(&self, customer: Option<&str>) -> Option<&'static str> {
        self.customers.get(customer?)?.region
    }

    fn by_region(&self) -> Rows {
        let mut groups: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
        for row in &self.orders {
            let day = row.at.map(|at| at.div_euclid(1440) * 1440);
            groups.entry((self.region(row.customer), day)).or_default().push(row);
        }
        let row = |((region, day), rows): (_, Vec<&Row>)| {
            let buyers: BTreeSet<_> = rows.iter().filter_map(|r| r.customer).collect();
            vec![
                text(region),
                time(day),
                rows.len().to_string(),
                sum_cents(rows.iter().map(|r| r.total())),
                sum_doubles(rows.iter().map(|r| r.weight)),
                buyers.len().to_string(),
                time(rows.iter().filter_map(|r| r.at).max()),
            ]
        };
        groups.into_iter().map(row).collect()
    }

    /// The rows, and what each customer spent.
    fn by_customer(&self) -> Vec<(Vec<String>, Option<i64>)> {
        let mut groups: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
        self.orders.iter().for_each(|row| groups.entry(row.customer).or_default().push(row));
        let row = |(customer, rows): (Option<&'static str>, Vec<&Row>)| {
            let spent = || rows.iter().map(|r| r.total());
            let row = vec![text(customer), rows.len().to_string(), sum_cents(spent()), text(self.region(customer))];
            (row, spent().flatten().reduce(|a, b| a + b))
        };
        groups.into_iter().map(row).collect()
    }

    fn regulars(&self) -> Rows {
        let mut groups: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
        let open = self.orders.iter().filter(|row| row.status == "open");
        open.for_each(|row| groups.entry(row.customer).or_default().push(row));
        let regular = groups.into_iter().filter(|(_, rows)| rows.len() >= 2);
        let row = |(customer, rows): (_, Vec<&Row>)| {
            vec![text(customer), rows.len().to_string(), sum_doubles(rows.iter().map(|r| r.unit_weight()))]
        };
        regular.map(row).collect()
    }

    fn ranking(&self) -> Rows {
        let customers = self.by_customer();
        let better = |a: Option<i64>, b: Option<i64>| a > b;
        let row = |(row, spent): &(Vec<String>, Option<i64>)| {
            let position = 1 + customers.iter().filter(|(_, other)| better(*other, *spent)).count();
            vec![row[0].clone(), row[2].clone(), position.to_string()]
        };
        customers.iter().map(row).collect()
    }

    fn open(&self) -> Rows {
        let open = self.orders.iter().filter(|row| row.status == "open");
        let known = open.filter_map(|row| Some((row, self.customers.get(row.customer?)?)));
        known
            .map(|(row, c)| {
                vec![text(row.customer), row.total().map_or(NULL.into(), |t| cents(t.into())), text(c.region)]
            })
            .collect()
    }

    fn by_status(&self) -> Rows {
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        self.orders.iter().for_each(|row| *groups.entry(row.status).or_default() += 1);
        groups.into_iter().map(|(status, orders)| vec![status.to_owned(), orders.to_string()]).collect()
    }
}

impl Row {
    fn total(&self) -> Option<i64> {
        Some(self.quantity? * self.price?)
    }

    fn unit_weight(&self) -> Option<f64> {
        Some(self.weight? / self.quantity? as f64)
    }

    fn texts(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            text(self.customer),
            number(self.quantity),
            self.price.map_or(NULL.into(), |p| cents(p.into())),
            sum_doubles([self.weight].into_iter()),
            self.status.to_owned(),
            time(self.at),
            self.total().map_or(NULL.into(), |t| cents(t.into())),
            sum_doubles([self.unit_weight()].into_iter()),
        ]
    }
}

fn keep_latest<K: Ord, T: Ord, R>(latest: &mut BTreeMap<K, (T, R)>, key: K, order: T, row: R) {
    if latest.get(&key).is_none_or(|(there, _)| *there < order) {
        latest.insert(key, (order, row));
    }
}

fn value(field: &Field<i64>) -> Option<i64> {
    match field {
        Field::Value(v) => Some(*v),
        _ => None,
    }
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or(NULL).to_owned()
}

fn number(number: Option<i64>) -> String {
    number.map_or(NULL.into(), |n| n.to_string())
}

/// In microseconds since 1970, as a table has it.
fn time(minutes: Option<i64>) -> String {
    number(minutes.map(|m| (EPOCH + m * 60) * 1_000_000))
}

fn sum_cents(values: impl Iterator<Item = Option<i64>>) -> String {
    values.flatten().reduce(|a, b| a + b).map_or(NULL.into(), |sum| cents(sum.into()))
}

fn sum_doubles(values: impl Iterator<Item = Option<f64>>) -> String {
    values.flatten().reduce(|a, b| a + b).map_or(NULL.into(), |sum| format!("{sum:.6}"))
}
