"""I8: other Delta readers see every table as `lakesmith query` does."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from conftest import ROOT
from deltalake import DeltaTable, QueryBuilder
from log import all_tables, snapshot

TABLES = sorted(f"{path.parent.name}/{path.stem}" for path in (ROOT / "layers").glob("*/*.yaml"))
QUARANTINES = [f"quarantine/{name}" for name in ("customers", "orders", "products")]


def test_every_table_of_the_lake_is_looked_at(shop):
    own = [f"_lakesmith/{name}" for name in ("ledger", "runs")]
    assert set(all_tables(shop.project / "lake")) == {*TABLES, *QUARANTINES, *own}


def by_deltalake(table, version=None):
    return DeltaTable(table, version=version).to_pyarrow_table()


def by_deltalake_query(table, version=None):
    """delta-rs by its own query engine."""
    query = QueryBuilder().register("t", DeltaTable(table, version=version)).execute("SELECT * FROM t")
    return pa.table(query.read_all())


def by_polars(table, version=None):
    return pl.read_delta(str(table), version=version).to_arrow()


def by_pyarrow(table, version=None):
    """The Parquet files of the log as one dataset, with the partition values of the log."""
    found = snapshot(table, version)
    parts = []
    for path, values in found.files.items():
        rows = ds.dataset(path, format="parquet").to_table()
        for column in found.partitioned_by:
            rows = rows.append_column(column, pa.array([values[column]] * len(rows), pa.string()))
        parts.append(rows)
    return pa.concat_tables(parts, promote_options="permissive")


def by_duckdb(table, version=None):
    """The same files, read by DuckDB's own Parquet reader."""
    found = snapshot(table, version)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    parts = []
    for path, values in found.files.items():
        rest = ", ".join(f"{literal(values[column])} AS {column}" for column in found.partitioned_by)
        file = literal(str(path).replace("[", "[[]").replace("*", "[*]").replace("?", "[?]"))
        parts.append(f"SELECT *{', ' + rest if rest else ''} FROM read_parquet({file}, hive_partitioning = false)")
    return connection.sql(" UNION ALL BY NAME ".join(parts)).to_arrow_table()


def literal(value):
    return "NULL::VARCHAR" if value is None else "'" + value.replace("'", "''") + "'"


READERS = [by_deltalake, by_deltalake_query, by_polars, by_pyarrow, by_duckdb]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("table", [*TABLES, *QUARANTINES])
def test_readers_agree(shop, table, reader):
    rows = reader(shop.project / "lake" / table)
    assert figures_of(rows) == figures_by_query(shop, table, tuple(columns_of(rows).items()))


def columns_of(rows):
    """The columns whose figures every reader can tell: name and kind."""
    kinds = {}
    for field in rows.schema:
        if pa.types.is_integer(field.type) or pa.types.is_decimal(field.type):
            kinds[field.name] = "number"
        elif pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
            kinds[field.name] = "time"
        elif pa.types.is_string(field.type) or pa.types.is_large_string(field.type) or field.type == pa.string_view():
            kinds[field.name] = "text"
        else:
            kinds[field.name] = "other"
    return kinds


def figures_of(rows):
    """Row count; of each column the values that are not NULL; sums of numbers; least and greatest of the rest."""
    figures = {"rows": len(rows)}
    for name, kind in columns_of(rows).items():
        column = rows[name]
        figures[name, "count"] = len(column) - column.null_count
        if kind == "number":
            figures[name, "sum"] = sum((Decimal(value) for value in column.to_pylist() if value is not None), Decimal())
        elif kind in ("time", "text"):
            values = [value for value in column.to_pylist() if value is not None]
            figures[name, "least"] = plain(min(values, default=None))
            figures[name, "greatest"] = plain(max(values, default=None))
    return figures


@cache
def figures_by_query(shop, table, kinds):
    """The same figures by `lakesmith query`."""
    wanted, names = ["count(*) AS c0"], [("rows", int)]

    def ask(sql, key, read):
        wanted.append(f"{sql} AS c{len(wanted)}")
        names.append((key, read))

    for name, kind in kinds:
        ask(f'count("{name}")', (name, "count"), int)
        if kind == "number":
            ask(f'sum("{name}")', (name, "sum"), lambda value: Decimal(value or 0))
        elif kind in ("time", "text"):
            read = instant if kind == "time" else plain
            ask(f'min("{name}")', (name, "least"), read)
            ask(f'max("{name}")', (name, "greatest"), read)
    [row] = shop.query(f"SELECT {', '.join(wanted)} FROM {table.replace('/', '.')}")
    return {key: read(row[f"c{i}"]) for i, (key, read) in enumerate(names)}


def plain(value):
    """A time as text that does not depend on who wrote it."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def instant(text):
    """A date stays a date, a time of day becomes UTC."""
    if text is None:
        return None
    return plain(date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text))
