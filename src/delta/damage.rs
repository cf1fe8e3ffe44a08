//! Which data file is behind an error of a reader. Metadata tells most of it; no more is read than the one file that the
//! error names, for all of them may be terabytes.

use futures::stream::{self, StreamExt};

use super::check::{FILES_AT_ONCE, FileHealth, remedy};
use super::write::footer;
use super::{DataFile, Error, Snapshot};

/// What is said by a network, or of a bucket, that fails: files have no part in it.
const ELSEWHERE: [&str; 5] = ["bucket `", "error performing", "error sending request", "timed out", "dns error"];
/// A file that is shorter than what is asked of it.
const TOO_SHORT: &str = "answered 416";
/// What readers say of bytes that they cannot make sense of.
const BROKEN: [&str; 6] = ["parquet", "corrupt", "decompress", "out of specification", "thrift", "eof"];
/// Says nothing to people.
const OF_POLARS: &str = "parquet: File out of specification: ";

/// Whether an error comes of the system or the network and not of a file: no room, no right, too many open files, no
/// answer.
pub fn is_elsewhere(error: &str) -> bool {
    let error = error.to_lowercase();
    is_of_system(&error) || (ELSEWHERE.iter().any(|sign| error.contains(sign)) && !error.contains(TOO_SHORT))
}

/// The system has refused something, but for what is not there.
fn is_of_system(error: &str) -> bool {
    let mut codes = error.split("os error ").skip(1).map(|rest| rest.split(')').next().unwrap_or_default());
    codes.any(|code| !["2", "20", "21"].contains(&code))
}

/// The error with the advice to look at every byte, if it speaks of bytes that cannot be read.
pub fn with_advice(error: &str) -> Option<String> {
    let (text, is_broken) = (error.to_lowercase(), is_broken(error));
    let is_told = is_elsewhere(error) || text.contains("os error") || text.contains("not found");
    (is_broken && !is_told).then(|| {
        let words = error.replace(OF_POLARS, "a Parquet file cannot be read: ");
        format!(
            "{words}; if a data file may be damaged, `lakesmith verify --deep` compares all of them with their hashes"
        )
    })
}

/// Whether it speaks of bytes that make no sense.
fn is_broken(error: &str) -> bool {
    let error = error.to_lowercase();
    BROKEN.iter().any(|sign| error.contains(sign))
}

impl Snapshot {
    /// If a data file of this version is not as it was written, an error that says which, how and what to do. `error` is
    /// what a reader has said: if it is not about files, nothing is looked at. The sizes of all files are, and the bytes
    /// of the one that it names; if it names none, the footers of all.
    ///
    /// # Errors
    /// The table's store cannot be reached at all.
    pub async fn find_damage(&self, error: &str) -> Result<Option<Error>, Error> {
        if is_elsewhere(error) {
            return Ok(None);
        }
        if let Some((file, health)) = self.find_resized().await? {
            return self.damage(&file, &health).await;
        }
        let is_named = |file: &&DataFile| file.path().rsplit('/').next().is_some_and(|name| error.contains(name));
        let suspect = match self.files().iter().find(is_named) {
            Some(named) => Some(named.clone()),
            None if is_broken(error) => self.find_unreadable_footer().await?,
            None => None,
        };
        let Some(suspect) = suspect else { return Ok(None) };
        self.damage(&suspect, &self.table().check_file(&suspect).await?).await
    }

    /// The first file that does not say what is in it.
    async fn find_unreadable_footer(&self) -> Result<Option<DataFile>, Error> {
        let table = self.table();
        let read = stream::iter(self.files().to_vec()).map(|file| async move {
            let unreadable = matches!(footer(table, &file).await, Err(Error::Unreadable { .. }));
            unreadable.then_some(file)
        });
        Ok(read.buffered(FILES_AT_ONCE).filter_map(std::future::ready).boxed().next().await)
    }

    /// The first file that is gone or has another size.
    async fn find_resized(&self) -> Result<Option<(DataFile, FileHealth)>, Error> {
        let table = self.table();
        let checked = stream::iter(self.files().to_vec()).map(|file| async move {
            let health = table.check_size(&file).await?;
            Ok::<_, Error>(health.map(|health| (file, health)))
        });
        let mut checked = checked.buffered(FILES_AT_ONCE);
        while let Some(found) = checked.next().await {
            if let Some(found) = found? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn damage(&self, file: &DataFile, health: &FileHealth) -> Result<Option<Error>, Error> {
        let table = self.table();
        let Some(fault) = health.fault(file).filter(|fault| !is_elsewhere(fault)) else { return Ok(None) };
        let newest = table.snapshot().await?;
        let is_left = newest.is_none_or(|newest| !newest.files().iter().any(|known| known.path() == file.path()));
        let how = match (is_left, health) {
            // deleted after the table had left it
            (true, FileHealth::Missing) => return Ok(None),
            (true, _) => "bring the file back from a copy of the lake; the newest version does not need it".to_owned(),
            (false, _) => remedy(table.folder()),
        };
        let what = format!("its data file {} is damaged: {fault}; {how}", file.path());
        Ok(Some(Error::unreadable(table.folder(), what)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::{Disk, now, table_of};
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn sizes_are_looked_at_and_no_bytes_but_those_of_the_file_that_is_named() {
        let disk = Disk::new();
        let table = table_of(&disk, &[1, 2, 3]).await;
        let file = now(&table).await.files()[0].clone();
        let path = disk.path().join("silver/t").join(file.path());
        let found = async |error: &str| {
            let damage = now(&table).await.find_damage(error).await.unwrap();
            damage.map(|damage| damage.to_string())
        };
        let named = format!("parquet: file out of specification: {}", file.path());
        assert_eq!(found(&named).await, None, "it is sound");

        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[6] ^= 1;
        fs::write(&path, flipped).unwrap();
        assert!(found(&named).await.unwrap().contains("its bytes are not those"));
        assert_eq!(found("parquet: file out of specification").await, None, "no file is read whole that is not named");
        let mut beheaded = whole.clone();
        let end = whole.len() - 12;
        beheaded[end - 40..end].fill(0xff);
        fs::write(&path, beheaded).unwrap();
        assert!(found("parquet: file out of specification").await.unwrap().contains(file.path()));
        assert_eq!(found("conversion from `str` to `i64` failed").await, None);

        fs::write(&path, &whole[1..]).unwrap();
        assert!(found("parquet: file out of specification").await.unwrap().contains("were written"));
        for elsewhere in [
            "No space left on device (os error 28)",
            "Permission denied (os error 13)",
            "Too many open files (os error 24)",
            "https://host cannot be reached for bucket `b`: operation timed out",
            "https://host answered 503 Service Unavailable for bucket `b` after 9 tries; run again later",
        ] {
            assert_eq!(found(&format!("{}: {elsewhere}", file.path())).await, None, "{elsewhere}");
        }
        fs::remove_file(&path).unwrap();
        assert!(found("No such file or directory (os error 2)").await.unwrap().contains("not there"));
    }

    #[test]
    fn the_deep_look_is_advised_where_bytes_may_be_wrong() {
        let advice = with_advice("parquet: File out of specification: x").unwrap();
        assert!(
            advice.starts_with("a Parquet file cannot be read: x; ") && advice.contains("verify --deep"),
            "{advice}"
        );
        assert!(with_advice("https://h answered 416 Range Not Satisfiable for bucket `b`: parquet").is_some());
        for other in ["a.parquet: No space left on device (os error 28)", "conversion from `str` to `i64` failed"] {
            assert_eq!(with_advice(other), None);
        }
    }
}
