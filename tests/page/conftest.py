"""Projects, the pages that the binary which LAKESMITH_BIN names makes of them, and the browser that BROWSER names."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]


def lakesmith(project, *arguments, code=0):
    """Runs the binary in a project, expects an exit code, gives what it answered."""
    command = [os.environ["LAKESMITH_BIN"], "-C", str(project), *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def write(folder, files):
    """Writes files by their paths."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def page_of(project, code=0):
    """The page of a project, as a file."""
    lakesmith(project, "docs", code=code)
    return project / "site/index.html"


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """The sample project after two runs, the second with a file that cannot be read; then a definition changes."""
    folder = tmp_path_factory.mktemp("shop")
    for name in ("layers", "schemas", "landing"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "lakesmith.yaml", folder)
    lakesmith(folder, "run")
    orders = folder / "landing/orders"
    header = (orders / "2026-01.csv").read_text().splitlines()[0]
    (orders / "2026-05.csv").write_text(header + "\n" + "not an order\n")
    (orders / "broken.csv").write_bytes(b"\x00\xff\xfePNG")
    lakesmith(folder, "run", code=1)
    gold = folder / "layers/gold/daily_revenue.yaml"
    gold.write_text(gold.read_text().replace("buyers: count(distinct customer_id)", "largest: max(total)"))
    return page_of(folder)


HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><b>&amp;\u2028{{7*7}}"


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    """A project whose texts would all be code, if anybody let them."""
    folder = tmp_path_factory.mktemp("hostile")
    quoted = "'" + HOSTILE.replace("'", "''") + "'"
    write(folder, {
        "lakesmith.yaml": f"name: {quoted}\nenvironments:\n  dev: {{ lake: ./lake, landing: ./landing }}\n",
        "layers/bronze/a.yaml": f"owner: {quoted}\ndescription: {quoted}\nsource: {{ path: '*.csv', format: csv }}\n",
        "layers/silver/a.yaml": f"from: bronze.a\ncontract: schemas/a.odcs.yaml\nkey: [id]\n# {HOSTILE}\n",
        "schemas/a.odcs.yaml": f"""apiVersion: v3.1.0
kind: DataContract
id: a
version: 1.0.0
status: active
schema:
  - name: a
    description: {quoted}
    properties:
      - {{ name: id, logicalType: integer, required: true, description: {quoted} }}
      - {{ name: '<b>hot</b>', logicalType: string, logicalTypeOptions: {{ pattern: '<i>' }} }}
""",
        "landing/<img src=x onerror=alert(1)>.csv": "id,<b>hot</b>\n1,<b>\n<b>,1\n",
    })
    lakesmith(folder, "run")
    return page_of(folder)


SMALL = """apiVersion: v3.1.0
kind: DataContract
id: a
version: 1.0.0
status: active
schema:
  - name: a
    properties:
      - { name: id, logicalType: integer, required: true }
"""


@pytest.fixture(scope="session")
def troubled(tmp_path_factory):
    """After a run in which a table failed, one was skipped, one took in files and set another aside; and what
    `lakesmith runs` has to say of it."""
    folder = tmp_path_factory.mktemp("troubled")
    write(folder, {"lakesmith.yaml": "name: t\nenvironments:\n  dev: { lake: ./lake, landing: ./landing }\n"})
    for name in ("a", "b"):
        write(folder, {
            f"layers/bronze/{name}.yaml": f"source: {{ path: '{name}/*.csv', format: csv }}\n",
            f"layers/silver/{name}.yaml": f"from: bronze.{name}\ncontract: schemas/a.odcs.yaml\nkey: [id]\n",
            f"layers/gold/{name}.yaml": f"from: silver.{name}\nkey: [id]\nsteps:\n  - select: [id]\n",
            f"landing/{name}/1.csv": "id\n1\n",
        })
    write(folder, {"schemas/a.odcs.yaml": SMALL})
    lakesmith(folder, "run", "+silver.b")
    log = folder / "lake/silver/a/_delta_log"
    log.mkdir(parents=True)
    (log / "00000000000000000000.json").write_text("no commit")
    (folder / "landing/a/broken.csv").write_bytes(b"\x00\xff\xfePNG")
    lakesmith(folder, "run", code=1)
    shutil.rmtree(folder / "lake/silver/a")
    return page_of(folder), json.loads(lakesmith(folder, "runs", "--json"))["runs"], lakesmith(folder, "runs")


def many(number):
    """A project of so many tables, three layers and chains of gold."""
    third = number // 3
    files = {"lakesmith.yaml": "name: many\nenvironments:\n  dev: { lake: ./lake, landing: ./landing }\n"}
    files["schemas/a.odcs.yaml"] = SMALL + "      - { name: amount, logicalType: integer }\n"
    for n in range(third):
        files[f"layers/bronze/source_{n:03}.yaml"] = f"source: {{ path: 's{n}/*.csv', format: csv }}\n"
        files[f"layers/silver/entity_{n:03}.yaml"] = (
            f"from: bronze.source_{n:03}\ncontract: schemas/a.odcs.yaml\nkey: [id]\n"
        )
        files[f"landing/s{n}/1.csv"] = "id,amount\n1,2\n"
    for n in range(number - 2 * third):
        above = f"gold.measure_{n - 20:03}" if n >= 20 and n % 3 == 0 else f"silver.entity_{n % third:03}"
        other = f"silver.entity_{(7 * n + 3) % third:03}"
        files[f"layers/gold/measure_{n:03}.yaml"] = (
            f"from: {above}\nkey: [id]\nsteps:\n  - join: {{ with: {other}, on: id, how: left, columns: {{ other: amount }} }}\n"
            "  - select: { id: id, amount: other }\n"
        )
    return files


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """Two hundred tables, and no lake yet."""
    folder = tmp_path_factory.mktemp("large")
    write(folder, many(200))
    return page_of(folder)


@pytest.fixture(scope="session")
def chromium():
    """The browser, without a window."""
    path = os.environ["BROWSER"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=None if path == "playwright" else path,
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        yield launched
        launched.close()


@pytest.fixture
def opened(chromium):
    """Opens a page from its file. Whatever it complains of or asks the network for fails the test."""
    contexts, complaints = [], []

    def open_page(file, hash="", width=1280, height=900, scheme="light", motion="no-preference"):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion=motion, timezone_id="Asia/Tokyo"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        local = ("file:", "data:", "http://127.0.0.1:")
        page.on("request", lambda asked: asked.url.startswith(local) or complaints.append(asked.url))
        page.goto((file.as_uri() if isinstance(file, Path) else file) + hash)
        page.set_default_timeout(5000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
