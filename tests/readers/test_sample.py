"""The sample project: its files are what the generator writes, and its tables are what a naive model makes of them."""

import gzip
import sys
from collections import defaultdict
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "sample"))
import generate  # noqa: E402

ACCOUNTED = ("inserted", "updated", "unchanged", "superseded", "filtered", "quarantined")


def test_the_generator_writes_what_is_in_git(tmp_path):
    generate.generate(tmp_path)
    there = {path.relative_to(ROOT / "landing"): path for path in (ROOT / "landing").rglob("*") if path.is_file()}
    made = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    assert there.keys() == made.keys()
    for name, path in there.items():
        assert content(path) == content(made[name]), name
    assert sum(path.stat().st_size for path in there.values()) < 300_000


def content(path):
    """What a file says. How tightly it is packed is the business of the zlib or Parquet writer at hand."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return pq.read_table(path) if path.suffix == ".parquet" else path.read_bytes()


def order_rows():
    """(batch of files does not matter) every order row that splits: good ones, and those that silver refuses."""
    shop = generate.everything()
    return [row for file in shop["orders"] for row in file], [row for _, row in generate.REFUSED]


def newest(rows, key):
    """The row of each key with the greatest updated_at; equal ones are the same row in these files."""
    best = {}
    for row in rows:
        if row[key] not in best or best[row[key]]["updated_at"] < row["updated_at"]:
            best[row[key]] = row
    return best


@pytest.fixture(scope="module")
def orders():
    good, _ = order_rows()
    return newest([row for row in good if row["status"] != "test"], "order_id")


@pytest.fixture(scope="module")
def customers():
    known, known_later = generate.everything()["customers"]
    right = [row for row in known + known_later if row["customer_id"] != "n/a" and row["email"] != "no-at-sign"]
    return newest(right, "customer_id")


def test_the_run_succeeds(shop):
    assert shop.report["status"] == "succeeded"
    assert {table["status"] for table in shop.report["tables"]} == {"succeeded"}


def test_bronze_holds_every_record(shop):
    good, refused = order_rows()
    [row] = shop.query('SELECT count(*) AS n, count("_malformed") AS malformed FROM bronze.orders')
    assert row == {"n": len(good) + len(refused) + len(generate.MALFORMED), "malformed": len(generate.MALFORMED)}


def test_silver_accounts_for_every_row(shop):
    for name in ("orders", "customers", "products"):
        [table] = [table for table in shop.report["tables"] if table["table"] == f"silver.{name}"]
        rows = table["rows"]
        [bronze] = shop.query(f"SELECT count(*) AS n FROM bronze.{name}")
        assert rows["read"] == bronze["n"] == sum(rows[kind] for kind in ACCOUNTED), name


def test_silver_refuses_what_the_generator_broke(shop, orders):
    [kept] = shop.query("SELECT count(*) AS n FROM silver.orders")
    assert kept["n"] == len(orders)
    [refused] = shop.query("SELECT count(*) AS n FROM quarantine.orders")
    assert refused["n"] == len(generate.REFUSED) + len(generate.MALFORMED)


def test_daily_revenue(shop, orders, customers):
    expected = defaultdict(lambda: [0, Decimal(0), set()])
    for row in orders.values():
        if row["status"] == "completed":
            customer = customers.get(int(row["customer_id"]))
            day = expected[row["order_ts"][:10], customer and customer["address"]["region"]]
            day[0] += 1
            day[1] += int(row["quantity"]) * Decimal(row["unit_price"])
            day[2].add(row["customer_id"])
    expected = {key: (orders, revenue, len(buyers)) for key, (orders, revenue, buyers) in expected.items()}
    rows = shop.query("SELECT * FROM gold.daily_revenue")
    got = {(r["order_date"], r["region"]): (r["orders"], Decimal(r["revenue"]), r["buyers"]) for r in rows}
    assert len(got) == len(rows)
    assert got == expected
    assert any(region is None for _, region in got), "some orders are by customers that no file knows"


def test_product_ranking(shop, orders):
    listed, listed_later = generate.everything()["products"]
    products = newest([row for row in listed + listed_later if row["category"] != "gardn"], "product_id")
    revenue = defaultdict(Decimal)
    for row in orders.values():
        if row["status"] == "completed":
            revenue[row["product_id"]] += int(row["quantity"]) * Decimal(row["unit_price"])
    expected = {}
    for product, amount in revenue.items():
        category = products[product]["category"]
        rivals = [other for p, other in revenue.items() if products[p]["category"] == category]
        expected[product] = (category, amount, 1 + sum(other > amount for other in rivals))
    rows = shop.query("SELECT * FROM gold.product_ranking")
    assert {r["product_id"]: (r["category"], Decimal(r["revenue"]), r["rank"]) for r in rows} == expected


def test_customers_without_orders(shop, orders, customers):
    ordered = {int(row["customer_id"]) for row in orders.values()}
    rows = shop.query("SELECT customer_id FROM gold.customers_without_orders")
    assert sorted(row["customer_id"] for row in rows) == sorted(customers.keys() - ordered)


def test_file_by_file_gives_the_same_as_all_at_once(shop, sample):
    """I4, seen from outside: the files arrive one after another, the newest first."""
    late = sample.project / "late"
    files = [path for path in sorted((sample.project / "landing").rglob("*")) if path.is_file()]
    for path in files:
        target = late / path.relative_to(sample.project / "landing")
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    first = [path for path in files if path.name.startswith("2026-01")]  # of each source, so that headers are known
    rest = [path for path in reversed(files) if path not in first]
    for group in [first, *([path] for path in rest)]:
        for path in group:
            (late / path.relative_to(sample.project / "landing")).rename(path)
        sample.json("run", "--json")
    for table, order in [("silver.orders", "order_id"), ("silver.customers", "customer_id"),
                         ("gold.daily_revenue", "order_date, region"), ("gold.product_ranking", "product_id"),
                         ("gold.customer_lifetime_value", "customer_id")]:  # fmt: skip
        sql = f"SELECT * FROM {table} ORDER BY {order}"
        assert without_lineage(sample.query(sql)) == without_lineage(shop.query(sql)), table


def without_lineage(rows):
    return [{name: value for name, value in row.items() if not name.startswith("_")} for row in rows]
