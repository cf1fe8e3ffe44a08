"""The sample project on S3, against a real server process, and what may go wrong on the way there."""

import gzip
import json
import os
import random
import re
import shutil
import subprocess
import time

import deltalake
import polars as pl
import pytest
import server
from conftest import ROOT, Lakesmith

TABLES = sorted(
    f"{path.parent.name}.{path.stem}" for path in (ROOT / "layers").glob("*/*.yaml") if path.parent.name != "bronze"
)
LINEAGE = {"_batch", "_source_file", "_source_row", "_ingested_at"}


@pytest.fixture(scope="module")
def upstream():
    with server.moto() as endpoint:
        server.client(endpoint).create_bucket(Bucket=server.BUCKET)
        yield endpoint


@pytest.fixture
def proxy(upstream):
    with server.proxied(upstream) as proxy:
        yield proxy


class Shop(Lakesmith):
    """The sample project with its lake and its landing files under a prefix of the bucket."""

    def __init__(self, folder, endpoint, upstream, landing="s3"):
        super().__init__(folder)
        self.prefix = folder.name
        self.s3 = server.client(upstream)
        self.environment = server.environment()
        for name in ("layers", "schemas"):
            shutil.copytree(ROOT / name, folder / name)
        self.landing = f"s3://{server.BUCKET}/{self.prefix}/landing" if landing == "s3" else "./landing"
        self.lake = f"s3://{server.BUCKET}/{self.prefix}/lake"
        self.settings(endpoint)

    def settings(self, endpoint, **more):
        options = {"aws_endpoint": endpoint, "aws_allow_http": "true"} | more
        storage = ", ".join(f'{key}: "{value}"' for key, value in options.items())
        (self.project / "lakesmith.yaml").write_text(
            f'name: shop\nenvironments:\n  prod: {{ lake: "{self.lake}", landing: "{self.landing}", '
            f"storage: {{ {storage} }} }}\n"
        )

    def __call__(self, *arguments, **more):
        command = self.command(*arguments)
        environment = self.environment | more
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, env=environment
        )

    def put(self, path, body):
        self.s3.put_object(Bucket=server.BUCKET, Key=f"{self.prefix}/landing/{path}", Body=body)

    def upload(self, *, but=()):
        for path in sorted((ROOT / "landing").rglob("*")):
            name = str(path.relative_to(ROOT / "landing"))
            if path.is_file() and name not in but:
                self.put(name, path.read_bytes())

    def objects(self, folder="lake"):
        """ETags by key: what is written anew has a new time."""
        pages = self.s3.get_paginator("list_objects_v2")
        pages = pages.paginate(Bucket=server.BUCKET, Prefix=f"{self.prefix}/{folder}/")
        return {o["Key"]: (o["ETag"], o["LastModified"]) for page in pages for o in page.get("Contents", [])}


def without_lineage(rows):
    rows = [{k: v for k, v in row.items() if k not in LINEAGE} for row in rows]
    return sorted(rows, key=lambda row: json.dumps(row, default=str))


def same_tables(one, other):
    for table in TABLES:
        sql = f"SELECT * FROM {table}"
        assert without_lineage(one.query(sql)) == without_lineage(other.query(sql)), table


def on_page(project):
    """The tables that the page of a project tells of."""
    page = (project / "site/index.html").read_text()
    return json.loads(re.search(r'<script type="application/json" id="docs">(.*?)</script>', page, re.DOTALL)[1])["tables"]


def orders_project(folder, endpoint, upstream, *, source="", **kinds):
    """One bronze table of CSV files and one silver table."""
    shop = Shop(folder, endpoint, upstream, **kinds)
    shutil.rmtree(shop.project / "layers")
    (shop.project / "layers/bronze").mkdir(parents=True)
    (shop.project / "layers/bronze/events.yaml").write_text(
        f'source: {{ path: "events/*.csv", format: csv{source} }}\n'
    )
    return shop


def test_the_whole_story(tmp_path, upstream, shop):
    """First run, nothing new, late files, rebuild, restore, upkeep; other readers see the same."""
    late = "orders/2026-03-corrections.csv"
    s3 = Shop(tmp_path, upstream, upstream)
    s3.upload(but=(late,))
    assert s3("check").returncode == 0
    assert s3.json("run", "--json")["status"] == "succeeded"
    first = s3.query("SELECT * FROM gold.daily_revenue")
    before = s3.objects()
    again = s3.json("run", "--json")
    assert again["status"] == "unchanged" and s3.objects() == before, "I7"
    s3.put(late, (ROOT / "landing" / late).read_bytes())
    trial = s3.json("rebuild", "silver.orders+", "--dry-run", "--json")
    assert trial["status"] != "failed" and s3.objects() == before
    assert s3.json("run", "--json")["status"] == "succeeded"
    same_tables(s3, shop)
    assert s3.json("verify", "--deep", "--json")["status"] in {"equal", "succeeded", "verified"}
    for command in (
        ["status"],
        ["history", "silver.orders"],
        ["diff", "silver.orders@0", "silver.orders"],
        ["show", "gold.daily_revenue"],
        ["files"],
        ["runs"],
        ["quarantine", "silver.orders"],
        ["docs"],
        ["optimize"],
        ["vacuum", "--dry-run"],
        ["vacuum", "--yes"],
    ):
        done = s3(*command)
        assert done.returncode == 0, (command, done.stdout + done.stderr)
    assert {table["table"]: table["status"]["rows"] for table in on_page(s3.project)} == {
        table["table"]: table["rows"] for table in s3.json("status", "--json")["tables"]
    }
    assert s3.json("rebuild", "silver.orders+", "--yes", "--json")["status"] != "failed"
    same_tables(s3, shop)
    options = server.storage_options(upstream)
    uri = f"{s3.lake}/gold/daily_revenue"
    rows = len(s3.query("SELECT * FROM gold.daily_revenue"))
    assert deltalake.DeltaTable(uri, storage_options=options).to_pyarrow_table().num_rows == rows
    assert pl.scan_delta(uri, storage_options=options).collect().height == rows
    s3.json("restore", "silver.orders@0", "--yes", "--json")
    assert s3("verify").returncode == 0
    assert without_lineage(s3.query("SELECT * FROM silver.orders")) != without_lineage(
        shop.query("SELECT * FROM silver.orders")
    )
    assert len(first) > 0


@pytest.mark.parametrize("lake, landing", [("./lake", "s3"), ("s3", "./landing")])
def test_one_on_a_disk_the_other_in_a_bucket(tmp_path, upstream, shop, lake, landing):
    mixed = Shop(tmp_path, upstream, upstream, landing=landing)
    if lake != "s3":
        mixed.lake = lake
        mixed.settings(upstream)
    if landing == "s3":
        mixed.upload()
    else:
        shutil.copytree(ROOT / "landing", mixed.project / "landing")
    assert mixed.json("run", "--json")["status"] == "succeeded"
    same_tables(mixed, shop)
    assert mixed.json("run", "--json")["status"] == "unchanged"


def test_odd_names_in_partitions_and_landing_files(tmp_path, upstream):
    s3 = orders_project(tmp_path, upstream, upstream)
    odd = ["a b", "50%", "x=1&y", "é✓", "a+b", "q?#"]
    for n, name in enumerate(odd):
        s3.put(f"events/{name}.csv", f"id,at,kind\n{n},2026-01-01T00:00:00Z,{name}\n".encode())
    (s3.project / "layers/silver").mkdir()
    (s3.project / "schemas/events.odcs.yaml").write_text(
        "apiVersion: v3.1.0\nkind: DataContract\nid: e\nversion: 1.0.0\nstatus: active\nschema:\n  - name: events\n"
        "    logicalType: object\n    properties:\n"
        "      - { name: id, logicalType: integer, physicalType: bigint, required: true }\n"
        "      - { name: at, logicalType: timestamp, required: true }\n"
        "      - { name: kind, logicalType: string }\n"
    )
    (s3.project / "layers/silver/events.yaml").write_text(
        "from: bronze.events\ncontract: schemas/events.odcs.yaml\nkey: [id]\nlatest_by: [at]\npartition_by: [kind]\n"
    )
    assert s3.json("run", "--json")["status"] == "succeeded"
    rows = s3.query("SELECT id, kind, _source_file FROM silver.events ORDER BY id")
    assert [row["kind"] for row in rows] == odd
    assert [row["_source_file"] for row in rows] == [f"events/{name}.csv" for name in odd]
    s3.put("events/more.csv", b"id,at,kind\n0,2026-01-02T00:00:00Z,a b\n9,2026-01-02T00:00:00Z,50%\n")
    assert s3.json("run", "--json")["status"] == "succeeded"
    assert s3("verify").returncode == 0


def test_eight_writers_take_each_file_once(tmp_path, upstream):
    s3 = orders_project(tmp_path, upstream, upstream)
    for n in range(24):
        s3.put(f"events/{n:02}.csv", "id,v\n" + "".join(f"{n * 10 + i},{i}\n" for i in range(10)))
    for _ in range(2):
        writers = [
            subprocess.Popen(
                s3.command("run", "--json"),
                env=s3.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(8)
        ]
        for writer in writers:
            out, err = writer.communicate(timeout=300)
            assert writer.returncode == 0, out + err
        s3.put("events/late.csv", "id,v\n240,0\n")
    s3.json("run", "--json")
    [row] = s3.query("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM bronze.events")
    assert (row["n"], row["ids"]) == (241, 241)
    [row] = s3.query("SELECT count(*) AS n FROM lakesmith.ledger WHERE state = 'taken'")
    assert row["n"] == 25


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_answers_that_fail_now_and_then(tmp_path, upstream, proxy, seed):
    """409, 412 and 503 in place of an answer, and connections cut after the request has arrived."""
    s3 = orders_project(tmp_path, proxy.endpoint, upstream)
    chance = random.Random(seed)

    def rule(method, path, headers):
        if chance.random() > 0.12:
            return None
        if method != "PUT":
            return chance.choice([503, "drop", 500])
        return chance.choice([503, "drop", 409] if "if-none-match" in headers else [503, "drop"])

    proxy.rule = rule
    for day in range(3):
        s3.put(f"events/{day}.csv", "id,v\n" + "".join(f"{day * 10 + i},{i}\n" for i in range(10)))
        report = s3("run", "--json")
        assert report.returncode == 0, report.stderr
    proxy.rule = lambda *_: None
    [row] = s3.query("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM bronze.events")
    assert (row["n"], row["ids"]) == (30, 30)
    assert s3("verify").returncode == 0


def test_a_lost_acknowledgement_is_no_loss(tmp_path, upstream, proxy):
    """Each conditional write arrives, and its answer does not."""
    s3 = orders_project(tmp_path, proxy.endpoint, upstream)
    s3.put("events/a.csv", "id,v\n1,2\n")
    lost = set()

    def rule(method, path, headers):
        if "if-none-match" in headers and path not in lost:
            lost.add(path)
            return "drop"
        return None

    proxy.rule = rule
    report = s3.json("run", "--json")
    assert report["status"] == "succeeded" and report["tables"][0]["action"] == "append"
    assert any("_delta_log" in path for path in lost) and any("claims" in path for path in lost)
    [row] = s3.query("SELECT count(*) AS n FROM bronze.events")
    assert row["n"] == 1


def test_a_server_that_overwrites_is_not_written_to(tmp_path, upstream, proxy):
    s3 = orders_project(tmp_path, proxy.endpoint, upstream)
    s3.put("events/a.csv", "id,v\n1,2\n")
    proxy.rule = lambda method, path, headers: "strip"
    done = s3("run", "--json")
    assert done.returncode == 1
    assert "If-None-Match" in done.stderr and proxy.endpoint in done.stderr
    assert s3.objects() == {}
    proxy.rule = lambda method, path, headers: 501 if "if-none-match" in headers else None
    done = s3("run", "--json")
    assert done.returncode == 1 and "If-None-Match" in done.stderr
    assert s3.objects() == {}


def test_an_object_that_changes_while_it_is_read_is_left(tmp_path, upstream, proxy):
    s3 = orders_project(tmp_path, proxy.endpoint, upstream)
    lines = [f"{n},{'x' * 80}\n" for n in range(20_000)]
    s3.put("events/a.csv", "id,v\n1,2\n")
    s3.put("events/big.csv", "id,v\n" + "".join(lines))
    changed = []

    def change():
        if not changed:
            changed.append(True)
            s3.put("events/big.csv", "id,v\n" + "".join(reversed(lines)))

    def rule(method, path, headers):
        later = not headers.get("range", "bytes=0-").startswith("bytes=0-")
        return change if method == "GET" and path.endswith("big.csv") and later else None

    proxy.rule = rule
    [report] = s3.json("run", "--json")["tables"]
    assert changed and report["files"]["taken"] == 1
    assert [left["path"] for left in report["files"]["left"]] == ["events/big.csv"]
    [row] = s3.query("SELECT count(*) AS n FROM bronze.events")
    assert row["n"] == 1
    [report] = s3.json("run", "--json")["tables"]
    assert report["files"]["taken"] == 1
    [row] = s3.query("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM bronze.events")
    assert row["n"] == 20_001


def test_ten_thousand_objects_are_listed(tmp_path, upstream):
    s3 = orders_project(tmp_path, upstream, upstream, source=", settle: 1h")
    for n in range(10_000):
        s3.put(f"events/{n:05}.csv", b"id,v\n1,2\n")
    began = time.monotonic()
    [report] = s3.json("run", "--json")["tables"]
    assert len(report["files"]["left"]) == 10_000
    print(f"listed 10,000 objects in {time.monotonic() - began:.1f} s")


def test_many_small_objects_are_fetched_once_and_together(tmp_path, upstream, proxy):
    s3 = orders_project(tmp_path, proxy.endpoint, upstream)
    for n in range(120):
        s3.put(f"events/{n:03}.csv", f"id,v\n{n},2\n".encode())
    s3.json("run", "--json")
    fetched = [path for method, path in proxy.seen if method == "GET" and "landing/events/" in path]
    assert len(set(fetched)) == 120
    # some are looked at before, to know the columns
    assert len(fetched) <= 140
    [row] = s3.query("SELECT count(*) AS n FROM bronze.events")
    assert row["n"] == 120


def test_the_same_second_and_size_but_other_bytes(tmp_path, upstream):
    """The time of an object has whole seconds; its ETag tells."""
    s3 = orders_project(tmp_path, upstream, upstream, source=", changed_files: new_version")
    s3.put("events/a.csv", "id,v\n1,2\n")
    s3.json("run", "--json")
    s3.put("events/a.csv", "id,v\n3,4\n")
    s3.json("run", "--json")
    rows = s3.query("SELECT id FROM bronze.events ORDER BY id")
    assert [row["id"] for row in rows] == ["1", "3"]
    s3.put("events/a.csv", "id,v\n3,4\n")
    assert s3.json("run", "--json")["status"] == "unchanged", "the same bytes put again"


def test_packed_and_parquet_files(tmp_path, upstream):
    s3 = orders_project(tmp_path, upstream, upstream)
    s3.put("events/a.csv.gz", gzip.compress(b"id,v\n1,2\n"))
    frame = pl.DataFrame({"id": range(100_000), "v": [str(n) for n in range(100_000)]})
    local = tmp_path / "x.parquet"
    frame.write_parquet(local)
    s3.put("rows/x.parquet", local.read_bytes())
    s3.put("rows/broken.parquet", b"PAR1 not at all")
    (s3.project / "layers/bronze/rows.yaml").write_text('source: { path: "rows/*.parquet", format: parquet }\n')
    done = s3("run", "--json")
    assert done.returncode == 1 and "broken.parquet" in done.stderr
    [row] = s3.query("SELECT count(*) AS n, sum(id) AS s FROM bronze.rows")
    assert (row["n"], row["s"]) == (100_000, 4_999_950_000)
    [row] = s3.query("SELECT count(*) AS n FROM bronze.events")
    assert row["n"] == 1


def failed(done, *words):
    told = done.stdout + done.stderr
    assert done.returncode in (1, 2), told
    for word in words:
        assert word in told, (word, told)
    assert server.SECRET not in told
    return told


def test_what_is_wrong_is_said_in_time(tmp_path, upstream, proxy):
    s3 = orders_project(tmp_path, upstream, upstream)
    s3.put("events/a.csv", "id,v\n1,2\n")
    nobody = f"http://127.0.0.1:{server.free_port()}"
    s3.settings(nobody)
    began = time.monotonic()
    failed(s3("run"), nobody, "cannot be reached")
    assert time.monotonic() - began < 60
    s3.settings(proxy.endpoint)
    proxy.rule = lambda method, path, headers: 403
    failed(s3("run", LAKESMITH_LOG="trace"), proxy.endpoint, "denies access", "AWS_ACCESS_KEY_ID")
    proxy.rule = lambda method, path, headers: 503
    failed(s3("run"), proxy.endpoint, "503")
    good, s3.lake = s3.lake, "s3://not-there/lake"
    s3.settings(upstream)
    for command in (["run"], ["status"]):
        failed(s3(*command), "there is no bucket `not-there`", upstream)
    s3.lake = good
    s3.settings(upstream)
    for name in server.ENVIRONMENT:
        s3.environment.pop(name)
    failed(s3("run", HOME=str(tmp_path)), "no credentials")


def test_the_profile_of_the_shared_files(tmp_path, upstream, proxy):
    s3 = orders_project(tmp_path, proxy.endpoint, upstream)
    s3.put("events/a.csv", "id,v\n1,2\n")
    keys = set()

    def rule(method, path, headers):
        keys.add(headers.get("authorization", "").partition("Credential=")[2].partition("/")[0])

    proxy.rule = rule
    for name in server.ENVIRONMENT:
        s3.environment.pop(name)
    (tmp_path / ".aws").mkdir()
    printed = json.dumps({"Version": 1, "AccessKeyId": "PROCESS", "SecretAccessKey": server.SECRET})
    (tmp_path / "keys.json").write_text(printed)
    (tmp_path / ".aws/config").write_text(
        f"[default]\nregion = eu-west-1\n[profile tool]\ncredential_process = cat {tmp_path}/keys.json\n"
    )
    (tmp_path / ".aws/credentials").write_text(
        f"[default]\naws_access_key_id = FILED\naws_secret_access_key = {server.SECRET}\n"
    )
    s3.environment["HOME"] = str(tmp_path)
    assert s3("run", "--json").returncode == 0
    assert keys == {"FILED"}
    keys.clear()
    assert s3("run", "--json", AWS_PROFILE="tool").returncode == 0
    assert keys == {"PROCESS"}
    failed(s3("run", AWS_PROFILE="other"), "no profile `other`")
