//! Definitions between which the tables go back and forth, and what each means to the model.

use crate::promises::dice::Dice;
use crate::promises::history::Variant;
use crate::promises::model::Rules;
use crate::support::Project;

/// Which of its definitions each table follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definitions {
    /// 1 drops another status, 2 has other totals, another type and one column more
    orders: usize,
    visits: usize,
    customers: usize,
    gold: usize,
    /// silver.orders and silver.visits keep old rows as they are when their definition changes
    forward_only: bool,
}

impl Definitions {
    pub fn first() -> Self {
        Definitions { orders: 0, visits: 0, customers: 0, gold: 0, forward_only: false }
    }

    /// One of them is another.
    pub fn other(self, dice: &mut Dice) -> Self {
        let next = |of: usize, dice: &mut Dice, n: usize| (of + 1 + dice.below(n - 1)) % n;
        let mut new = self;
        match dice.below(6) {
            0..3 => new.orders = next(self.orders, dice, 3),
            3 => new.visits = next(self.visits, dice, 2),
            4 => new.customers = next(self.customers, dice, 2),
            _ => new.gold = next(self.gold, dice, 2),
        }
        // Rows of two schemas cannot stand side by side.
        new.forward_only = new.orders < 2 && self.orders < 2 && dice.percent(25);
        new
    }

    pub fn rules(self) -> Rules {
        Rules {
            dropped: ["test", "paid", "test"][self.orders],
            factor: [1, 1, 2][self.orders],
            stranger: [None, Some("c1")][self.visits],
            closed: [None, Some("south")][self.customers],
            open: ["open", "paid"][self.gold],
            counted: [None, Some("open")][self.gold],
        }
    }

    /// Writes them where [`crate::promises::project::write`] has written its own.
    pub fn write(self, project: &Project, variant: Variant) {
        let rules = self.rules();
        let from = if variant.two_sources { "[bronze.shop, bronze.web]" } else { "bronze.web" };
        let on_change = if self.forward_only { "on_change: forward_only\n" } else { "" };
        let common = format!("from: {from}\ncontract: schemas/orders.odcs.yaml\nevent_time: updated_at\n{on_change}");
        let partitions = if variant.partitioned { "partition_by: [customer_id]\n" } else { "" };
        let derived = match self.orders {
            2 => "total: 'cast(quantity * price * 2 as decimal(30,2))', doubled: quantity * 2",
            _ => "total: quantity * price",
        };
        let dropped = rules.dropped;
        let orders = format!(
            "{common}{partitions}key: [order_id]\nlatest_by: [updated_at]\nsteps:\n  - where: status <> '{dropped}'\n  \
             - derive: {{ {derived}, unit_weight: weight / quantity }}\n"
        );
        project.write("layers/silver/orders.yaml", orders);
        let only = rules.stranger.map_or(String::new(), |who| format!("  - where: customer_id <> '{who}'\n"));
        let visits = format!("{common}steps:\n{only}  - select: [order_id, customer_id, updated_at]\n");
        project.write("layers/silver/visits.yaml", visits);
        let open = rules.closed.map_or(String::new(), |region| format!("steps:\n  - where: region <> '{region}'\n"));
        project.write("layers/silver/customers.yaml", format!("{CUSTOMERS}{open}"));
        let counted = rules.counted.map_or(String::new(), |status| format!("  - where: status = '{status}'\n"));
        project.write("layers/gold/by_region.yaml", BY_REGION.replace("<where>", &counted));
        project.write("layers/gold/open.yaml", OPEN.replace("<status>", rules.open));
        // One table less to wait for.
        let _ = std::fs::remove_file(project.path("layers/gold/regulars.yaml"));
    }
}

const CUSTOMERS: &str = "from: bronze.customers
contract: schemas/customers.odcs.yaml
key: [customer_id]
latest_by: [seen]
event_time: seen
";

const BY_REGION: &str = "from: silver.orders
event_time: day
steps:
<where>  - join: { with: silver.customers, on: customer_id, how: left, columns: [region] }
  - group_by: { region: region, day: \"date_trunc('day', updated_at)\" }
    aggregate:
      orders: count(*)
      revenue: sum(total)
      weight: sum(weight)
      buyers: count(distinct customer_id)
      latest: max(updated_at)
";

const OPEN: &str = "from: silver.orders
steps:
  - where: status = '<status>'
  - join: { with: silver.customers, on: customer_id, columns: [region] }
  - select: [customer_id, total, region]
";
