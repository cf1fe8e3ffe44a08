//! The page of a project, as data: what it tells, and that it tells it whatever state the lake is in.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::Project;

const EVENTS: &str = "id,kind,amount,at
1,a,1.10,2026-01-01T00:00:00Z
2,b,2.20,2026-01-01T00:00:00Z
3,c,1.005,2026-01-01T00:00:00Z
";

fn made() -> Project {
    let project = Project::small();
    project.write("landing/events/1.csv", EVENTS);
    project.run(0);
    project
}

/// What the page tells.
fn told(html: &str) -> Value {
    let (_, rest) = html.split_once("<script type=\"application/json\" id=\"docs\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn docs(project: &Project, code: i32) -> Value {
    let said = project.lakesmith(&["docs"]);
    assert_eq!(said.code, code, "{said:?}");
    told(&std::fs::read_to_string(project.path("site/index.html")).unwrap())
}

fn table<'d>(docs: &'d Value, name: &str) -> &'d Value {
    docs["tables"].as_array().unwrap().iter().find(|table| table["table"] == name).unwrap()
}

#[test]
fn a_table_is_told_with_its_definition_its_lineage_and_its_past() {
    let project = made();
    project.write(
        "landing/events/2.csv",
        "id,kind,amount,at\n1,a,5.00,2026-01-02T00:00:00Z\n4,a,1.00,2026-01-03T00:00:00Z\n",
    );
    project.run(0);
    let before = project.lake_files();
    let docs = docs(&project, 0);
    assert_eq!(project.lake_files(), before);
    assert_eq!(
        (&docs["project"], &docs["lake"], &docs["lake_exists"]),
        (&json!("small"), &json!("./lake"), &json!(true))
    );

    let silver = table(&docs, "silver.events");
    assert_eq!(silver["state"], "current", "{silver}");
    assert_eq!(silver["key"], json!(["id"]));
    assert_eq!(silver["inputs"], json!([{ "table": "bronze.events", "unit": "batch", "read": 2, "newest": 2 }]));
    assert_eq!(silver["event_range"][1], "2026-01-03T00:00:00.000Z");
    let files: Vec<_> = silver["written"].as_array().unwrap().iter().map(|file| file["path"].clone()).collect();
    assert_eq!(files, ["layers/silver/events.yaml", "schemas/events.odcs.yaml"]);
    let columns = silver["columns"].as_array().unwrap();
    assert_eq!(columns[0]["rules"], json!(["required"]));
    assert_eq!((&columns[2]["name"], &columns[2]["type"]), (&json!("amount"), &json!("decimal(12,2)")));
    assert_eq!(columns[2]["from"], json!([["bronze.events", "amount"]]));
    assert_eq!(columns.last().unwrap()["only"], "lineage");

    let versions = silver["versions"].as_array().unwrap();
    let rows: Vec<_> = versions.iter().map(|version| version["rows"].clone()).collect();
    assert_eq!(rows, [json!(3), json!(2)], "{versions:?}");
    assert!(versions.iter().all(|version| version["bytes"].as_u64().unwrap() > 0));
    assert_eq!(versions[1]["counts"]["quarantined"], 1);

    let refused = &silver["quarantine"];
    assert_eq!(refused["rows"], 1);
    assert_eq!(refused["by_reason"], json!([{ "of": ["amount", "type"], "rows": 1 }]));
    assert_eq!(refused["by_file"], json!([{ "of": ["events/1.csv"], "rows": 1 }]));
    assert_eq!(refused["by_day"].as_array().unwrap().len(), 1);
    assert!(!docs.to_string().contains("1.005"), "no value of a row is told");

    let gold = table(&docs, "gold.totals");
    let columns: Vec<_> = gold["columns"].as_array().unwrap().iter().map(|c| (&c["name"], &c["from"])).collect();
    assert_eq!(columns[1], (&json!("events"), &json!([])), "a count reads no column");
    assert_eq!(columns[2], (&json!("amount"), &json!([["silver.events", "amount"]])));
    assert_eq!(table(&docs, "bronze.events")["files"]["counts"], json!({ "taken": 2 }));

    let runs = docs["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 6, "two runs of three tables");
    assert!(runs[0]["started_at"].as_str().unwrap() >= runs[5]["started_at"].as_str().unwrap());
    assert!(runs.iter().all(|line| line["seconds"].is_number()), "{runs:?}");
}

#[test]
fn what_is_stale_set_aside_or_about_to_come_is_told_with_its_reason() {
    let project = made();
    project.write("landing/events/2.csv", EVENTS);
    let states = |docs: &Value| -> Vec<Value> {
        docs["tables"].as_array().unwrap().iter().map(|table| table["state"].clone()).collect()
    };
    let waiting = docs(&project, 0);
    assert_eq!(states(&waiting), ["behind", "behind", "behind"]);
    assert_eq!(table(&waiting, "bronze.events")["reasons"], json!(["a run has something to do: 1 new file"]));

    project.write("landing/events/broken.csv", b"\x00\xff\xfePNG");
    project.run(1);
    let definition = std::fs::read_to_string(project.path("layers/gold/totals.yaml")).unwrap();
    project.write("layers/gold/totals.yaml", definition.replace("sum(amount)", "max(amount)"));
    let docs = docs(&project, 0);
    assert_eq!(states(&docs), ["failed", "current", "stale"]);
    assert_eq!(table(&docs, "gold.totals")["reasons"], json!(["stale: its definition changed"]));
    let reason = table(&docs, "bronze.events")["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("events/broken.csv is set aside: "), "{reason}");
}

#[test]
fn a_project_without_a_lake_has_a_page() {
    let project = Project::small();
    let docs = docs(&project, 0);
    assert_eq!(docs["lake_exists"], false);
    assert_eq!(table(&docs, "silver.events")["state"], "missing");
    assert_eq!(table(&docs, "silver.events")["columns"].as_array().unwrap().len(), 4);
    assert!(!project.path("lake").exists());
}

#[test]
fn a_table_that_cannot_be_read_says_so_and_the_others_are_told_of() {
    let project = made();
    project.write("lake/silver/events/_delta_log/00000000000000000000.json", "{ damaged");
    let docs = docs(&project, 1);
    let silver = table(&docs, "silver.events");
    assert_eq!(silver["state"], "unreadable");
    assert!(silver["reasons"][0].as_str().unwrap().starts_with("cannot be read: "), "{silver}");
    assert_eq!(silver["columns"].as_array().unwrap().len(), 4, "its definition is told all the same");
    assert_eq!(table(&docs, "bronze.events")["state"], "current");
    assert_eq!(table(&docs, "gold.totals")["versions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_part_that_cannot_be_read_hides_no_other() {
    let project = made();
    for folder in ["lake/quarantine/events", "lake/_lakesmith/ledger", "lake/_lakesmith/runs"] {
        let files = std::fs::read_dir(project.path(folder)).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).for_each(|path| std::fs::remove_file(path).unwrap());
    }
    let docs = docs(&project, 1);
    let reason = |name: &str| table(&docs, name)["reasons"][0].as_str().unwrap().to_owned();
    assert!(reason("silver.events").starts_with("its quarantine cannot be read: "), "{}", reason("silver.events"));
    assert!(reason("bronze.events").starts_with("the ledger of its files cannot be read: "));
    for name in ["bronze.events", "silver.events"] {
        assert_eq!(table(&docs, name)["state"], "unreadable");
        assert_eq!(table(&docs, name)["versions"].as_array().unwrap().len(), 1);
    }
    assert_eq!(docs["notes"].as_array().unwrap().len(), 2, "{}", docs["notes"]);
}

#[test]
fn people_are_told_where_it_is() {
    let project = made();
    let said = project.lakesmith(&["docs"]);
    let begin = format!("wrote {}/site/index.html (3 tables, ", project.root().display());
    assert!(said.stdout.starts_with(&begin) && said.stdout.ends_with(" kB)\n"), "{said:?}");
    assert_eq!(said.stderr, "");
}

#[test]
fn the_page_is_replaced_as_a_whole_and_never_stands_in_the_lake() {
    let project = made();
    let said = project.json(&["docs", "--out", project.path("web/deep").to_str().unwrap()], 0);
    let file = project.path("web/deep/index.html");
    assert_eq!(said["file"], file.to_str().unwrap());
    assert_eq!(said["bytes"].as_u64().unwrap(), file.metadata().unwrap().len());
    std::fs::write(&file, "an old page").unwrap();
    project.json(&["docs", "--out", project.path("web/deep").to_str().unwrap()], 0);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("<!doctype html>"));
    assert_eq!(std::fs::read_dir(project.path("web/deep")).unwrap().count(), 1, "nothing else is left there");
    for within in ["lake", "lake/silver/../docs", "landing/events"] {
        let said = project.lakesmith(&["docs", "--out", project.path(within).to_str().unwrap()]);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.stderr.contains("hint: `--out DIR` names another folder"), "{said:?}");
    }
    assert!(!project.path("lake/docs").exists());
}

#[cfg(unix)]
#[test]
fn a_page_is_for_whoever_the_umask_allows() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::small();
    docs(&project, 0);
    project.write("plain", "");
    let mode = |path: &str| project.path(path).metadata().unwrap().permissions().mode();
    assert_eq!(mode("site/index.html"), mode("plain"));
}

fn answer(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[cfg(unix)]
#[test]
fn a_browser_gets_the_page_anew_at_each_reload_until_ctrl_c() {
    let project = made();
    let before = project.lake_files();
    let mut server = project.start(&["docs", "--serve", "127.0.0.1:0"]);
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let address = url.trim().strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
    let get = format!("GET / HTTP/1.1\nHost: {address}\n\n");

    let page = answer(&address, &get);
    assert!(page.starts_with("HTTP/1.1 200 OK"), "{}", &page[..200]);
    assert!(page.contains("Content-Security-Policy: default-src 'none'"));
    assert_eq!(table(&told(&page), "gold.totals")["state"], "current");
    let definition = std::fs::read_to_string(project.path("layers/gold/totals.yaml")).unwrap();
    project.write("layers/gold/totals.yaml", definition.replace("sum(amount)", "max(amount)"));
    assert_eq!(table(&told(&answer(&address, &get)), "gold.totals")["state"], "stale");
    project.write("layers/gold/totals.yaml", "from: nowhere\n");
    let broken = answer(&address, &get);
    assert!(broken.starts_with("HTTP/1.1 500") && broken.contains("layers/gold/totals.yaml"), "{broken}");

    assert!(answer(&address, "GET / HTTP/1.1\nHost: evil.example\n\n").starts_with("HTTP/1.1 403"));
    assert!(answer(&address, &get.replace("GET / ", "GET /etc/passwd ")).starts_with("HTTP/1.1 404"));
    assert!(answer(&address, &get.replace("GET", "DELETE")).starts_with("HTTP/1.1 405"));
    assert!(answer(&address, &get.replace("GET", "HEAD")).ends_with("\r\n\r\n"));

    Command::new("kill").args(["-INT", &server.id().to_string()]).status().unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(130));
    assert_eq!(project.lake_files(), before);
    assert!(!project.path("site").exists());
}
