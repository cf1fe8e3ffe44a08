use super::*;
use crate::memory::Memory;

const FILE: &str = "lakesmith.yaml";

fn loaded_with(text: &str, environment: Option<&str>, vars: &[(&str, &str)]) -> Result<Project, Vec<String>> {
    let dir = shop(&[(FILE, text)]);
    let lookup = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    load_with(dir.path(), environment, &first_lines, &lookup).map_err(|faults| shown(&faults))
}

#[test]
fn a_missing_file_is_a_fault() {
    assert_eq!(
        faults(&[(FILE, "")]),
        [
            "lakesmith.yaml:1:1 there is no `lakesmith.yaml` | run lakesmith in the project's folder, or name it with `-C DIR`"
        ]
    );
}

#[test]
fn all_faults_of_the_file_are_told() {
    let text = "nam: shop
timezone: Europe/Pari
environment: de
environments:
  dev: { lake: ./lake, landing: [a], storag: {} }
  prod: ./lake
";
    assert_eq!(
        faults(&[(FILE, text)]),
        [
            "lakesmith.yaml:1:1 `lakesmith.yaml` has no key `nam` | did you mean `name`?",
            "lakesmith.yaml:1:1 `lakesmith.yaml` has no `name` | a name for the project, e.g. `name: shop`",
            "lakesmith.yaml:2:11 `Europe/Pari` is no time zone | did you mean `Europe/Paris`?",
            "lakesmith.yaml:3:14 there is no environment `de` | did you mean `dev`?",
            "lakesmith.yaml:5:33 `landing` must be text, but here is a list",
            "lakesmith.yaml:5:38 environment `dev` has no key `storag` | did you mean `storage`?",
            "lakesmith.yaml:6:9 environment `prod` must be a mapping of keys to values, but here is text",
        ]
    );
}

#[test]
fn only_the_chosen_environment_needs_its_variables() {
    let text = "name: shop
environment: dev
timezone: Europe/Paris
environments:
  dev: { lake: ./lake, landing: ./landing }
  prod: { lake: 's3://acme/${BUCKET_PATH}', landing: ./landing, storage: { aws_region: '${REGION}', aws_secret_access_key: '${KEY}' } }
";
    let project = loaded_with(text, None, &[]).unwrap();
    assert_eq!(project.environment.lake, project.root.join("lake").to_str().unwrap());
    assert_eq!(project.timezone, chrono_tz::Europe::Paris);
    let found = loaded_with(text, Some("prod"), &[("REGION", "eu")]).unwrap_err();
    assert_eq!(
        found,
        [
            "lakesmith.yaml:6:28 the variable `BUCKET_PATH` is not set | export BUCKET_PATH=… before you run lakesmith, or choose another environment",
            "lakesmith.yaml:6:125 the variable `KEY` is not set | export KEY=… before you run lakesmith, or choose another environment",
        ]
    );
    let vars = [("REGION", "eu"), ("KEY", "hush"), ("BUCKET_PATH", "shop")];
    let project = loaded_with(text, Some("prod"), &vars).unwrap();
    assert_eq!(project.environment.lake, "s3://acme/shop");
    assert_eq!(project.environment.storage["aws_secret_access_key"].0, "hush");
    assert!(!format!("{project:?}").contains("hush"));
}

#[test]
fn a_secret_in_plain_text_is_a_fault_and_is_not_shown() {
    let text = "name: shop
environments:
  dev:
    lake: https://user:hunter2@example.org/lake
    landing: ./landing
    storage:
      aws_region: eu-west-1
      AWS_ACCESS_KEY_ID: hunter2
      azure_storage_sas: 'hunter2${X}'
      account_password: hunter2
      session-token: '${TOKEN}'
";
    let found = loaded_with(text, None, &[("TOKEN", "hunter2"), ("X", "hunter2")]).unwrap_err();
    assert!(found.iter().all(|fault| !fault.contains("hunter2")), "{found:?}");
    assert_eq!(
        found,
        [
            "lakesmith.yaml:4:11 the URL of `lake` holds a secret in plain text | put it into the process environment and write `${PASSWORD}`",
            "lakesmith.yaml:8:26 `AWS_ACCESS_KEY_ID` holds a secret in plain text | put it into the process environment and write `${AWS_ACCESS_KEY_ID}`",
            "lakesmith.yaml:9:26 `azure_storage_sas` holds a secret in plain text | put it into the process environment and write `${AZURE_STORAGE_SAS}`",
            "lakesmith.yaml:10:25 `account_password` holds a secret in plain text | put it into the process environment and write `${ACCOUNT_PASSWORD}`",
        ]
    );
}

#[test]
fn broken_references_and_overlapping_places_are_faults() {
    let text = "name: shop
environments: { dev: { lake: './${A B}', landing: ./landing } }
";
    assert_eq!(
        faults(&[(FILE, text)]),
        ["lakesmith.yaml:2:33 `${` begins no variable | write `${NAME}`, with letters, digits and underscores"]
    );
    let text = "name: shop\nenvironments: { dev: { lake: ./landing/lake, landing: ./landing } }\n";
    assert_eq!(
        faults(&[(FILE, text)]),
        [
            "lakesmith.yaml:2:30 the lake and the landing folder stand one within the other | keep the lake and the landing folder side by side"
        ]
    );
}

#[test]
fn an_environment_may_say_how_much_memory_to_work_with() {
    let text = |memory: &str| {
        format!("name: shop\nenvironments:\n  dev: {{ lake: ./lake, landing: ./landing, memory: {memory} }}\n")
    };
    let memory = |said: &str| loaded_with(&text(said), None, &[]).map(|project| project.environment.memory);
    assert_eq!(memory("1.5GB"), Ok(Some(Memory::of_bytes(1_500_000_000))));
    assert_eq!(
        memory("lots"),
        Err(vec![
            "lakesmith.yaml:3:52 `lots` is no memory to work with | a number and kB, MB, GB, KiB, MiB or GiB, e.g. 2GB"
                .to_owned()
        ])
    );
    let little = memory("100MB").unwrap_err();
    assert!(little[0].ends_with("| 100 MB is too little to work with; at least 256 MB"), "{little:?}");
    let unsaid = "name: shop\nenvironments:\n  dev: { lake: ./lake, landing: ./landing }\n";
    let unsaid = loaded_with(unsaid, None, &[]).unwrap().environment;
    assert_eq!((unsaid.memory, unsaid.memory()), (None, Memory::of_machine()));
}
