use std::collections::BTreeMap;

use url::Url;

use super::*;

fn storage(options: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    options.iter().map(|(key, value)| (key.to_string(), Secret(value.to_string()))).collect()
}

fn refused(url: &str, options: &[(&str, &str)]) -> String {
    Bucket::open(&Url::parse(url).unwrap(), &storage(options)).unwrap_err().to_string()
}

const KEYS: [(&str, &str); 2] = [("aws_access_key_id", "a"), ("aws_secret_access_key", "CANARY")];

#[test]
fn options_that_cannot_be_meant_are_refused_by_name() {
    let with = |more: &[(&'static str, &'static str)]| refused("s3://bkt/x", &[&KEYS[..], more].concat());
    assert!(with(&[("aws_regoin", "x")]).contains("did you mean `aws_region`?"));
    assert!(with(&[("aws_s3_allow_unsafe_rename", "true")]).contains("overwrite each other's commits"));
    assert!(with(&[("aws_conditional_put", "disabled")]).contains("overwrite each other's commits"));
    assert!(with(&[("max_retries", "many")]).contains("no number"));
    let plain = with(&[("aws_endpoint", "http://user:CANARY@localhost:1/")]);
    assert!(plain.contains("aws_allow_http") && plain.contains("http://localhost:1") && !plain.contains("CANARY"));
    assert!(refused("ftp://bkt/x", &[]).contains("s3://"));
    assert!(refused("s3:///x", &KEYS).contains("names no bucket"));
}

#[test]
fn a_bucket_is_opened_once_whatever_its_folder() {
    let open =
        |url: &str, options: &[(&str, &str)]| Bucket::open(&Url::parse(url).unwrap(), &storage(options)).unwrap();
    let options = [&KEYS[..], &[("google_service_account", "for the landing files"), ("timeout", "10s")]].concat();
    let one = open("s3://bkt/lake/", &options);
    assert!(Arc::ptr_eq(&one, &open("s3://bkt/landing", &options)));
    assert!(!Arc::ptr_eq(&one, &open("s3://other/lake", &options)));
    assert!(!Arc::ptr_eq(&one, &open("s3://bkt/lake", &KEYS)));
    let shown = format!("{one:?} {}", one.store());
    assert!(shown.contains("bkt") && !shown.contains("CANARY"), "{shown}");
}

#[cfg(not(feature = "azure"))]
#[test]
fn what_this_build_cannot_reach_is_said_with_the_feature() {
    assert!(refused("az://c/x", &[]).contains("cargo feature `azure`"));
    assert!(refused("abfss://c@acme.dfs.core.windows.net/x", &[]).contains("cargo feature `azure`"));
}

#[cfg(feature = "azure")]
#[test]
fn azure_is_opened_by_container_and_account() {
    let key = ("azure_storage_account_key", "Q0FOQVJZ");
    let open = |url: &str, options: &[(&str, &str)]| Bucket::open(&Url::parse(url).unwrap(), &storage(options));
    for url in ["az://c/x", "abfss://c@acme.dfs.core.windows.net/x"] {
        let bucket = open(url, &[("azure_storage_account_name", "acme"), key]).unwrap();
        assert!(format!("{bucket:?}").contains("bucket c at Azure account `acme`"), "{bucket:?}");
    }
    assert!(open("az://c/x", &[key]).unwrap_err().to_string().contains("azure_storage_account_name"));
}

#[cfg(feature = "gcs")]
#[test]
fn gcs_is_opened_by_bucket() {
    let bucket =
        Bucket::open(&Url::parse("gs://b/x").unwrap(), &storage(&[("google_skip_signature", "true")])).unwrap();
    assert!(format!("{bucket:?}").contains("bucket b at Google Cloud Storage"), "{bucket:?}");
}
