"""A table that went back reads as it did, by whatever reads it."""

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable
from test_readers import READERS

TABLES = ["silver/orders", "gold/daily_revenue"]


@pytest.fixture(scope="module")
def restored(tmp_path_factory):
    """Two runs, between which most orders change; then silver and what is made from it go back to the first."""
    from conftest import copy_of_sample

    lakesmith = copy_of_sample(tmp_path_factory.mktemp("restored"))
    gold = lakesmith.project / "layers/gold/daily_revenue.yaml"
    gold.write_text(gold.read_text() + "partition_by: [region]\n")
    lakesmith.json("run", "--json")
    landing = sorted((lakesmith.project / "landing/orders").glob("*.csv"))[0]
    header, *rows = landing.read_text().splitlines()
    assert rows, landing
    later = landing.with_name("9999-12-31.csv")
    later.write_text("\n".join([header, *(row.replace(",1,", ",7,") for row in rows)]) + "\n")
    lakesmith.json("run", "--json")
    before = {table: rows_of(pl.read_delta(str(lakesmith.project / "lake" / table), version=0)) for table in TABLES}
    report = lakesmith.json("restore", "silver.orders@0", "+", "--yes", "--json")
    assert {table["table"]: table["action"] for table in report["tables"]}["silver.orders"] == "restore", report
    return lakesmith, before


def rows_of(frame):
    """Rows as texts in an order of their own."""
    return sorted(str(row) for row in frame.select(sorted(frame.columns)).rows())


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("table", TABLES)
def test_every_reader_sees_the_version_that_came_back(restored, table, reader):
    lakesmith, before = restored
    path = lakesmith.project / "lake" / table
    found = pl.from_arrow(reader(path))
    then = pl.read_delta(str(path), version=0)
    found = found.select(pl.col(name).cast(dtype) for name, dtype in then.schema.items())
    assert rows_of(found) == before[table]


@pytest.mark.parametrize("table", TABLES)
def test_earlier_versions_and_the_log_stay_as_they_were(restored, table):
    lakesmith, before = restored
    path = str(lakesmith.project / "lake" / table)
    newest = DeltaTable(path)
    assert newest.history(1)[0]["operation"] == "RESTORE"
    for version in range(newest.version() + 1):
        rows = rows_of(pl.read_delta(path, version=version))
        assert (rows == before[table]) == (version in (0, newest.version())), version
    assert duckdb.sql(f"SELECT count(*) FROM read_parquet({newest.file_uris()})").fetchall() == [(len(before[table]),)]
