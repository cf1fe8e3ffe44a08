"""What scripts rely on: exit codes, stdout that is only the answer, the shape of its JSON."""

import csv
import io
import json
import shutil

COUNTS = {"read", "inserted", "updated", "unchanged", "superseded", "filtered", "quarantined", "deleted"}


def files_of(lake):
    return {path: path.stat().st_mtime_ns for path in lake.rglob("*") if path.is_file()}


def test_the_report_of_a_run(shop):
    assert set(shop.report) >= {"run_id", "status", "tables"}
    assert {table["table"] for table in shop.report["tables"]} == {
        f"{path.parent.name}.{path.stem}" for path in (shop.project / "layers").glob("*/*.yaml")
    }
    for table in shop.report["tables"]:
        assert set(table) >= {"table", "action", "status", "version", "rows", "seconds", "error"}
        assert set(table["rows"]) >= COUNTS
        assert table["action"] in {"append", "merge", "rebuild", "backfill", "restore", "none"}
        assert table["error"] is None


def test_running_again_writes_nothing(sample):
    """I7"""
    sample.json("run", "--json")
    before = files_of(sample.project / "lake")
    report = sample.json("run", "--json")
    assert report["status"] == "unchanged"
    assert {table["status"] for table in report["tables"]} == {"unchanged"}
    assert {table["action"] for table in report["tables"]} == {"none"}
    assert files_of(sample.project / "lake") == before


def test_plan_and_check_write_nothing(sample):
    assert sample("check").returncode == 0
    assert sample("plan").returncode == 0
    assert not (sample.project / "lake").exists()


def test_a_wrong_project_is_exit_code_2_and_names_the_line(sample):
    layer = sample.project / "layers/silver/orders.yaml"
    layer.write_text(layer.read_text().replace("from: bronze.orders", "from: bronze.order"))
    done = sample("check")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "layers/silver/orders.yaml:2:7" in done.stderr
    assert "did you mean `bronze.orders`?" in done.stderr


def test_a_wrong_command_is_exit_code_2(sample):
    assert sample("run", "silver.nonsense").returncode == 2
    assert sample("frobnicate").returncode == 2


def test_a_file_that_cannot_be_read_is_set_aside(sample):
    """Exit code 1, named each time; the other files and tables go on."""
    packed = sample.project / "landing/orders/2026-03.csv.gz"
    packed.write_bytes(packed.read_bytes()[:-2000])
    done = sample("run", "--json")
    assert done.returncode == 1
    assert "2026-03.csv.gz" in done.stderr
    assert json.loads(done.stdout)["status"] == "failed"
    [row] = sample.query("SELECT count(*) AS n FROM gold.daily_revenue")
    assert row["n"] > 0
    again = sample("run", "--json")
    assert again.returncode == 1
    assert "2026-03.csv.gz" in again.stderr


def test_show_and_query_agree_in_every_format(shop):
    table = "gold.product_ranking"
    shown = shop.json("show", table, "--limit", 1000, "--format", "json")
    queried = shop.query(f"SELECT * FROM {table}")
    by = "product_id"
    assert sorted(shown, key=lambda row: row[by]) == sorted(queried, key=lambda row: row[by])
    text = shop("query", f"SELECT * FROM {table}", "--format", "csv").stdout
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(queried)


def test_a_past_version_is_read(sample):
    """I6"""
    late = sample.project / "landing/orders/2026-03-corrections.csv"
    shutil.move(late, sample.project)
    sample.json("run", "--json")
    version = status_of(sample, "silver.orders")["version"]
    before = sorted_rows(sample, "silver.orders")
    shutil.move(sample.project / late.name, late)
    sample.json("run", "--json")
    assert sorted_rows(sample, "silver.orders") != before
    assert sorted_rows(sample, f"silver.orders@{version}") == before


def sorted_rows(lakesmith, table):
    rows = lakesmith.json("show", table, "--limit", 10_000, "--format", "json")
    assert len(rows) > 1000
    return sorted(rows, key=lambda row: row["order_id"])


def status_of(sample, name):
    status = sample.json("status", "--json")
    [table] = [table for table in status["tables"] if table["table"] == name]
    return table


def test_query_cannot_write(shop):
    for sql in ("DROP TABLE gold.daily_revenue", "INSERT INTO gold.daily_revenue SELECT * FROM gold.daily_revenue"):
        done = shop("query", sql)
        assert done.returncode == 2
        assert "only reads" in done.stderr
    assert shop.query("SELECT count(*) AS n FROM gold.daily_revenue")[0]["n"] > 0
