//! What is refused by its first words, so that the answer is about the question and not about what stands further on in
//! it. What gets by is refused when it is planned.

use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// What a query may be.
pub const READS_ONLY: &str = "a query only reads: it is a SELECT (WITH … SELECT, VALUES), EXPLAIN, DESCRIBE or SHOW, and nothing \
                              else is carried out";

/// Words with which a statement begins that reads.
const READING: [&str; 7] = ["SELECT", "WITH", "VALUES", "EXPLAIN", "DESCRIBE", "DESC", "SHOW"];
/// Words with which one begins that does something else.
const WRITING: [&str; 41] = [
    "ALTER",
    "ANALYZE",
    "ATTACH",
    "BEGIN",
    "CACHE",
    "CALL",
    "COMMENT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DETACH",
    "DO",
    "DROP",
    "EXECUTE",
    "EXPORT",
    "GRANT",
    "IMPORT",
    "INSERT",
    "INSTALL",
    "KILL",
    "LOAD",
    "LOCK",
    "MERGE",
    "MSCK",
    "OPTIMIZE",
    "PRAGMA",
    "PREPARE",
    "REFRESH",
    "REPLACE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SET",
    "START",
    "TRUNCATE",
    "UPDATE",
    "USE",
    "VACUUM",
];

/// Why this is no question; `None`: it looks like one.
pub fn of(sql: &str) -> Option<String> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize().ok()?;
    let mut statements = tokens
        .split(|token| *token == Token::SemiColon)
        .map(|tokens| tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_) | Token::EOF | Token::LParen)))
        .filter_map(|mut tokens| Some((tokens.next()?, tokens)));
    let Some((first, mut rest)) = statements.next() else {
        return Some("the query is empty; e.g. SELECT count(*) FROM silver.orders".to_owned());
    };
    let word = |token: &Token| match token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_uppercase(),
        _ => String::new(),
    };
    let mut begins = word(first);
    while ["EXPLAIN", "ANALYZE", "VERBOSE"].contains(&begins.as_str()) {
        begins = rest.next().map(word).unwrap_or_default();
    }
    if WRITING.contains(&begins.as_str()) {
        return Some(format!("{READS_ONLY}; {begins} is refused"));
    }
    let is_question = READING.contains(&begins.as_str());
    (is_question && statements.next().is_some()).then(|| "a query is one statement, and these are several".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_reads_gets_by_whatever_stands_in_it() {
        for sql in [
            "select 1",
            "(SELECT 1) UNION (SELECT 2);  -- done; DROP TABLE t",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "EXPLAIN ANALYZE SELECT 'x; DELETE FROM t'",
            "/* DROP */ VALUES (1)",
            "DESCRIBE silver.orders",
            "nonsense",
            "'unfinished",
        ] {
            assert_eq!(of(sql), None, "{sql}");
        }
    }

    #[test]
    fn what_does_more_is_told_so() {
        for (sql, word) in [
            ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "CREATE"),
            ("insert into silver.events values (1)", "INSERT"),
            ("EXPLAIN ANALYZE INSERT INTO silver.events VALUES (1)", "INSERT"),
            ("COPY (SELECT 1) TO 's3://x/y'", "COPY"),
            ("ALTER TABLE silver.events ADD COLUMN x int", "ALTER"),
            ("VACUUM", "VACUUM"),
        ] {
            assert_eq!(of(sql), Some(format!("{READS_ONLY}; {word} is refused")));
        }
        for sql in ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE t"] {
            assert_eq!(of(sql).as_deref(), Some("a query is one statement, and these are several"));
        }
        for sql in ["", " ", ";", "-- nothing"] {
            assert!(of(sql).is_some_and(|said| said.starts_with("the query is empty")));
        }
    }
}
