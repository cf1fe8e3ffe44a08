"""What Spark has written to a table of the lake is read as Spark reads it, or refused by name; never read wrongly."""

import shutil
from collections import Counter
from decimal import Decimal

import pytest
from lakesmith import Lakesmith
from rows import comparable, rows_by_query, rows_of, schema_of

PROJECT = {
    "lakesmith.yaml": "name: sales\nenvironments:\n  dev: { lake: ./lake, landing: ./landing }\n",
    "layers/bronze/sales.yaml": "source: { path: sales/*.csv, format: csv }\n",
    "layers/silver/sales.yaml": "from: bronze.sales\ncontract: schemas/sales.odcs.yaml\nkey: [id]\nguard: off\n",
    "layers/gold/by_kind.yaml": """\
from: silver.sales
guard: off
steps:
  - group_by: [kind]
    aggregate: { sales: count(*), amount: sum(amount), least: min(amount), days: count(distinct day) }
""",
    "schemas/sales.odcs.yaml": """\
apiVersion: v3.1.0
kind: DataContract
id: sales
version: 1.0.0
status: active
schema:
  - name: sales
    logicalType: object
    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: kind, logicalType: string }
      - { name: amount, logicalType: number, physicalType: "decimal(12,2)" }
      - { name: day, logicalType: date }
""",
}
KINDS = ["food", "ü & co", "50%", ""]
VECTORS = "ALTER TABLE {t} SET TBLPROPERTIES (delta.enableDeletionVectors = true)"
MERGE = """
    MERGE INTO {t} t USING (SELECT explode(sequence(90, 110)) AS id) s ON t.id = s.id
    WHEN MATCHED AND t.id % 2 = 0 THEN DELETE
    WHEN MATCHED THEN UPDATE SET t.amount = t.amount + 1
    WHEN NOT MATCHED THEN INSERT (id, kind, amount, day) VALUES (s.id, 'merged', 1.25, DATE '2026-05-05')
"""

# What Spark does, and whether rows are others afterwards.
CHANGES = {
    "update": (["UPDATE {t} SET amount = amount * 2 WHERE kind = 'food'"], True),
    "delete": (["DELETE FROM {t} WHERE id % 3 = 0"], True),
    "merge": ([MERGE], True),
    "insert": (["INSERT INTO {t} (id, kind, amount, day) VALUES (1000, 'new', 9.99, NULL)"], True),
    "overwrite": (["INSERT OVERWRITE {t} SELECT * FROM {t} WHERE id > 20"], True),
    "optimize": (["OPTIMIZE {t}"], False),
    "z-order": (["OPTIMIZE {t} ZORDER BY (id)"], False),
    "restore": (["UPDATE {t} SET amount = 0", "RESTORE TABLE {t} TO VERSION AS OF 0"], True),
    "add column": (["ALTER TABLE {t} ADD COLUMN (later STRING)", "UPDATE {t} SET later = 'x' WHERE id < 5"], True),
    "vectors, update": ([VECTORS, "UPDATE {t} SET amount = amount * 2 WHERE id % 7 = 1"], True),
    "vectors, delete": ([VECTORS, "DELETE FROM {t} WHERE id % 7 = 1"], True),
    "vectors, delete twice": ([VECTORS, "DELETE FROM {t} WHERE id % 7 = 1", "DELETE FROM {t} WHERE id % 5 = 1"], True),
    "vectors, merge": ([VECTORS, MERGE], True),
    "vectors, purged": ([VECTORS, "DELETE FROM {t} WHERE id % 7 = 1", "REORG TABLE {t} APPLY (PURGE)"], True),
    "vectors, checkpoint": (
        [VECTORS, "ALTER TABLE {t} SET TBLPROPERTIES (delta.checkpointInterval = 1)", "DELETE FROM {t} WHERE id % 7 = 1"],
        True,
    ),
    "v2 checkpoint": (
        [
            "ALTER TABLE {t} SET TBLPROPERTIES (delta.checkpointPolicy = 'v2', delta.checkpointInterval = 1)",
            "UPDATE {t} SET amount = 5 WHERE id = 5",
            "UPDATE {t} SET amount = 6 WHERE id = 6",
        ],
        True,
    ),
    "change data": (
        ["ALTER TABLE {t} SET TBLPROPERTIES (delta.enableChangeDataFeed = true)", "UPDATE {t} SET amount = 5 WHERE id = 5"],
        True,
    ),
    "times in commits": (
        ["ALTER TABLE {t} SET TBLPROPERTIES (delta.enableInCommitTimestamps = true)", "UPDATE {t} SET amount = 5 WHERE id = 5"],
        True,
    ),
    "row tracking": (
        ["ALTER TABLE {t} SET TBLPROPERTIES (delta.enableRowTracking = true)", "UPDATE {t} SET amount = 5 WHERE id = 5"],
        True,
    ),
    "clustering": (["ALTER TABLE {t} CLUSTER BY (id)", "OPTIMIZE {t}"], False),
    "constraint": (["ALTER TABLE {t} ADD CONSTRAINT positive CHECK (id >= 0)", "UPDATE {t} SET amount = 5 WHERE id = 5"], True),
}  # fmt: skip

# What a run does not write to afterwards, since it would lose or break what Spark has put there.
LEFT_ALONE = {"add column", "clustering", "constraint", "row tracking", "times in commits"}

MAPPED = "ALTER TABLE {t} SET TBLPROPERTIES (delta.columnMapping.mode = 'name', delta.minReaderVersion = 2, delta.minWriterVersion = 5)"
# What lakesmith does not read, and a word of its refusal.
REFUSED = {
    "column mapping": ([MAPPED], "column mapping"),
    "a renamed column": ([MAPPED, "ALTER TABLE {t} RENAME COLUMN amount TO sum"], "column mapping"),
    "a dropped column": ([MAPPED, "ALTER TABLE {t} DROP COLUMN day"], "column mapping"),
    "a wider type": (
        ["ALTER TABLE {t} SET TBLPROPERTIES (delta.enableTypeWidening = true)", "ALTER TABLE {t} ALTER COLUMN amount TYPE DECIMAL(14,2)"],
        "typeWidening",
    ),
    "a time without a zone": (
        ["ALTER TABLE {t} SET TBLPROPERTIES (delta.feature.timestampNtz = 'supported')", "ALTER TABLE {t} ADD COLUMN (local TIMESTAMP_NTZ)"],
        "`local`",
    ),
    "a map": (["ALTER TABLE {t} ADD COLUMN (m MAP<STRING, INT>)"], "`m`"),
    "a variant": (
        ["ALTER TABLE {t} SET TBLPROPERTIES (delta.feature.variantType = 'supported')", "ALTER TABLE {t} ADD COLUMN (v VARIANT)"],
        "variant",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A lake after one run of two files."""
    folder = tmp_path_factory.mktemp("sales")
    for path, text in PROJECT.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    lakesmith = Lakesmith(folder)
    for first in (0, 50):
        write(lakesmith, range(first, first + 50))
        lakesmith.json("run", "--json")
    return lakesmith


@pytest.fixture
def sales(made, tmp_path):
    """A copy of it to change."""
    shutil.copytree(made.project, tmp_path / "sales")
    return Lakesmith(tmp_path / "sales")


def write(lakesmith, ids, raised=0):
    lines = ["id,kind,amount,day"]
    lines += [f"{i},{KINDS[i % 4]},{i * 1.25 + raised:.2f},2026-04-{i % 28 + 1:02}" for i in ids]
    file = lakesmith.project / f"landing/sales/{min(ids):04}-{raised}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")


def do(spark, lakesmith, statements):
    for sql in statements:
        spark.sql(sql.format(t=f"delta.`{lakesmith.project}/lake/silver/sales`")).collect()


def seen_by(spark, lakesmith, table, version=None):
    reader = spark.read.format("delta")
    reader = reader if version is None else reader.option("versionAsOf", version)
    return rows_of(reader.load(f"{lakesmith.project}/lake/{table}").toArrow(), schema_of(lakesmith, table, version))


def sums_by(spark, lakesmith):
    """What gold must be, by Spark."""
    sql = f"""SELECT kind, count(*) AS sales, sum(amount) AS amount, min(amount) AS least, count(DISTINCT day) AS days
              FROM delta.`{lakesmith.project}/lake/silver/sales` GROUP BY kind"""
    return rows_of(spark.sql(sql).toArrow(), schema_of(lakesmith, "gold/by_kind"))


@pytest.mark.parametrize("change", CHANGES)
def test_what_spark_has_changed_is_seen_so(spark, sales, change):
    before = sales.json("status", "silver.sales", "--json")["tables"][0]["version"]
    statements, changes = CHANGES[change]
    do(spark, sales, statements)
    theirs, then = seen_by(spark, sales, "silver/sales"), seen_by(spark, sales, "silver/sales", before)

    # the rows, now and then
    assert rows_by_query(sales, "silver/sales") == theirs
    assert rows_by_query(sales, "silver/sales", before) == then
    shown = sales.json("show", "silver.sales", "--limit", 1000, "--format", "json")
    assert comparable(shown, schema_of(sales, "silver/sales")) == theirs

    # what differs between them
    counted = sales.json("diff", f"silver.sales@{before}", "silver.sales", "--json")["rows"]
    assert (counted["before"], counted["after"]) == (len(then), len(theirs))
    assert (counted["added"], counted["removed"], counted["changed"]) == differences(spark, sales, before)

    # that nobody but another program can have done it
    status = sales.json("status", "silver.sales", "--json")["tables"][0]
    assert bool(status["foreign_writes"]) == changes, status
    verified = {t["table"]: t["status"] for t in sales.json("verify", "silver", "--json", code=int(changes and then != theirs))["tables"]}
    assert verified["silver.sales"] == ("different" if changes and then != theirs else "equal")

    # gold follows
    report = sales.json("run", "--json")
    assert seen_by(spark, sales, "gold/by_kind") == sums_by(spark, sales), report
    assert rows_by_query(sales, "gold/by_kind") == sums_by(spark, sales)
    assert sales.json("verify", "gold", "--json")["status"] == "equal"

    # and so does silver, or it says why it does not
    write(sales, range(40, 120), raised=7)
    done = sales("run", "--json")
    assert done.returncode == int(change in LEFT_ALONE), done.stderr
    if done.returncode == 0:
        rows_by_query.cache_clear()
        assert rows_by_query(sales, "silver/sales") == seen_by(spark, sales, "silver/sales")
        amounts = {r["id"]: r["amount"] for r in sales.query("SELECT id, amount FROM silver.sales WHERE id BETWEEN 40 AND 119")}
        assert amounts == {i: Decimal(f"{i * 1.25 + 7:.2f}") for i in range(40, 120)}
    else:
        assert "silver/sales" in done.stderr or "silver.sales" in done.stderr
    assert seen_by(spark, sales, "gold/by_kind") == sums_by(spark, sales)


def differences(spark, lakesmith, before):
    """Rows added, removed and changed by the key, counted by Spark; lineage does not count."""
    at = lambda version: (  # noqa: E731
        spark.read.format("delta").option("versionAsOf", version).load(f"{lakesmith.project}/lake/silver/sales").toArrow().to_pylist()
    )
    plain = lambda rows: {r["id"]: {n: v for n, v in r.items() if n[0] != "_" and v is not None} for r in rows}  # noqa: E731
    newest = spark.sql(f"DESCRIBE HISTORY delta.`{lakesmith.project}/lake/silver/sales` LIMIT 1").collect()[0]["version"]
    old, new = plain(at(before)), plain(at(newest))
    found = Counter("added" if i not in old else "removed" if i not in new else "changed" for i in old.keys() | new.keys() if old.get(i) != new.get(i))
    return found["added"], found["removed"], found["changed"]


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_read_is_refused_by_name(spark, sales, what):
    statements, word = REFUSED[what]
    gold = rows_by_query(sales, "gold/by_kind")
    do(spark, sales, statements)
    write(sales, range(100, 120))
    for command in (
        ["query", "SELECT * FROM silver.sales"],
        ["show", "silver.sales"],
        ["diff", "silver.sales"],
        ["verify", "silver.sales"],
        ["status"],
        ["run"],
    ):
        done = sales(*command)
        assert done.returncode == 1, (command, done.stdout, done.stderr)
        said = done.stdout + done.stderr
        assert word in said and "silver" in said, (command, said)
    # the others stay as they are, and can be read
    rows_by_query.cache_clear()
    assert rows_by_query(sales, "gold/by_kind") == gold
    assert sales.query("SELECT count(*) AS n FROM bronze.sales") == [{"n": 120}]
