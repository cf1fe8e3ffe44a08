//! No credential is told: a canary stands wherever one may be given, everything is run at the most talkative, and then
//! it is looked for in all that was printed and stored.

use std::path::Path;

use crate::support::Project;

const CANARY: &str = "cAnArY";

/// Variables that hold credentials, as the chains of the clouds read them, and some of the user's own.
const VARIABLES: [&str; 12] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_CLIENT_SECRET",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_CONNECTION_STRING",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "SHOP_PASSWORD",
    "SHOP_TOKEN",
    "SHOP_OTHER",
    "SHOP_SIGNATURE",
];

const COMMANDS: [&[&str]; 17] = [
    &["check"],
    &["plan"],
    &["plan", "--json"],
    &["run"],
    &["run", "--json"],
    &["run", "--dry-run"],
    &["status"],
    &["status", "--json"],
    &["files"],
    &["history", "silver.events"],
    &["show", "silver.events"],
    &["query", "SELECT * FROM lakesmith.runs"],
    &["query", "SELECT * FROM lakesmith.ledger", "--json"],
    &["quarantine", "silver.events"],
    &["verify", "--deep", "--json"],
    &["rebuild", "silver", "--yes", "--json"],
    &["vacuum", "--dry-run"],
];

fn settings(lake: &str, landing: &str) -> String {
    format!(
        "name: small\nenvironment: dev\nenvironments:\n  dev:\n    lake: \"{lake}\"\n    landing: \"{landing}\"\n    \
         storage:\n      aws_access_key_id: \"${{AWS_ACCESS_KEY_ID}}\"\n      aws_secret_access_key: \
         \"${{AWS_SECRET_ACCESS_KEY}}\"\n      aws_session_token: \"${{AWS_SESSION_TOKEN}}\"\n      aws_region: \
         us-east-1\n      aws_endpoint_url: http://127.0.0.1:1\n      aws_allow_http: \"true\"\n      azure_sas: \
         \"${{AZURE_STORAGE_SAS_KEY}}\"\n      other: \"${{SHOP_OTHER}}\"\n      max_retries: \"0\"\n      \
         retry_timeout: 1s\n      timeout: 1s\n"
    )
}

fn value(name: &str) -> String {
    format!("{CANARY}/{name}+{CANARY}=")
}

/// What a command says, and that no variable's value is in it, however it is written.
fn assert_silent(project: &Project, command: &[&str]) {
    let values: Vec<(&str, String)> = VARIABLES.iter().map(|name| (*name, value(name))).collect();
    let mut env: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    env.push(("LAKESMITH_LOG", "lakesmith=trace,deltalake=trace,object_store=trace,hyper_util=trace,reqwest=trace"));
    let said = project.lakesmith_with(&env, command);
    for (what, text) in [("stdout", &said.stdout), ("stderr", &said.stderr)] {
        assert!(!text.contains(CANARY), "{command:?}: {what} tells it: {}", around(text));
    }
}

fn around(text: &str) -> String {
    let line = text.lines().find(|line| line.contains(CANARY)).unwrap_or_default();
    line.chars().take(600).collect()
}

/// In no file as its bytes are; what is packed was asked for by `query`.
fn assert_not_stored(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_not_stored(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
            assert!(!found, "{} holds it", path.display());
        }
    }
}

#[test]
fn a_canary_in_every_credential_is_nowhere_to_be_seen() {
    let project = Project::small();
    project.write("landing/events/1.csv", "id,kind,amount,at\n1,a,1.10,\nx,b,2.20,\n");
    project.write("landing/events/2.csv.gz", "no gzip");
    project.write("lakesmith.yaml", settings("./lake", "./landing"));
    for command in COMMANDS {
        assert_silent(&project, command);
    }
    // what fails says where, and the place holds a password or a token
    for place in [
        "https://user:${SHOP_PASSWORD}@127.0.0.1:1/place",
        "s3://user:${SHOP_PASSWORD}@bucket/place",
        "s3://bucket/place",
        "https://account.blob.core.windows.net/place?sv=1&sig=${SHOP_SIGNATURE}",
        "foo://user:${SHOP_TOKEN}@[bad",
    ] {
        project.write("lakesmith.yaml", settings("./lake", place));
        for command in [&["run"][..], &["plan", "--json"]] {
            assert_silent(&project, command);
        }
        project.write("lakesmith.yaml", settings(place, "./landing"));
        for command in [&["run"][..], &["status", "--json"]] {
            assert_silent(&project, command);
        }
    }
    // a project file that is wrong right where they stand
    for wrong in
        ["      aws_secret: [\"${SHOP_TOKEN}\"]\n", "      \"${SHOP_TOKEN}\": {\n", "      key: ${SHOP_TOKEN\n"]
    {
        project.write("lakesmith.yaml", settings("./lake", "./landing") + wrong);
        assert_silent(&project, &["check"]);
        assert_silent(&project, &["run", "--json"]);
    }
    project.write("lakesmith.yaml", settings("./lake", "./landing"));
    assert_silent(&project, &["query", "SELECT * FROM lakesmith.runs", "--json"]);
    assert_silent(&project, &["query", "SELECT * FROM lakesmith.ledger", "--json"]);
    assert_silent(&project, &["query", "SELECT * FROM quarantine.events", "--json"]);
    assert_not_stored(&project.path("lake"));
}
