//! What others are told of runs: events of lineage, metrics, alerts. Nothing fails by it, nobody waits for it.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use crate::service::Service;
use crate::support::{Project, Said};

const GOOD: &str = "id,kind,amount,at\n1,a,1,2026-01-01\n2,b,2,2026-01-01\n";
/// One row of three is none of the contract.
const BAD: &str = "id,kind,amount,at\n3,a,1,2026-01-01\n4,b,2,2026-01-01\n5,b,much,2026-01-01\n";

/// The small project, with an `observe:`.
fn observed(observe: &str) -> Project {
    let project = Project::small();
    project.write(
        "lakesmith.yaml",
        format!(
            "name: small\nenvironments:\n  dev:\n    lake: ./lake\n    landing: ./landing\n    observe:\n{observe}"
        ),
    );
    project.write("landing/events/1.csv", GOOD);
    project
}

fn run(project: &Project, variables: &[(&str, &str)]) -> Said {
    let proxies = [("NO_PROXY", "127.0.0.1"), ("OPENLINEAGE_DISABLED", "")];
    let variables: Vec<_> = proxies.iter().chain(variables).copied().collect();
    project.lakesmith_with(&variables, &["run"])
}

fn events(project: &Project) -> Vec<Value> {
    let text = std::fs::read_to_string(project.path("out/lineage.ndjson")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_table_of_a_run_begins_and_ends_in_a_file() {
    let project = observed("      openlineage: { file: out/lineage.ndjson, namespace: acme }\n");
    assert_eq!(run(&project, &[]).code, 0);
    let told: Vec<_> = events(&project).iter().map(|e| format!("{} {}", e["job"]["name"], e["eventType"])).collect();
    let both = |name: &str| [format!("\"{name}\" \"START\""), format!("\"{name}\" \"COMPLETE\"")];
    assert_eq!(told, ["bronze.events", "silver.events", "gold.totals"].map(both).concat());

    project.write("landing/events/2.csv", BAD);
    std::fs::remove_file(project.path("out/lineage.ndjson")).unwrap();
    let report = project.json(&["run"], 0);
    let all = events(&project);
    let silver = all.iter().find(|e| e["job"]["name"] == "silver.events" && e["eventType"] == "COMPLETE").unwrap();
    assert_eq!(silver["job"]["namespace"], "acme");
    assert_eq!(silver["run"]["facets"]["parent"]["run"]["runId"], report["run_id"]);
    let output = &silver["outputs"][0];
    assert_eq!(output["name"], format!("{}/silver/events", project.path("lake").canonicalize().unwrap().display()));
    assert_eq!(output["facets"]["version"]["datasetVersion"], "1");
    assert_eq!(output["outputFacets"]["outputStatistics"]["rowCount"], 2);
    assert!(output["outputFacets"]["outputStatistics"]["size"].as_u64() > Some(0));
    assert_eq!(output["facets"]["dataQualityMetrics"]["rowCount"], 4);
    assert_eq!(output["facets"]["dataQualityMetrics"]["columnMetrics"]["id"]["nullCount"], 0);
    let fields = output["facets"]["schema"]["fields"].as_array().unwrap();
    assert!(
        fields.contains(&json!({ "name": "amount", "type": "decimal(12,2)", "ordinal_position": 3 })),
        "{fields:?}"
    );
    let from = &output["facets"]["columnLineage"]["fields"]["amount"]["inputFields"][0];
    assert!(from["name"].as_str().unwrap().ends_with("/bronze/events") && from["field"] == "amount", "{from}");
    let assertions = silver["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"].as_array().unwrap();
    let of =
        |column: &str, rule: &str| assertions.iter().find(|a| a["column"] == column && a["assertion"] == rule).unwrap();
    assert_eq!((&of("amount", "type")["success"], &of("amount", "type")["actual"]), (&json!(false), &json!("1")));
    assert_eq!((&of("id", "required")["success"], &of("kind", "type")["success"]), (&json!(true), &json!(true)));

    let before = std::fs::metadata(project.path("out/lineage.ndjson")).unwrap().len();
    assert_eq!(run(&project, &[]).code, 0);
    assert_eq!(std::fs::metadata(project.path("out/lineage.ndjson")).unwrap().len(), before, "nothing was done");
}

#[test]
fn a_table_that_fails_is_told_with_the_reason() {
    let project = observed("      openlineage: { file: out/lineage.ndjson }\n");
    project.write("lake/gold/totals/_delta_log/00000000000000000000.json", "no commit");
    assert_eq!(run(&project, &[]).code, 1);
    let all = events(&project);
    let failed = all.iter().find(|e| e["eventType"] == "FAIL").unwrap();
    assert_eq!(failed["job"]["name"], "gold.totals");
    assert!(!failed["run"]["facets"]["errorMessage"]["message"].as_str().unwrap().is_empty());
    let start = all.iter().find(|e| e["eventType"] == "START" && e["job"]["name"] == "gold.totals").unwrap();
    assert_eq!(start["run"]["runId"], failed["run"]["runId"]);
}

#[test]
fn events_go_to_a_service_with_the_token() {
    let service = Service::answering("201 Created");
    let project = observed("      openlineage: { url: '${LINEAGE}', api_key: '${KEY}' }\n");
    let said = run(&project, &[("LINEAGE", &service.address), ("KEY", "hush")]);
    assert_eq!(said.code, 0, "{said:?}");
    let got = service.got();
    assert_eq!(got.len(), 6);
    assert!(got.iter().all(|(path, headers, _)| path == "/api/v1/lineage"
        && headers.contains("authorization: bearer hush")
        && headers.contains("content-type: application/json")));
    assert_eq!((&got[0].2["eventType"], &got[0].2["job"]["namespace"]), (&json!("START"), &json!("small")));
}

#[test]
fn a_service_is_known_from_the_variables_of_openlineage_too() {
    let service = Service::answering("200 OK");
    let project = Project::small();
    project.write("landing/events/1.csv", GOOD);
    let variables = [("OPENLINEAGE_URL", service.address.as_str()), ("OPENLINEAGE_ENDPOINT", "/in")];
    assert_eq!(run(&project, &variables).code, 0);
    assert_eq!(service.got().iter().filter(|(path, ..)| path == "/in").count(), 6);
}

#[test]
fn whoever_does_not_answer_fails_no_run_and_holds_none_up() {
    let service = Service::silent();
    let project = observed(
        "      openlineage: { url: '${SERVICE}', timeout: 1s }\n      alerts: { url: '${SERVICE}', timeout: 1s }\n",
    );
    project.write("landing/events/broken.csv", b"\x00\xff\xfePNG");
    let address = format!("{}/token-hush", service.address);
    let said = run(&project, &[("SERVICE", &address)]);
    assert_eq!(said.code, 1, "only the file is amiss: {said:?}");
    assert!(said.stderr.contains("an event of lineage could not be sent"), "{said:?}");
    assert!(said.stderr.contains("an alert could not be sent"), "{said:?}");
    assert!(said.stderr.contains("there was no answer within 1s"), "{said:?}");
    assert!(!said.stderr.contains("hush") && !said.stdout.contains("hush"), "{said:?}");
    let variables = [("SERVICE", "http://127.0.0.1:1")];
    let said = project.lakesmith_with(&variables, &["query", "SELECT count(*) AS n FROM gold.totals", "--json"]);
    assert!(said.stdout.contains("\"n\": 2"), "{said:?}");
}

#[test]
fn whoever_refuses_or_is_not_there_fails_no_run() {
    let service = Service::answering("500 Internal Server Error");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let project = observed("      openlineage: { url: '${A}' }\n      alerts: [{ url: '${B}' }]\n");
    project.write("landing/events/broken.csv", b"\x00\xff\xfePNG");
    let said = run(&project, &[("A", &service.address), ("B", &format!("http://{gone}/hush"))]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("the answer was 500"), "{said:?}");
    assert!(said.stderr.contains("an alert could not be sent") && !said.stderr.contains("hush"), "{said:?}");
    assert_eq!(service.got().len(), 1, "it is left alone after that");
}

#[test]
fn what_is_sent_to_an_address_that_leads_elsewhere_is_told_to_be_lost() {
    let there = Service::answering("200 OK");
    let moved = format!("301 Moved Permanently\r\nlocation: {}/services/hush?token=hush", there.address);
    let here = Service::answering(moved);
    let slash = Service::answering("308 Permanent Redirect\r\nlocation: /lineage/");
    let project = observed("      openlineage: { url: '${A}' }\n      alerts: { url: '${B}' }\n");
    project.write("landing/events/broken.csv", b"\x00\xff\xfePNG");
    let said = run(&project, &[("A", &slash.address), ("B", &here.address)]);
    assert_eq!(said.code, 1, "only the file is amiss: {said:?}");
    assert_eq!((here.got().len(), slash.got().len(), there.got().len()), (1, 1, 0));
    assert!(said.stderr.contains("the answer was 308 Permanent Redirect, to another path there"), "{said:?}");
    let told = format!("the answer was 301 Moved Permanently, to {};", there.address);
    assert!(said.stderr.contains(&told) && !said.stderr.contains("hush"), "{said:?}");
}

#[test]
fn a_service_that_is_slow_keeps_no_event_from_the_file() {
    let service = Service::answering_after(Duration::from_millis(1500), "200 OK");
    let project = observed("      openlineage: { file: out/lineage.ndjson, url: '${SERVICE}', timeout: 2s }\n");
    for table in ["a", "b", "c", "d"] {
        project
            .write(&format!("layers/bronze/{table}.yaml"), format!("source:\n  path: {table}/*.csv\n  format: csv\n"));
        project.write(&format!("landing/{table}/1.csv"), GOOD);
    }
    let said = run(&project, &[("SERVICE", &service.address)]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(events(&project).len(), 14, "{said:?}");
    assert!(said.stderr.contains("events of lineage were not sent to"), "{said:?}");
    let came = service.got().len();
    assert!(came < 14, "{said:?}");
    // the one that it was at when it was given up may count as either
    let lost = [14 - came, 15 - came].map(|n| format!("(events {n})"));
    assert!(lost.iter().any(|lost| said.stderr.contains(lost)), "{came} came: {said:?}");
}

#[test]
fn broken_rules_are_told_of_the_table_whose_rows_broke_them() {
    let project = observed("      openlineage: { file: out/lineage.ndjson }\n");
    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    project.write(
        "layers/silver/events.yaml",
        silver.replace("from: bronze.events", "from: [bronze.events, bronze.shop]"),
    );
    project.write("layers/bronze/shop.yaml", "source:\n  path: shop/*.csv\n  format: csv\n");
    project.write("landing/shop/1.csv", BAD);
    assert_eq!(run(&project, &[]).code, 0);
    let all = events(&project);
    let silver = all.iter().find(|e| e["job"]["name"] == "silver.events" && e["eventType"] == "COMPLETE").unwrap();
    let amount = |input: &Value| {
        let told = input["inputFacets"]["dataQualityAssertions"]["assertions"].as_array().unwrap().iter();
        let one = told.clone().find(|a| a["column"] == "amount" && a["assertion"] == "type").unwrap();
        (input["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned(), one["actual"].clone())
    };
    let told: Vec<_> = silver["inputs"].as_array().unwrap().iter().map(amount).collect();
    assert_eq!(told, [("events".to_owned(), json!("0")), ("shop".to_owned(), json!("1"))]);
}

#[test]
fn alerts_say_what_is_amiss() {
    let (json, slack) = (Service::answering("200 OK"), Service::answering("200 OK"));
    let project = observed(
        "      stale_after: 1h
      quarantine_over: 20%
      alerts:
        - { url: '${JSON}' }
        - { url: '${SLACK}', form: slack, on: [quarantine, set_aside, failure] }
",
    );
    let variables = [("JSON", json.address.as_str()), ("SLACK", slack.address.as_str())];
    assert_eq!(run(&project, &variables).code, 0);
    assert_eq!((json.got().len(), slack.got().len()), (0, 0), "all is well");

    project.write("landing/events/2.csv", BAD);
    project.write("landing/events/<b>&.csv", b"\x00\xff\xfePNG");
    assert_eq!(run(&project, &variables).code, 1);
    let body = &json.got()[0].2;
    let kinds: Vec<_> = body["alerts"].as_array().unwrap().iter().map(|a| (&a["kind"], &a["table"])).collect();
    let (aside, quarantine) = (json!("set_aside"), json!("quarantine"));
    assert_eq!(kinds, [(&aside, &json!("bronze.events")), (&quarantine, &json!("silver.events"))]);
    assert_eq!(
        (&body["status"], &body["project"], &body["command"]),
        (&json!("failed"), &json!("small"), &json!("run"))
    );
    assert_eq!(body["alerts"][1]["key"], "small/dev/silver.events/quarantine");
    let text = slack.got()[0].2["text"].as_str().unwrap().to_owned();
    assert!(text.contains("`silver.events` refused 33.3 % of the rows that it read"), "{text}");
    assert!(text.contains("&lt;b&gt;&amp;.csv"), "{text}");

    std::fs::remove_file(project.path("landing/events/<b>&.csv")).unwrap();
    let settings = std::fs::read_to_string(project.path("lakesmith.yaml")).unwrap();
    project.write("lakesmith.yaml", settings.replace("stale_after: 1h", "stale_after: 1s"));
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(run(&project, &variables).code, 0, "to be stale fails nothing");
    let body = &json.got()[1].2;
    let kinds: Vec<_> = body["alerts"].as_array().unwrap().iter().map(|a| a["kind"].clone()).collect();
    assert_eq!(kinds, ["stale", "stale", "stale"]);
    assert_eq!(slack.got().len(), 1, "it is not called for that");
}

#[test]
fn metrics_are_written_whole_and_of_every_run() {
    let project = observed("      metrics: { file: out/lakesmith.prom }\n");
    project.write("landing/events/2.csv", BAD);
    let sample = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let read = || std::fs::read_to_string(project.path("out/lakesmith.prom")).unwrap();
    assert_eq!(run(&project, &[]).code, 0);
    let text = read();
    let of = |metric: &str, table: &str| {
        let layer = table.split('.').next().unwrap();
        format!("lakesmith_{metric}{{project=\"small\",environment=\"dev\",table=\"{table}\",layer=\"{layer}\"}}")
    };
    assert_eq!(sample(&text, &of("table_quarantine_ratio", "silver.events")), 0.2);
    assert_eq!(sample(&text, &of("table_rows", "silver.events")), 4.0);
    assert_eq!(sample(&text, &of("table_quarantined_rows", "silver.events")), 1.0);
    assert_eq!(sample(&text, &of("table_failed", "gold.totals")), 0.0);
    assert!(sample(&text, &of("table_rows_per_second", "bronze.events")) > 0.0);
    assert!(sample(&text, &of("table_freshness_lag_seconds", "gold.totals")) >= 0.0);
    assert_eq!(sample(&text, "lakesmith_run_failed_tables"), 0.0);
    let first = sample(&text, "lakesmith_run_finished_timestamp_seconds");
    assert_eq!(run(&project, &[]).code, 0);
    assert!(sample(&read(), "lakesmith_run_finished_timestamp_seconds") > first);
    let left: Vec<_> = std::fs::read_dir(project.path("out")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["lakesmith.prom"]);
}

#[test]
fn files_that_cannot_be_written_fail_no_run() {
    let project = observed("      openlineage: { file: out/a }\n      metrics: { file: out/b }\n");
    project.write("out", "no folder");
    let said = run(&project, &[]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.stderr.matches("could not be written").count(), 2, "{said:?}");
}

#[test]
fn faults_are_told_with_their_place_and_secrets_are_not_shown() {
    let project = observed(
        "      openlinage: {}
      openlineage: { url: 'https://x.example?token=hunter2', api_key: hunter2, timeout: soon }
      alerts:
        - { url: 'https://hooks.slack.com/services/hunter2', form: teams, on: [stal] }
      quarantine_over: 200%
      metrics: {}
",
    );
    let said = project.lakesmith(&["check"]);
    assert_eq!(said.code, 2, "{said:?}");
    for words in [
        "`observe` has no key `openlinage`",
        "lakesmith.yaml:7:7",
        "`url` holds a secret in plain text",
        "`api_key` holds a secret in plain text",
        "`timeout` cannot be `soon`",
        "`form` cannot be `teams`",
        "`on` cannot be `stal`",
        "did you mean `stale`?",
        "`quarantine_over` cannot be `200%`",
        "`metrics` has no `file`",
    ] {
        assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
    }
    assert!(!said.stderr.contains("hunter2"), "{}", said.stderr);
}
