//! `lakesmith diff FROM [TO]`

use super::args::{DiffArgs, Global};
use super::failure::{Complaint, FAILED, Failure, Outcome};
use super::{difference, show, ui};
use crate::delta::{self, Lake, Side, Snapshot};
use crate::name::TableName;
use crate::project::{self, Definition, Environment, Fault, Project};
use crate::report::TableDiff;
use crate::run::{self, Comparison, compare};

pub async fn carry_out(global: &Global, args: &DiffArgs) -> Outcome {
    let project = super::project(global)?;
    let (subject, at) = subject_at(&project, &args.from)?;
    let (from, to) = match args.to.as_deref() {
        None => since(global, &project, &subject, at).await?,
        Some(text) if text.contains(['@', '.']) => {
            let to = later(&project, &subject, text)?;
            let place = Place::new(global, &project.environment)?;
            (place.snapshot(&subject, at).await?, place.snapshot(&subject, to).await?)
        }
        Some(name) => {
            let other = project::environment(&global.project, name).map_err(|faults| no_environment(name, &faults))?;
            let from = Place::new(global, &project.environment)?.snapshot(&subject, at).await?;
            let global = Global { environment: Some(name.to_owned()), ..global.clone() };
            let to = Place::new(&global, &other)?.snapshot(&subject, at).await?;
            let mut diff = answer(&global, args, subject.comparison(&project).across_lakes(), (&from, &to)).await?;
            diff.from.environment = Some(project.environment.name.clone());
            diff.to.environment = Some(other.name);
            return Ok(told(&global, args, &diff));
        }
    };
    Ok(told(global, args, &answer(global, args, subject.comparison(&project), (&from, &to)).await?))
}

/// What is compared.
enum Subject {
    Table(TableName),
    /// of this silver table
    Quarantine(TableName),
}

impl Subject {
    fn comparison(&self, project: &Project) -> Comparison {
        match self {
            Subject::Table(name) => Comparison::of(project, name),
            Subject::Quarantine(name) => Comparison::of_quarantine(name),
        }
    }

    fn name(&self) -> String {
        self.folder().replace('/', ".")
    }

    fn folder(&self) -> String {
        match self {
            Subject::Table(name) => run::folder(name),
            Subject::Quarantine(name) => run::quarantine_folder(name),
        }
    }
}

/// An environment's lake.
struct Place<'a> {
    global: &'a Global,
    lake: Lake,
}

impl<'a> Place<'a> {
    fn new(global: &'a Global, environment: &Environment) -> Result<Self, Failure> {
        let lake = Lake::open(&environment.lake, &environment.storage)?.with_memory(environment.memory());
        Ok(Place { global, lake })
    }

    /// A version, the newest if none is named.
    async fn snapshot(&self, subject: &Subject, at: Option<&str>) -> Result<Snapshot, Failure> {
        let table = self.lake.table(&subject.folder());
        let at = match at {
            Some(text) => Some(show::version(&table, text).await?),
            None => None,
        };
        let name = match subject {
            Subject::Table(name) => return show::snapshot(self.global, &self.lake, name, at).await,
            Subject::Quarantine(name) => name,
        };
        let found = match at {
            None => run::quarantined(&self.lake, name).await?,
            Some(at) => Some(table.snapshot_at(&at).await?),
        };
        found.ok_or_else(|| Failure::failed(format!("`{name}` has refused no row")))
    }
}

/// A version against the newest; the one before the newest, if none is named.
async fn since(
    global: &Global,
    project: &Project,
    subject: &Subject,
    at: Option<&str>,
) -> Result<(Snapshot, Snapshot), Failure> {
    let place = Place::new(global, &project.environment)?;
    let newest = place.snapshot(subject, None).await?;
    if at.is_none() && newest.version() == 0 {
        let error = Complaint::from(format!("`{}` has but one version", subject.name()));
        return Err(Failure::failed(error.with_hint("it can be compared with another environment: name that")));
    }
    let before = (newest.version() - 1).to_string();
    Ok((place.snapshot(subject, Some(at.unwrap_or(&before))).await?, newest))
}

/// Reads `silver.orders@3`, or `quarantine.orders@3`.
fn subject_at<'a>(project: &Project, text: &'a str) -> Result<(Subject, Option<&'a str>), Failure> {
    let (of, at) = text.split_once('@').map_or((text, None), |(of, at)| (of, Some(at)));
    let Some(quarantine) = of.strip_prefix("quarantine.") else {
        return Ok((Subject::Table(show::known(project, of)?), at));
    };
    let name = show::known(project, &format!("silver.{quarantine}"))?;
    match project.tables.get(&name).map(|table| &table.definition) {
        Some(Definition::Silver(_)) => Ok((Subject::Quarantine(name), at)),
        _ => {
            let error = Complaint::from(format!("`{name}` has no quarantine"));
            Err(Failure::wrong(error.with_hint("silver tables that read bronze refuse rows")))
        }
    }
}

/// Reads the second argument, `silver.orders@5` or `@5`, of the same table.
fn later<'a>(project: &Project, subject: &Subject, text: &'a str) -> Result<Option<&'a str>, Failure> {
    if let Some(version) = text.strip_prefix('@') {
        return Ok(Some(version));
    }
    let (other, at) = subject_at(project, text)?;
    if other.name() == subject.name() {
        return Ok(at);
    }
    let error = format!("`{}` and `{}` are two tables; versions of one are compared", subject.name(), other.name());
    Err(Failure::wrong(error))
}

/// The second argument is neither a table nor an environment.
fn no_environment(text: &str, faults: &[Fault]) -> Failure {
    let mut failure = Failure::project(faults);
    for error in &mut failure.errors {
        let hint = error.hint.take().map(|hint| format!("{hint}; ")).unwrap_or_default();
        error.hint = Some(format!("{hint}a version is written silver.orders@5 or @5, not `{text}`"));
    }
    failure
}

async fn answer(
    global: &Global,
    args: &DiffArgs,
    how: Comparison,
    (from, to): (&Snapshot, &Snapshot),
) -> Result<TableDiff, Failure> {
    let how = Comparison { sample: args.limit, totals: args.totals, ..how };
    compare(&Side::from(from), &Side::from(to), &how).await.map_err(|error| match error {
        run::Error::Delta(delta::Error::Gone { what, .. }) => {
            let hint = format!("versions: {}", ui::command(global, &format!("history {}", how.table)));
            Failure::failed(Complaint::from(format!("`{}`: {what}", how.table)).with_hint(hint))
        }
        other => other.into(),
    })
}

/// Prints the answer; gives the exit code.
fn told(global: &Global, args: &DiffArgs, diff: &TableDiff) -> u8 {
    if global.json {
        ui::answer_json(diff);
    } else {
        difference::print(diff);
        if !global.quiet {
            ui::tell(&difference::read(diff));
        }
    }
    if args.exit_code && diff.differs() { FAILED } else { 0 }
}
