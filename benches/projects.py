"""Variants of the project benches/lineitem, and projects of many small tables."""

import shutil

from lake import LINEITEM

SILVER, GOLD = "layers/silver/lineitem.yaml", "layers/gold/daily_sums.yaml"
# Line items come in the order of l_orderkey, so a block of orders lies in one stretch of the table, as a day does in a
# table of events; and it has as many rows at every scale.
BLOCK = 100_000


def variant(folder, name):
    """A copy of the project to change."""
    project = folder / f"project-{name}"
    shutil.rmtree(project, ignore_errors=True)
    return shutil.copytree(LINEITEM, project)


def without_key(folder):
    """Silver that only appends."""
    project = variant(folder, "without-key")
    silver = project / SILVER
    silver.write_text("".join(line for line in silver.open() if not line.startswith("key:")))
    return project


def by_month(folder):
    """Silver in a folder for each month."""
    project = variant(folder, "by-month")
    steps = "partition_by: [month]\nsteps:\n  - derive: { month: \"date_trunc('month', l_shipdate)\" }\n"
    silver = project / SILVER
    silver.write_text(silver.read_text() + steps)
    return project


def by_block(folder):
    """Two golds: sums by day, whose rows lie all over the table, and by block of orders, whose rows lie together."""
    project = variant(folder, "by-block")
    silver = project / SILVER
    silver.write_text(silver.read_text() + f"steps:\n  - derive: {{ block: l_orderkey div {BLOCK} }}\n")
    sums = (project / GOLD).read_text().replace("[l_shipdate, l_returnflag]", "[block]")
    (project / "layers/gold/block_sums.yaml").write_text(sums)
    return project


def small_tables(folder, sources, golds, auto_optimize=True):
    """`sources` bronze tables of a folder each, as many silver ones, and sums of the first `golds` of them."""
    project = folder / "project"
    files = {"lakesmith.yaml": (LINEITEM / "lakesmith.yaml").read_text().replace("name: lineitem", "name: small")}
    if not auto_optimize:
        files["lakesmith.yaml"] += "optimize: { auto: off }\n"
    for number in range(sources):
        name = f"events_{number:03}"
        files[f"layers/bronze/{name}.yaml"] = f'source: {{ path: "{name}/*.csv", format: csv }}\n'
        files[f"layers/silver/{name}.yaml"] = SMALL_SILVER.format(name=name)
        files[f"schemas/{name}.odcs.yaml"] = SMALL_CONTRACT.format(name=name)
        if number < golds:
            files[f"layers/gold/daily_{number:03}.yaml"] = SMALL_GOLD.format(name=name)
    for path, text in files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    for number in range(sources):
        small_file(folder / f"landing/events_{number:03}/000000.csv", 0, 10)
    return project


def small_file(path, first, rows):
    """Events with these ids; 28 of them are 1 KB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    events = (f"{id},2026-01-{1 + id % 28:02},customer {id:07},{id % 100}.50\n" for id in range(first, first + rows))
    path.write_text("id,day,who,amount\n" + "".join(events))


SMALL_SILVER = """from: bronze.{name}
contract: schemas/{name}.odcs.yaml
key: [id]
event_time: day
"""

SMALL_GOLD = """from: silver.{name}
steps:
  - group_by: [day]
    aggregate: {{ events: count(*), amount: sum(amount) }}
"""

SMALL_CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: {name}
name: Events
version: 1.0.0
status: active
schema:
  - name: {name}
    logicalType: object
    properties:
      - {{ name: id, logicalType: integer, physicalType: "bigint", required: true }}
      - {{ name: day, logicalType: date, required: true }}
      - {{ name: who, logicalType: string, required: true }}
      - {{ name: amount, logicalType: number, physicalType: "decimal(15,2)", required: true }}
"""
