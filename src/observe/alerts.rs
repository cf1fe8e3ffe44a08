//! Alerts: what is amiss after a run, to webhooks.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::Finished;
use super::deliver::Post;
use crate::project::{AlertForm, Occasion, Webhook};
use crate::report::TableReport;

/// Files that are named; the rest is counted.
const FILES_NAMED: usize = 10;

/// Something that is amiss.
#[derive(Debug, PartialEq)]
pub struct Alert {
    occasion: Occasion,
    table: String,
    /// a line
    summary: String,
    /// more of it
    detail: Vec<String>,
}

/// Calls those that want to hear of what is amiss; warns of those that cannot be reached.
pub async fn send(told: &Finished<'_>, webhooks: &[Webhook]) {
    if webhooks.is_empty() {
        return;
    }
    let alerts = alerts(told);
    let calls = webhooks.iter().enumerate().map(|(number, webhook)| {
        let wanted: Vec<&Alert> = alerts.iter().filter(|alert| webhook.on.contains(&alert.occasion)).collect();
        async move {
            if wanted.is_empty() {
                return;
            }
            let body = match webhook.form {
                AlertForm::Json => as_json(told, &wanted),
                AlertForm::Slack => as_slack(told, &wanted),
            };
            let sent = match Post::new(&webhook.url, None, webhook.timeout) {
                Ok(post) => post.send(body.to_string(), webhook.timeout).await,
                Err(error) => Err(error),
            };
            if let Err(error) = sent {
                tracing::warn!(webhook = number + 1, error, "an alert could not be sent");
            }
        }
    });
    futures::future::join_all(calls).await;
}

/// All that is amiss, table by table.
fn alerts(told: &Finished) -> Vec<Alert> {
    let observe = &told.project.environment.observe;
    let mut alerts: Vec<Alert> =
        told.report.tables.iter().flat_map(|table| of_report(table, observe.quarantine_over)).collect();
    let Some(most) = observe.stale_after.and_then(|most| chrono::TimeDelta::from_std(most).ok()) else { return alerts };
    for status in told.statuses {
        let Some(changed) = status.changed_at.filter(|changed| told.at - *changed > most) else { continue };
        let hours = (told.at - changed).num_minutes() as f64 / 60.0;
        alerts.push(Alert {
            occasion: Occasion::Stale,
            table: status.table.to_string(),
            summary: format!("has not changed for {hours:.1} h"),
            detail: vec![format!("its rows changed last at {}", changed.to_rfc3339_opts(SecondsFormat::Secs, true))],
        });
    }
    alerts
}

fn of_report(table: &TableReport, quarantine_over: f64) -> Vec<Alert> {
    let alert = |occasion, summary: String, detail| Alert { occasion, table: table.table.to_string(), summary, detail };
    let mut alerts = Vec::new();
    let aside = &table.files.set_aside;
    if !aside.is_empty() {
        let mut files: Vec<String> =
            aside.iter().take(FILES_NAMED).map(|file| format!("{}: {}", file.path, file.reason)).collect();
        if aside.len() > FILES_NAMED {
            files.push(format!("… and {} more", aside.len() - FILES_NAMED));
        }
        let what = match aside.len() {
            1 => "has set 1 file aside".to_owned(),
            n => format!("has set {n} files aside"),
        };
        alerts.push(alert(Occasion::SetAside, what, files));
    } else if let Some(error) = table.error.as_ref().filter(|_| !table.is_skipped()) {
        alerts.push(alert(Occasion::Failure, "failed".into(), vec![error.clone()]));
    }
    let (refused, read) = (table.rows.quarantined as f64, table.rows.read as f64);
    if read > 0.0 && refused / read > quarantine_over {
        let share = refused / read * 100.0;
        let summary = format!("refused {share:.1} % of the rows that it read");
        let detail = format!("{} of {} rows went to quarantine", table.rows.quarantined, table.rows.read);
        alerts.push(alert(Occasion::Quarantine, summary, vec![detail]));
    }
    alerts
}

fn as_json(told: &Finished, alerts: &[&Alert]) -> Value {
    let (project, environment) = (&told.project.name, &told.project.environment.name);
    let of = |alert: &&Alert| {
        let kind = alert.occasion.as_str();
        json!({
            "kind": kind,
            "table": alert.table,
            "summary": format!("{} {}", alert.table, alert.summary),
            "detail": alert.detail,
            "key": format!("{project}/{environment}/{}/{kind}", alert.table),
        })
    };
    json!({
        "source": "lakesmith",
        "version": env!("CARGO_PKG_VERSION"),
        "project": project,
        "environment": environment,
        "command": told.command,
        "run_id": told.report.run_id,
        "status": told.report.status,
        "at": told.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "alerts": alerts.iter().map(of).collect::<Vec<_>>(),
    })
}

/// Incoming webhooks take `text` in mrkdwn: <https://api.slack.com/messaging/webhooks>.
fn as_slack(told: &Finished, alerts: &[&Alert]) -> Value {
    let (project, environment) = (escaped(&told.project.name), escaped(&told.project.environment.name));
    let mut lines = vec![format!("*lakesmith: {project} ({environment})*")];
    for alert in alerts {
        lines.push(format!("• `{}` {}", escaped(&alert.table), escaped(&alert.summary)));
        lines.extend(alert.detail.iter().map(|line| format!("    {}", escaped(line).replace('\n', "\n    "))));
    }
    lines.push(format!("run `{}`", told.report.run_id));
    json!({ "text": lines.join("\n") })
}

/// See <https://api.slack.com/reference/surfaces/formatting#escaping>.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
