use super::{all, error, rows, table, type_of, value};
use crate::expr::{Column, Type};

#[test]
fn three_valued_logic() {
    let t = table(&[
        ("a", Type::Boolean, &["true", "true", "true", "false", "false", "NULL"]),
        ("b", Type::Boolean, &["true", "false", "NULL", "false", "NULL", "NULL"]),
    ]);
    assert_eq!(rows("a AND b", &t), ["true", "false", "NULL", "false", "false", "NULL"]);
    assert_eq!(rows("a OR b", &t), ["true", "true", "true", "false", "NULL", "NULL"]);
    assert_eq!(rows("NOT b", &t), ["false", "true", "NULL", "true", "NULL", "NULL"]);
    assert_eq!(rows("b IS NULL", &t), ["false", "false", "true", "false", "true", "true"]);
    assert_eq!(rows("a IS DISTINCT FROM b", &t), ["false", "true", "true", "false", "true", "false"]);
    assert_eq!(rows("b IS NOT TRUE", &t), ["false", "true", "true", "true", "true", "true"]);
    assert_eq!(rows("b IS FALSE", &t), ["false", "true", "false", "true", "false", "false"]);
}

#[test]
fn comparisons() {
    all(&[
        ("1 < 2", "true"),
        ("1 = NULL", "NULL"),
        ("NULL = NULL", "NULL"),
        ("NULL IS NOT DISTINCT FROM NULL", "true"),
        ("1 <> 1.0", "false"),
        ("1.10 = 1.1", "true"),
        ("1 = 1e0", "true"),
        ("CAST('1.5' AS decimal(5,2)) > 1.4", "true"),
        ("1.499 < CAST('1.5' AS decimal(5,2))", "true"),
        ("CAST('1.5' AS decimal(3,2)) < 100000", "true"),
        ("CAST('1.5' AS decimal(3,2)) IS DISTINCT FROM 1.5", "false"),
        ("99999999999999999999999999999999999999 > 0.00000000000000000000000000000000000001", "true"),
        ("-99999999999999999999999999999999999999 >= 0.5", "false"),
        ("9007199254740993 = 9007199254740992.0", "false"),
        ("'Z' < 'a'", "true"),
        ("'é' > 'z'", "true"),
        ("DATE '2024-01-01' < DATE '2024-01-02'", "true"),
        ("DATE '2024-01-01' = TIMESTAMP '2024-01-01 00:00:00'", "true"),
        ("false < true", "true"),
        ("2 BETWEEN 1 AND 3", "true"),
        ("2 NOT BETWEEN 1 AND 3", "false"),
        ("4 BETWEEN NULL AND 3", "false"),
        ("2 BETWEEN NULL AND 3", "NULL"),
    ]);
}

#[test]
fn nan_equals_itself_and_is_the_greatest() {
    all(&[
        ("CAST('NaN' AS double) = CAST('NaN' AS double)", "true"),
        ("CAST('NaN' AS double) > 1e308", "true"),
        ("CAST('NaN' AS double) + 1", "fault: overflow"),
        ("0e0 = -0e0", "true"),
    ]);
}

#[test]
fn is_in() {
    all(&[
        ("1 IN (1, 2)", "true"),
        ("3 IN (1, 2)", "false"),
        ("3 NOT IN (1, 2)", "true"),
        ("NULL IN (1, 2)", "NULL"),
        ("1 IN (1, NULL)", "true"),
        ("3 IN (1, NULL)", "NULL"),
        ("3 NOT IN (1, NULL)", "NULL"),
        ("1.5 IN (1, 1.50)", "true"),
        ("'b' IN ('a', 'b')", "true"),
        ("DATE '2024-01-01' IN (DATE '2024-01-01')", "true"),
        ("TIMESTAMP '2024-01-01 00:00:00' IN (TIMESTAMP '2024-01-01 00:00:00')", "true"),
        ("1 IN (1, 1 / 0)", "true"),
        ("2 IN (1, 1 div 0)", "fault: division by zero"),
        ("true IN (false)", "false"),
    ]);
}

#[test]
fn faults_count_only_where_the_result_rests_on_them() {
    all(&[
        ("false AND 1 / 0 > 1", "false"),
        ("1 / 0 > 1 AND false", "false"),
        ("true AND 1 / 0 > 1", "fault: division by zero"),
        ("NULL AND 1 / 0 > 1", "fault: division by zero"),
        ("true OR 1 / 0 > 1", "true"),
        ("false OR 1 / 0 > 1", "fault: division by zero"),
        ("CASE WHEN false THEN 1 / 0 ELSE 2 END", "2.0"),
        ("CASE WHEN true THEN 1 / 0 ELSE 2 END", "fault: division by zero"),
        ("CASE WHEN 1 / 0 > 1 THEN 1 ELSE 2 END", "fault: division by zero"),
        ("CASE WHEN true THEN 1 WHEN 1 / 0 > 1 THEN 2 END", "1"),
        ("CASE 1 WHEN 2 THEN 1 div 0 WHEN 1 THEN 5 END", "5"),
        ("COALESCE(1, 1 div 0)", "1"),
        ("COALESCE(NULL, 1 div 0)", "fault: division by zero"),
        ("COALESCE(1 div 0, 1)", "fault: division by zero"),
        ("COALESCE(CAST('x' AS int), 1)", "fault: cannot cast 'x' to int"),
        ("COALESCE(TRY_CAST('x' AS int), 1)", "1"),
        ("1 / 0 IS NULL", "fault: division by zero"),
        ("1 / 0 IS DISTINCT FROM NULL", "fault: division by zero"),
        ("NULLIF(1, 1 div 0)", "fault: division by zero"),
    ]);
}

#[test]
fn case_coalesce_nullif() {
    let t = table(&[("n", Type::Int, &["1", "2", "NULL"])]);
    assert_eq!(rows("CASE WHEN n = 1 THEN 'one' WHEN n = 2 THEN 'two' END", &t), ["one", "two", "NULL"]);
    assert_eq!(rows("CASE n WHEN 1 THEN 1 WHEN NULL THEN 9 ELSE 2.5 END", &t), ["1.0", "2.5", "2.5"]);
    assert_eq!(rows("CASE WHEN n > 1 THEN n / 0 ELSE n END", &t), ["1.0", "fault: division by zero", "NULL"]);
    assert_eq!(rows("COALESCE(n, 0)", &t), ["1", "2", "0"]);
    assert_eq!(rows("COALESCE(n div (n - 1), 7)", &t), ["fault: division by zero", "2", "7"]);
    assert_eq!(rows("NULLIF(n, 1)", &t), ["NULL", "2", "NULL"]);
    assert_eq!(type_of("CASE WHEN true THEN 1 ELSE 2.5 END"), "decimal(2,1)");
    assert_eq!(type_of("COALESCE(NULL, 'a')"), "string");
    assert_eq!(value("CASE WHEN true THEN NULL ELSE NULL END"), "NULL");
}

#[test]
fn types_that_do_not_meet() {
    let columns = vec![Column::new("s", Type::String), Column::new("d", Type::Date), Column::new("n", Type::Int)];
    for (sql, message, hint) in [
        ("s = 1", "string compared with int", "CAST one of them, e.g. `CAST(… AS int)`"),
        ("d > '2024-01-01'", "date compared with string", "write a literal as DATE '…', or CAST the text to date"),
        ("s + 1", "string in arithmetic", "CAST the text to a number first; `||` joins texts"),
        ("d + 1", "date in arithmetic", "`date_add('day', n, x)` and `date_diff('day', x, y)` reckon with time"),
        ("n || s", "int where text is expected", "`CAST(… AS string)` makes text of it"),
        (
            "CASE WHEN true THEN s ELSE n END",
            "CASE has branches of string and int",
            "CAST one of them, e.g. `CAST(… AS int)`",
        ),
        ("n IN (1, 'a')", "IN of int and string", "CAST one of them, e.g. `CAST(… AS int)`"),
        ("coalesce(s, n)", "`coalesce` of string and int", "CAST one of them, e.g. `CAST(… AS int)`"),
    ] {
        let e = error(sql, &columns);
        assert_eq!((e.message.as_str(), e.hint.as_deref()), (message, Some(hint)), "{sql}");
    }
    assert_eq!(error("n AND true", &columns).message, "int where true or false is expected");
}
