use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::*;

fn landing(files: &[&str]) -> (tempfile::TempDir, Landing) {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    let landing = Landing::open(folder.path().to_str().unwrap()).unwrap();
    (folder, landing)
}

fn paths(landing: &Landing, pattern: &str) -> Vec<String> {
    let listing = landing.list(pattern).unwrap();
    assert_eq!(listing.refused, [], "{pattern}");
    listing.files.into_iter().map(|file| file.path).collect()
}

#[test]
fn globs_match_names_as_they_are() {
    let (_folder, landing) =
        landing(&["o/b.csv", "o/a[1].csv", "o/c.csv.gz", "o/d.CSV", "o/x/e.csv.zst", "o/*.csv", "p/f.csv"]);
    assert_eq!(paths(&landing, "o/*.csv"), ["o/*.csv", "o/a[1].csv", "o/b.csv", "o/c.csv.gz"]);
    assert_eq!(paths(&landing, "./o/*.csv.gz"), ["o/c.csv.gz"]);
    assert_eq!(paths(&landing, "o/**/*.csv"), ["o/*.csv", "o/a[1].csv", "o/b.csv", "o/c.csv.gz", "o/x/e.csv.zst"]);
    assert_eq!(paths(&landing, "{o,p}/[bf].csv"), ["o/b.csv", "p/f.csv"]);
    assert_eq!(paths(&landing, "*/f.csv"), ["p/f.csv"]);
    assert_eq!(paths(&landing, "none/*.csv"), [""; 0]);
}

#[test]
fn of_many_files_the_first_and_the_last_are_looked_at() {
    let (folder, landing) = landing(&["o/5.csv", "o/1.csv", "o/4.csv", "o/2.csv", "o/_3.csv", "o/x/0.csv", "o/y.txt"]);
    symlink("1.csv", folder.path().join("o/3.csv")).unwrap();
    symlink("/etc/hostname", folder.path().join("o/9.csv")).unwrap();
    let some = |pattern, most| landing.first_and_last(pattern, most).unwrap();
    let paths = |files: &[FileStat]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&some("o/*.csv", 2)), ["o/1.csv"], "the last one leads out of the folder");
    assert_eq!(paths(&some("o/**/*.csv", 4)), ["o/1.csv", "o/2.csv", "o/x/0.csv"]);
    assert_eq!(some("o/*.csv", 6), landing.list("o/*.csv").unwrap().files);
    assert_eq!(some("none/*.csv", 6), []);
    assert!(landing.first_and_last("../*.csv", 6).is_err());
}

#[test]
fn hidden_and_unfinished_files_are_no_input() {
    let (_folder, landing) = landing(&[
        "o/a.csv",
        "o/.b.csv",
        "o/_c.csv",
        "o/d.csv.tmp",
        "o/e.part",
        "o/f.csv.CRDOWNLOAD",
        "o/.git/g.csv",
        "o/_old/h.csv",
        "o/k/l.csv",
    ]);
    assert_eq!(paths(&landing, "o/**"), ["o/a.csv", "o/k/l.csv"]);
}

#[test]
fn a_stat_has_size_and_nanoseconds() {
    let (folder, landing) = landing(&["a.csv"]);
    let path = folder.path().join("a.csv");
    let time = UNIX_EPOCH + std::time::Duration::new(1_700_000_000, 123_456_789);
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    let expected = FileStat { path: "a.csv".to_owned(), size: 5, mtime_ns: 1_700_000_000_123_456_789, etag: None };
    assert_eq!(landing.list("*.csv").unwrap().files, std::slice::from_ref(&expected));
    assert_eq!(landing.stat("a.csv"), Ok(expected));
}

#[test]
fn what_is_no_regular_file_within_the_folder_is_refused_unopened() {
    let (folder, landing) = landing(&["o/a.csv", "o/deep/b.csv"]);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.csv"), "x").unwrap();
    let root = folder.path();
    symlink(outside.path().join("secret.csv"), root.join("o/out.csv")).unwrap();
    symlink(root.join("o/a.csv"), root.join("o/in.csv")).unwrap();
    symlink(root.join("o/none.csv"), root.join("o/dangling.csv")).unwrap();
    symlink(root.join("o"), root.join("o/deep/loop")).unwrap();
    fs::create_dir(root.join("o/folder.csv")).unwrap();
    fs::write(root.join("o").join(std::ffi::OsStr::from_bytes(b"caf\xE9.csv")), "x").unwrap();
    assert!(std::process::Command::new("mkfifo").arg(root.join("o/pipe.csv")).status().unwrap().success());

    let listing = landing.list("o/**/*.csv").unwrap();
    let files: Vec<&str> = listing.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(files, ["o/a.csv", "o/deep/b.csv", "o/in.csv"]);
    let refused: Vec<(&str, &str)> = listing.refused.iter().map(|r| (r.path.as_str(), r.reason.as_str())).collect();
    assert_eq!(
        refused,
        [
            (r"o/caf\xe9.csv", "its name is not UTF-8; rename it"),
            ("o/dangling.csv", "No such file or directory (os error 2)"),
            ("o/deep/loop", "is a symbolic link to a folder, which is not followed"),
            ("o/out.csv", "is a symbolic link that leads out of the landing folder"),
            ("o/pipe.csv", "is not a regular file"),
        ]
    );
    assert_eq!(landing.list("o/*.txt").unwrap(), Listing::default());
}

#[test]
fn a_wrong_folder_or_pattern_is_an_error() {
    let (folder, landing) = landing(&["a.csv"]);
    assert!(Landing::open(folder.path().join("none").to_str().unwrap()).is_err());
    assert!(Landing::open(folder.path().join("a.csv").to_str().unwrap()).is_err());
    assert!(Landing::open("s3://bucket/x").unwrap_err().to_string().contains("no folder of a disk"));
    for pattern in ["../x/*.csv", "/etc/*", "a[.csv", "o/../../*"] {
        assert!(matches!(landing.list(pattern), Err(LandingError::Pattern { .. })), "{pattern}");
    }
}
