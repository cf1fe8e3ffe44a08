"""I8 by engines with code of their own: Apache Spark, Sail and Daft see what `lakesmith query` sees."""

import datetime as dt
from decimal import Decimal
from functools import cache

import daft
import pytest
from log import all_tables, snapshot, versions
from rows import OWN, plain, rows_by_query, rows_of, schema_of

MOTLEY = ["bronze/measures", "bronze/readings", "gold/moments", "gold/places", "silver/measures", "silver/readings"]
ENGINES = ["spark", "sail", "daft"]


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture
def read(request, engine):
    """Reads a table, or a version of it, into Arrow."""
    if engine == "daft":
        return lambda table, version=None: daft.read_deltalake(str(table), version=version).to_arrow()
    session = request.getfixturevalue(engine)

    def read(table, version=None):
        reader = session.read.format("delta")
        return (reader if version is None else reader.option("versionAsOf", version)).load(str(table)).toArrow()

    return read


@pytest.mark.parametrize("lake", ["shop", "motley"])
def test_every_row_of_every_table_is_the_same(request, lake, read):
    lakesmith = request.getfixturevalue(lake)
    tables = all_tables(lakesmith.project / "lake")
    assert len(tables) > 8
    for table in tables:
        rows = rows_of(read(lakesmith.project / "lake" / table), schema_of(lakesmith, table))
        assert rows == rows_by_query(lakesmith, table), table


@pytest.mark.parametrize("table", MOTLEY)
def test_every_version_has_the_same_rows(motley, table, engine, read):
    folder = motley.project / "lake" / table
    for version in range(versions(folder)):
        if engine == "sail" and beyond_sail(folder, version):
            with pytest.raises(Exception, match="Missing commit file"):
                read(folder, version)
            continue
        rows = rows_of(read(folder, version), schema_of(motley, table, version))
        assert rows == rows_by_query(motley, table, version), version


def beyond_sail(folder, version):
    """Of a table with a checkpoint, Sail 0.7 reads the versions before it only if they are the first two."""
    checkpoints = [int(file.name.split(".")[0]) for file in (folder / "_delta_log").glob("*.checkpoint.parquet")]
    return checkpoints and 1 < version < max(checkpoints)


@pytest.mark.parametrize("session", ["spark", "sail"])
@pytest.mark.parametrize("lake", ["shop", "motley"])
def test_figures_by_sql(request, lake, session):
    """Counts, sums, least and greatest, which engines like to take from the statistics alone."""
    lakesmith, session = request.getfixturevalue(lake), request.getfixturevalue(session)
    for table in all_tables(lakesmith.project / "lake"):
        schema = schema_of(lakesmith, table)
        theirs = session.sql(figures(schema, f"delta.`{lakesmith.project}/lake/{table}`", "`")).toArrow().to_pylist()
        ours = lakesmith.query(figures(schema, OWN.get(table, table.replace("/", ".")), '"'))
        assert told(theirs, schema) == told(ours, schema), table


SUMMED = {"byte", "short", "integer", "long", "decimal"}
ORDERED = SUMMED | {"date", "timestamp", "string"}


def figures(schema, table, quote):
    wanted = ["count(*) AS n"]
    for i, field in enumerate(schema):
        name, kind = f"{quote}{field['name']}{quote}", str(field["type"]).split("(")[0]
        wanted.append(f"count({name}) AS c{i}")
        if kind in SUMMED and "(38," not in str(field["type"]):  # sums of these would not fit
            wanted.append(f"sum(CAST({name} AS DECIMAL(28, 4))) AS s{i}")
        if kind in ORDERED:
            wanted.append(f"min({name}) AS l{i}, max({name}) AS g{i}")
    return f"SELECT {', '.join(wanted)} FROM {table}"


def told(rows, schema):
    """Figures that can be compared: each by the type of its column."""
    [row] = rows
    kinds = {f"{figure}{i}": field["type"] for figure in "lg" for i, field in enumerate(schema)}
    number = lambda value: None if value is None else Decimal(value)  # noqa: E731
    return {name: plain(value, kinds[name]) if name in kinds else number(value) for name, value in row.items()}


@pytest.mark.parametrize("session", ["spark", "sail"])
def test_what_statistics_rule_out_is_not_there(request, motley, session):
    """A wrong bound, or a partition value that is read in another way, would hide rows from a WHERE."""
    session = request.getfixturevalue(session)
    for table in ("silver/measures", "gold/moments"):
        folder = motley.project / "lake" / table
        fields = [field for field in schema_of(motley, table) if str(field["type"]).split("(")[0] in ORDERED]
        wanted, expected = [], []
        for field in fields:
            name, values = field["name"], column(motley, table, field["name"])
            some = sorted(values - {None}, key=repr)
            for value in [*some[:2], *some[-2:]] if name != "place" else some:
                wanted.append(f"SELECT count(*) AS n FROM delta.`{folder}` WHERE `{name}` = {literal(value, field['type'])}")
                expected.append(count(motley, table, name, value))
            wanted.append(f"SELECT count(*) AS n FROM delta.`{folder}` WHERE `{name}` IS NULL")
            expected.append(count(motley, table, name, None))
        for sql, rows in zip(wanted, expected, strict=True):
            assert session.sql(sql).toArrow().to_pylist() == [{"n": rows}], sql
    assert snapshot(folder).partitioned_by


@cache
def values_of(lakesmith, table):
    kinds = {field["name"]: field["type"] for field in schema_of(lakesmith, table)}
    rows = lakesmith.query(f"SELECT * FROM {table.replace('/', '.')}")
    return [{name: plain(value, kinds[name]) for name, value in row.items()} for row in rows]


def column(lakesmith, table, name):
    return {row[name] for row in values_of(lakesmith, table)}


def count(lakesmith, table, name, value):
    return sum(row[name] == value for row in values_of(lakesmith, table))


def literal(value, kind):
    """A value as Spark's SQL writes it."""
    if kind == "timestamp":
        return f"TIMESTAMP '{dt.datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S.%f}+00:00'"
    if kind == "date":
        return f"DATE '{value}'"
    if kind == "string":
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t") + "'"
    return str(value)
