"""I8 where it is hard: every row of every version of a lake of odd partitions, nested columns, changed schemas,
checkpoints, a compaction, a restore and a rebuild, by each reader as by `lakesmith query`."""

from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lakesmith import Lakesmith
from log import all_tables, snapshot, versions
from motley import FILE, PLACES, PROJECT, measure
from rows import rows_by_query, rows_of, schema_of
from test_readers import READERS, by_deltalake

TABLES = ["bronze/measures", "bronze/readings", "gold/moments", "gold/places", "silver/measures", "silver/readings"]
OTHERS = ["_lakesmith/ledger", "_lakesmith/runs", "quarantine/measures", "quarantine/readings"]


def test_the_lake_has_what_is_to_be_read(motley):
    lake = motley.project / "lake"
    assert all_tables(lake) == sorted([*TABLES, *OTHERS])
    silver = snapshot(lake / "silver/measures")
    assert {values["place"] for values in silver.files.values()} == set(PLACES)
    assert [len(schema_of(motley, "silver/measures", version)) for version in (2, 3)] == [18, 19]
    assert list((lake / "silver/measures/_delta_log").glob("*.checkpoint.parquet"))
    actions = {v["action"] for v in motley.json("history", "silver.measures", "--json", "--limit", 100)["versions"]}
    assert actions >= {"merge", "rebuild", "optimize", "restore", "pin"}
    kinds = {str(field["type"]).split("(")[0] for name in TABLES for field in schema_of(motley, name)}
    scalars = {"binary", "boolean", "byte", "date", "decimal", "double", "float", "integer", "long", "short", "timestamp"}
    assert kinds >= scalars | {"string"}


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("table", [*TABLES, *OTHERS])
def test_every_row_is_the_same(motley, table, reader):
    rows = reader(motley.project / "lake" / table)
    assert rows_of(rows, schema_of(motley, table)) == rows_by_query(motley, table)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("table", TABLES)
def test_every_version_has_the_same_rows(motley, table, reader):
    folder = motley.project / "lake" / table
    for version in range(versions(folder)):
        if reader is by_deltalake and negative_partitions(folder, version):
            with pytest.raises(pa.ArrowInvalid, match="not a valid decimal"):
                reader(folder, version)
            continue
        rows = rows_of(reader(folder, version), schema_of(motley, table, version))
        assert rows == rows_by_query(motley, table, version), version


def negative_partitions(folder, version):
    """deltalake 1.6 writes -7.0001 as `-7.00-1` where it makes an Arrow dataset of partitions, and then refuses it."""
    amounts = [values.get("amount") for values in snapshot(folder, version).files.values()]
    return any(amount and Decimal(amount) < 0 for amount in amounts)


def test_an_empty_text_is_no_partition(tmp_path):
    """Delta would read it back as NULL, so the table is refused rather than changed."""
    lakesmith = Lakesmith(tmp_path)
    for path, text in PROJECT.items():
        if "measures" in path or path == "lakesmith.yaml":
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
    (tmp_path / "landing/measures").mkdir(parents=True)
    rows = [measure(1, 0), measure(2, 0) | {"place": ""}]
    pq.write_table(pa.Table.from_pylist(rows, schema=FILE), tmp_path / "landing/measures/0.parquet")
    done = lakesmith("run")
    assert done.returncode == 1
    assert "`silver.measures`: `place`: an empty text cannot be a partition value" in done.stderr
    assert not (tmp_path / "lake/silver/measures/_delta_log").exists()
    assert [row["place"] for row in lakesmith.query("SELECT place FROM bronze.measures ORDER BY id")] == ["a b", ""]
