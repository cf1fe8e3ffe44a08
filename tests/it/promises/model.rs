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

/// What definitions may say in one way or another; by default what [`super::project`] writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// silver.orders drops this status
    pub dropped: &'static str,
    /// silver.orders multiplies the total by it
    pub factor: i64,
    /// silver.visits drops this customer, and visits of nobody
    pub stranger: Option<&'static str>,
    /// silver.customers drops this region, and customers of none
    pub closed: Option<&'static str>,
    /// gold.open and gold.regulars are of this status
    pub open: &'static str,
    /// gold.by_region is of this status
    pub counted: Option<&'static str>,
}

impl Default for Rules {
    fn default() -> Self {
        Rules { dropped: "test", factor: 1, stranger: None, closed: None, open: "open", counted: None }
    }
}

/// An order that silver takes.
#[derive(Clone, Debug)]
pub struct Row {
    id: i64,
    customer: Option<String>,
    quantity: Option<i64>,
    price: Option<i64>,
    weight: Option<f64>,
    status: String,
    at: Option<i64>,
    total: Option<i64>,
}

/// A row of gold.by_customer, and what the customer spent, in cents.
pub type Spender = (Vec<String>, Option<i64>);

/// Where each event went.
#[derive(Default)]
pub struct Silver {
    pub orders: Vec<Row>,
    pub visits: Rows,
    pub customers: BTreeMap<String, Known>,
    /// by silver table: place and rules
    pub refused: BTreeMap<&'static str, Rows>,
    /// orders that a `where` drops
    pub filtered: u64,
    rules: Rules,
}

/// A customer that silver takes.
#[derive(Clone, Debug)]
pub struct Known {
    region: Option<String>,
    seen: Option<i64>,
}

impl Silver {
    /// Judges all events.
    pub fn of(events: &[Event]) -> Self {
        Silver::under(Rules::default(), events)
    }

    /// Judges all events under some rules.
    pub fn under(rules: Rules, events: &[Event]) -> Self {
        let mut silver = Silver { rules, ..Silver::default() };
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
        silver.customers = customers.into_iter().map(|(id, (_, known))| (id.to_owned(), known)).collect();
        silver.visits.sort();
        silver.refused.values_mut().for_each(|rows| rows.sort());
        silver
    }

    /// What silver holds: rows of its tables, whatever made them.
    pub fn holding(rules: Rules, orders: &Rows, customers: &Rows) -> Self {
        let orders = orders.iter().map(|row| Row::read(row)).collect();
        let customers = customers.iter().map(|row| (row[0].clone(), Known::read(row))).collect();
        Silver { rules, orders, customers, ..Silver::default() }
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
        let strange = self.rules.stranger.is_some_and(|stranger| order.customer.is_none_or(|c| c == stranger));
        match (no_id, negative) {
            _ if strange => {}
            (false, false) => self.visits.push(vec![number(id), text(order.customer), time(at)]),
            (true, false) => self.refuse("visits", event, "required"),
            (false, true) => self.refuse("visits", event, "minimum"),
            (true, true) => self.refuse("visits", event, "required minimum"),
        }
        let dropped = self.rules.dropped;
        let Some(status) = order.status.filter(|status| *status != dropped) else {
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
        let total = quantity.zip(price).map(|(n, cents)| n * cents * self.rules.factor);
        let (customer, status) = (order.customer.map(str::to_owned), status.to_owned());
        let row = Row { id, customer, quantity, price, weight, status, at, total };
        keep_latest(latest, id, (at, event.place()), row);
    }

    fn customer<'a>(
        &mut self,
        event: &Event<'a>,
        customer: &Customer,
        latest: &mut BTreeMap<&'static str, ((Option<i64>, Place<'a>), Known)>,
    ) {
        let closed = self.rules.closed.is_some_and(|closed| customer.region.is_none_or(|region| region == closed));
        let known = Known { region: customer.region.map(str::to_owned), seen: customer.seen };
        match customer.id {
            _ if closed => {}
            Some(id) => keep_latest(latest, id, (customer.seen, event.place()), known),
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
                self.customers.iter().map(|(id, c)| vec![id.clone(), text(c.region.as_deref()), time(c.seen)]).collect()
            }
            "gold/by_region" => self.by_region(),
            "gold/by_customer" => self.by_customer().into_iter().map(|(row, _)| row).collect(),
            "gold/regulars" => self.regulars(),
            "gold/ranking" => ranking(&self.by_customer()),
            "gold/open" => self.open(),
            "gold/by_status" => self.by_status(),
            other => panic!("no {other}"),
        };
        rows.sort();
        rows
    }

    fn region(&self, customer: Option<&str>) -> Option<&str> {
        self.customers.get(customer?)?.region.as_deref()
    }

    fn by_region(&self) -> Rows {
        let mut groups: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
        let counted = |row: &&Row| self.rules.counted.is_none_or(|status| row.status == status);
        for row in self.orders.iter().filter(counted) {
            let day = row.at.map(|at| at.div_euclid(1440) * 1440);
            groups.entry((self.region(row.customer.as_deref()), day)).or_default().push(row);
        }
        let row = |((region, day), rows): (_, Vec<&Row>)| {
            let buyers: BTreeSet<_> = rows.iter().filter_map(|r| r.customer.as_deref()).collect();
            vec![
                text(region),
                time(day),
                rows.len().to_string(),
                sum_cents(rows.iter().map(|r| r.total)),
                sum_doubles(rows.iter().map(|r| r.weight)),
                buyers.len().to_string(),
                time(rows.iter().filter_map(|r| r.at).max()),
            ]
        };
        groups.into_iter().map(row).collect()
    }

    /// The rows, and what each customer spent.
    fn by_customer(&self) -> Vec<Spender> {
        let mut groups: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
        self.orders.iter().for_each(|row| groups.entry(row.customer.as_deref()).or_default().push(row));
        let row = |(customer, rows): (Option<&str>, Vec<&Row>)| {
            let spent = || rows.iter().map(|r| r.total);
            let row = vec![text(customer), rows.len().to_string(), sum_cents(spent()), text(self.region(customer))];
            (row, spent().flatten().reduce(|a, b| a + b))
        };
        groups.into_iter().map(row).collect()
    }

    fn regulars(&self) -> Rows {
        let mut groups: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
        let open = self.orders.iter().filter(|row| row.status == self.rules.open);
        open.for_each(|row| groups.entry(row.customer.as_deref()).or_default().push(row));
        let regular = groups.into_iter().filter(|(_, rows)| rows.len() >= 2);
        let row = |(customer, rows): (_, Vec<&Row>)| {
            vec![text(customer), rows.len().to_string(), sum_doubles(rows.iter().map(|r| r.unit_weight()))]
        };
        regular.map(row).collect()
    }

    fn open(&self) -> Rows {
        let open = self.orders.iter().filter(|row| row.status == self.rules.open);
        let known = open.filter_map(|row| Some((row, self.customers.get(row.customer.as_deref()?)?)));
        known.map(|(row, c)| vec![text(row.customer.as_deref()), money(row.total), text(c.region.as_deref())]).collect()
    }

    fn by_status(&self) -> Rows {
        let mut groups: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        self.orders.iter().for_each(|row| groups.entry(&row.status).or_default().push(row));
        let row = |(status, rows): (&str, Vec<&Row>)| {
            let measured = rows.iter().filter(|r| r.weight.is_some()).count().to_string();
            vec![status.to_owned(), rows.len().to_string(), sum_cents(rows.iter().map(|r| r.total)), measured]
        };
        groups.into_iter().map(row).collect()
    }
}

/// The rows of gold.ranking.
pub fn ranking(customers: &[Spender]) -> Rows {
    let row = |(row, spent): &Spender| {
        let position = 1 + customers.iter().filter(|(_, other)| other > spent).count();
        vec![row[0].clone(), row[2].clone(), position.to_string()]
    };
    let mut rows: Rows = customers.iter().map(row).collect();
    rows.sort();
    rows
}

impl Known {
    fn read(row: &[String]) -> Self {
        Known { region: read_text(&row[1]), seen: read_time(&row[2]) }
    }
}

impl Row {
    fn read(row: &[String]) -> Self {
        Row {
            id: row[0].parse().unwrap(),
            customer: read_text(&row[1]),
            quantity: read_text(&row[2]).map(|n| n.parse().unwrap()),
            price: read_money(&row[3]),
            weight: read_text(&row[4]).map(|weight| weight.parse().unwrap()),
            status: row[5].clone(),
            at: read_time(&row[6]),
            total: read_money(&row[7]),
        }
    }

    fn unit_weight(&self) -> Option<f64> {
        Some(self.weight? / self.quantity? as f64)
    }

    fn texts(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            text(self.customer.as_deref()),
            number(self.quantity),
            money(self.price),
            sum_doubles([self.weight].into_iter()),
            self.status.clone(),
            time(self.at),
            money(self.total),
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

fn money(of: Option<i64>) -> String {
    of.map_or(NULL.into(), |of| cents(of.into()))
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

fn read_text(text: &str) -> Option<String> {
    (text != NULL).then(|| text.to_owned())
}

/// In cents.
pub fn read_money(text: &str) -> Option<i64> {
    read_text(text).map(|text| text.replace('.', "").parse().unwrap())
}

/// In minutes since [`EPOCH`].
fn read_time(text: &str) -> Option<i64> {
    read_text(text).map(|us| (us.parse::<i64>().unwrap() / 1_000_000 - EPOCH) / 60)
}
