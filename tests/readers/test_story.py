"""The story that time travel is for: a wrong rule is found weeks later and mended, while files go on arriving and a
process is killed. What people see of gold is read by others: Polars, deltalake, DuckDB."""

import datetime as dt
import json
import signal
import subprocess
import time
from decimal import Decimal

import deltalake
import duckdb
import polars as pl
import pytest
from conftest import Lakesmith

FIRST_DAY = dt.date(2026, 10, 5)
CURRENCIES = ("EUR", "GBP", "USD")
RIGHT = {"EUR": Decimal("1.00"), "GBP": Decimal("1.15"), "USD": Decimal("0.92")}
# somebody took pounds for dollars
WRONG = RIGHT | {"GBP": RIGHT["USD"]}

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: payments
version: 1.0.0
status: active
schema:
  - name: payments
    logicalType: object
    properties:
      - { name: payment_id, logicalType: integer, physicalType: bigint, required: true }
      - { name: paid_at, logicalType: timestamp, required: true }
      - { name: currency, logicalType: string, required: true, logicalTypeOptions: { pattern: "[A-Z]{3}" } }
      - { name: amount, logicalType: number, physicalType: "decimal(12,2)", required: true }
"""
SILVER = """\
from: bronze.payments
contract: schemas/payments.odcs.yaml
key: [payment_id]
latest_by: [paid_at]
event_time: paid_at
steps:
  - derive:
      rate: CASE currency WHEN 'EUR' THEN 1.00 WHEN 'GBP' THEN {GBP} WHEN 'USD' THEN {USD} END
  - derive: {{ euros: "cast(amount * rate as decimal(12,4))" }}
"""
GOLD = """\
from: silver.payments
steps:
  - group_by: { week: "date_trunc('week', paid_at)", currency: currency }
    aggregate: { payments: count(*), euros: sum(euros) }
"""


class Shop(Lakesmith):
    """Files of payments, and what they must come to."""

    def __init__(self, folder):
        super().__init__(folder)
        self.paid = []
        self.write("lakesmith.yaml", "name: shop\nenvironments:\n  dev: { lake: ./lake, landing: ./landing }\n")
        self.write("layers/bronze/payments.yaml", "source: { path: payments/*.csv, format: csv }\n")
        self.write("schemas/payments.odcs.yaml", CONTRACT)
        self.write("layers/gold/weekly.yaml", GOLD)
        self.rule(WRONG)

    def write(self, path, text):
        file = self.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def rule(self, rates):
        self.write("layers/silver/payments.yaml", SILVER.format(**rates))

    def day(self, n):
        """The file of a day: some payments, and one that breaks the contract."""
        day = FIRST_DAY + dt.timedelta(days=n)
        lines = ["payment_id,paid_at,currency,amount"]
        for i in range(40):
            currency, amount = CURRENCIES[i % 3], Decimal(n * 100 + i * 7) / 4
            lines.append(f"{n * 100 + i},{day}T{i % 24:02}:00:00Z,{currency},{amount:.2f}")
            self.paid.append((day - dt.timedelta(days=day.weekday()), currency, Decimal(f"{amount:.2f}")))
        self.write(f"landing/payments/{day}.csv", "\n".join([*lines, f"{n * 100 + 99},{day}T00:00:00Z,pounds,1.00\n"]))

    def come_to(self, rates):
        """Week and currency to the number of payments and their euros."""
        sums = {}
        for week, currency, amount in self.paid:
            count, euros = sums.get((week, currency), (0, Decimal(0)))
            sums[week, currency] = (count + 1, euros + amount * rates[currency])
        return sums

    @property
    def gold(self):
        return str(self.project / "lake/gold/weekly")

    def seen(self, version=None):
        """Gold as others read it, who must agree."""
        columns = ["week", "currency", "payments", "euros"]
        table = deltalake.DeltaTable(self.gold, version=version)
        mine = pl.from_arrow(table.to_pyarrow_table()).select(columns).rows()
        assert sorted(mine) == sorted(pl.read_delta(self.gold, version=version).select(columns).rows())
        files = [f"{self.gold}/{path}" for path in table.get_add_actions(flatten=True).column("path").to_pylist()]
        rows = duckdb.sql(f"SELECT payments, euros FROM read_parquet({files})").fetchall()
        assert sorted(rows) == sorted(row[2:] for row in mine)
        return {(week.date(), currency): (count, euros) for week, currency, count, euros in mine}

    def files(self):
        """Every file of the lake, with its bytes."""
        return {path: path.read_bytes() for path in (self.project / "lake").rglob("*") if path.is_file()}

    def start(self, *arguments):
        command = self.command(*arguments)
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, **quiet)

    def forget_claims(self):
        """What a killed process has claimed expires after a minute; nobody waits for it here."""
        for claim in (self.project / "lake/_lakesmith/claims").glob("*.json"):
            claim.write_text(json.dumps(json.loads(claim.read_text()) | {"until": "2026-01-01T00:00:00Z"}))

    def verify(self):
        assert self.json("verify", "--json")["status"] == "equal"


def table(report, name):
    return next(t for t in report["tables"] if t["table"] == name)


@pytest.fixture
def shop(tmp_path):
    """Three weeks of files, taken in day by day, under the wrong rule."""
    shop = Shop(tmp_path)
    for n in range(21):
        shop.day(n)
        if n % 3 == 2:
            shop.json("run", "--json")
    return shop


def test_a_wrong_rule_is_found_after_three_weeks(shop):
    wrong = shop.come_to(WRONG)
    assert shop.seen() == wrong
    before = deltalake.DeltaTable(shop.gold).version()
    assert before == table(shop.json("status", "--json"), "silver.payments")["version"]

    # The rule is mended. What would that change?
    shop.rule(RIGHT)
    files = shop.files()
    report = shop.json("rebuild", "silver.payments+", "--dry-run", "--json")
    assert shop.files() == files
    pounds = sum(currency == "GBP" for _, currency, _ in shop.paid)
    silver, gold = (table(report, name)["diff"] for name in ("silver.payments", "gold.weekly"))
    assert silver["rows"]["changed"] == pounds
    assert silver["rows"]["added"] == silver["rows"]["removed"] == 0
    assert {c["name"]: c["changed"] for c in silver["columns"] if c["changed"]} == {"rate": pounds, "euros": pounds}
    assert gold["rows"]["changed"] == 3
    euros = next(t for t in gold["totals"] if t["name"] == "euros")
    assert Decimal(euros["before"]) == sum(e for _, e in wrong.values())
    assert Decimal(euros["after"]) == sum(e for _, e in shop.come_to(RIGHT).values())

    # While it is mended files arrive, and the process is killed once it has begun to write.
    right = shop.come_to(RIGHT)
    parquet = len(list((shop.project / "lake/silver/payments").glob("*.parquet")))
    rebuild = shop.start("rebuild", "silver.payments+", "--yes")
    shop.day(21)
    while rebuild.poll() is None and len(list((shop.project / "lake/silver/payments").glob("*.parquet"))) == parquet:
        time.sleep(0.001)
    rebuild.send_signal(signal.SIGKILL)
    rebuild.wait()
    assert shop.seen() in (wrong, right), "all of the old or all of the new"
    shop.forget_claims()

    # The file that came is for the run, with or without the rebuild.
    shop.json("rebuild", "silver.payments+", "--yes", "--json")
    assert shop.seen() == right
    shop.json("run", "--json")
    assert shop.seen() == shop.come_to(RIGHT)
    shop.verify()
    assert shop.seen(before) == wrong, "what was read then can still be read"

    # Somebody wants the old numbers back, then the new ones, twice.
    for _ in range(2):
        version = table(shop.json("status", "--json"), "silver.payments")["version"]
        shop.json("restore", f"silver.payments@{before}+", "--yes", "--json")
        assert shop.seen() == wrong
        report = shop.json("run", "--json")
        assert table(report, "silver.payments")["action"] == "rebuild"
        assert table(report, "silver.payments")["version"] > version
        assert shop.seen() == shop.come_to(RIGHT)
        shop.verify()
