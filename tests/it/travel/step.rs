//! What may happen to a lake.

use crate::faulty::Death;
use crate::promises::dice::Dice;

/// Something that happens to a lake. Numbers choose among what is there.
#[derive(Clone, Debug)]
pub enum Step {
    /// tables become what today's definitions say
    Run,
    /// this table is made anew, with those below it or alone; `from`: out of this one of bronze's versions
    Rebuild { table: usize, below: bool, from: Option<usize> },
    /// days of this table are made anew, each by itself or together
    Backfill { table: usize, below: bool, from: usize, days: usize, daily: bool },
    /// this table goes back so many versions, with those below it or alone
    Restore { table: usize, back: usize, below: bool, hold: bool },
    /// runs go on with all tables
    Release,
    /// the files of all tables are brought into order, or the rows of some too
    Optimize { z_order: bool },
    /// what nobody needs that was not the newest so many steps ago goes
    Vacuum { since: usize },
    /// a version so far back is to stay
    Pin { table: usize, back: usize },
    /// one pin less
    Unpin { pin: usize },
    /// every table is proved
    Verify,
    /// this is first done for trial
    Rehearsed(Box<Step>),
    /// one of the definitions is another
    Define,
    /// another program deletes a row
    Foreign { table: usize, row: usize },
    /// these two at the same time, knowing nothing of one another
    Together(Box<Step>, Box<Step>),
}

/// A step, and where the process that does it dies.
#[derive(Clone, Debug)]
pub struct Fate {
    pub step: Step,
    pub death: Option<Death>,
}

impl Fate {
    pub fn random(dice: &mut Dice) -> Self {
        let step = Step::random(dice);
        let Some(changes) = step.changes() else { return Fate { step, death: None } };
        let death = Death { after: dice.below(changes), last_arrives: dice.percent(50), blind: dice.percent(50) };
        Fate { step, death: dice.percent(30).then_some(death) }
    }
}

impl Step {
    fn random(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..20 => Step::Run,
            20..30 => Step::rebuild(dice),
            30..38 => Step::backfill(dice),
            38..50 => Step::restore(dice),
            50..53 => Step::Release,
            53..58 => Step::optimize(dice),
            58..65 => Step::Vacuum { since: dice.below(6) },
            65..68 => Step::Pin { table: dice.below(100), back: dice.below(5) },
            68..69 => Step::Unpin { pin: dice.below(5) },
            69..72 => Step::Verify,
            72..76 => Step::Rehearsed(Box::new(if dice.percent(40) { Step::Run } else { Step::rebuild(dice) })),
            76..88 => Step::Define,
            88..93 => Step::Foreign { table: dice.below(100), row: dice.below(100) },
            _ => Step::Together(Box::new(Step::Run), Box::new(Step::work(dice))),
        }
    }

    /// What may go on beside a run.
    fn work(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0..2 => Step::Run,
            2..5 => Step::rebuild(dice),
            5..7 => Step::backfill(dice),
            7..8 => Step::restore(dice),
            _ => Step::optimize(dice),
        }
    }

    fn rebuild(dice: &mut Dice) -> Self {
        let from = dice.percent(30).then(|| dice.below(100));
        Step::Rebuild { table: dice.below(100), below: dice.percent(60), from }
    }

    fn backfill(dice: &mut Dice) -> Self {
        let (below, daily) = (dice.percent(50), dice.percent(50));
        Step::Backfill { table: dice.below(100), below, from: dice.below(4), days: 1 + dice.below(3), daily }
    }

    fn restore(dice: &mut Dice) -> Self {
        let (below, hold) = (dice.percent(50), dice.percent(25));
        Step::Restore { table: dice.below(100), back: dice.below(5), below, hold }
    }

    fn optimize(dice: &mut Dice) -> Self {
        Step::Optimize { z_order: dice.percent(40) }
    }

    /// About how many changes it makes to the lake, if it may die.
    fn changes(&self) -> Option<usize> {
        Some(match self {
            Step::Run | Step::Rebuild { .. } | Step::Optimize { .. } => 50,
            Step::Backfill { .. } | Step::Restore { .. } | Step::Vacuum { .. } => 20,
            Step::Release | Step::Pin { .. } | Step::Unpin { .. } => 6,
            Step::Verify | Step::Rehearsed(_) | Step::Define | Step::Foreign { .. } | Step::Together(..) => {
                return None;
            }
        })
    }
}
