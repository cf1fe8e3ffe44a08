"""A lake of what readers of Delta stumble over: odd partition values, nested columns, money, old and far times, columns
that came later, cleaned headers, checkpoints, a compaction and a restore. Made by the binary from files of its own."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

BATCHES = 11  # so that there are checkpoints
MEASURED = 5  # the batches with measures too: partitions are many
PLACES = [
    "plain", "a b", " blanks ", "50%", "%20", "a%2Fb", "a:b", "a/b", "../up", ".", "a=b", "a+b&c", "it's", 'say "x"',
    "#?*[x]{y}", "back\\slash", "tab\there", "two\nlines", "ü ø ß", "e\u0301", "日本", "😀", "null", "NULL", "~", "1", None,
]  # fmt: skip
DAYS = [None, *map(dt.date, (1500, 1969, 1970, 2026, 9999), (2, 12, 1, 2, 12), (28, 31, 1, 28, 31))]
TIMES = [
    None, dt.datetime(1883, 11, 18, 12, 3, 58, 1), dt.datetime(1969, 12, 31, 23, 59, 59, 999_999), dt.datetime(1970, 1, 1),
    dt.datetime(2026, 3, 29, 1, 30, 0, 120_000), dt.datetime(2026, 10, 25, 1, 30), dt.datetime(9999, 12, 31, 23, 59, 59, 999_999),
]  # fmt: skip

PROJECT = {
    "lakesmith.yaml": "name: motley\nenvironments:\n  dev: { lake: ./lake, landing: ./landing }\n",
    "layers/bronze/measures.yaml": "source: { path: measures/*.parquet, format: parquet }\n",
    "layers/bronze/readings.yaml": 'source: { path: readings/*.csv, format: csv, csv: { delimiter: ";" } }\n',
    "layers/silver/measures.yaml": """\
from: bronze.measures
contract: schemas/measures.odcs.yaml
key: [id]
latest_by: [rev]
partition_by: [place]
""",
    "layers/silver/readings.yaml": """\
from: bronze.readings
contract: schemas/readings.odcs.yaml
columns: { price: unit_price_EUR, größe: Größe, id: column_1 }
key: [id]
on_change: forward_only
""",
    "layers/gold/moments.yaml": """\
from: silver.measures
key: [id]
partition_by: [day, taken, amount, flag, small]
guard: off
steps:
  - where: id % 9 = 0
  - select: [id, day, taken, amount, flag, small, place, ratio]
""",
    "layers/gold/places.yaml": """\
from: silver.measures
partition_by: [place]
guard: off
steps:
  - group_by: [place]
    aggregate:
      measures: count(*)
      amount: sum(amount)
      wide: max(wide)
      first_day: min(day)
      last_taken: max(taken)
      mean: avg(amount)
""",
    "schemas/measures.odcs.yaml": """\
apiVersion: v3.1.0
kind: DataContract
id: measures
version: 1.0.0
status: active
schema:
  - name: measures
    logicalType: object
    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: rev, logicalType: integer, physicalType: int, required: true }
      - { name: place, logicalType: string }
      - { name: day, logicalType: date }
      - { name: taken, logicalType: timestamp }
      - { name: amount, logicalType: number, physicalType: "decimal(18,4)" }
      - { name: wide, logicalType: number, physicalType: "decimal(38,10)" }
      - { name: ratio, logicalType: number, physicalType: double }
      - { name: half, logicalType: number, physicalType: float }
      - { name: flag, logicalType: boolean }
      - { name: tiny, logicalType: integer, physicalType: tinyint }
      - { name: small, logicalType: integer, physicalType: smallint }
      - { name: tags, logicalType: array, items: { logicalType: string } }
      - name: address
        logicalType: object
        properties:
          - { name: city, logicalType: string }
          - { name: "zip", logicalType: integer, physicalType: int }
      - name: items
        logicalType: array
        items:
          logicalType: object
          properties:
            - { name: sku, logicalType: string }
            - { name: price, logicalType: number, physicalType: "decimal(10,2)" }
""",
    "schemas/readings.odcs.yaml": """\
apiVersion: v3.1.0
kind: DataContract
id: readings
version: 1.0.0
status: active
schema:
  - name: readings
    logicalType: object
    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: price, logicalType: number, physicalType: "decimal(12,3)", logicalTypeOptions: { minimum: 0 } }
      - { name: größe, logicalType: string }
""",
}

FILE = pa.schema(
    [
        ("id", pa.int64()), ("rev", pa.int32()), ("place", pa.string()), ("day", pa.date32()), ("taken", pa.timestamp("us", "UTC")),
        ("amount", pa.decimal128(18, 4)), ("wide", pa.decimal128(38, 10)), ("ratio", pa.float64()), ("half", pa.float32()),
        ("flag", pa.bool_()), ("tiny", pa.int8()), ("small", pa.int16()), ("tags", pa.list_(pa.string())),
        ("address", pa.struct([("city", pa.string()), ("zip", pa.int32())])),
        ("items", pa.list_(pa.struct([("sku", pa.string()), ("price", pa.decimal128(10, 2))]))),
        ("blob", pa.binary()), ("unsigned", pa.uint32()), ("label", pa.dictionary(pa.int8(), pa.string())), ("local", pa.timestamp("ns")),
        ("odd name (€)", pa.string()),
    ]
)  # fmt: skip
LATER = pa.field("came_later", pa.string())
PROPERTY = "      - { name: came_later, logicalType: string }\n"


def measure(number, rev):
    """One row; where NULL and the bounds of types stand depends on its number."""
    pick = lambda values, at=number: values[at % len(values)]  # noqa: E731
    return {
        "id": number,
        "rev": rev,
        "place": pick(PLACES),
        "day": pick(DAYS),
        "taken": pick(TIMES),
        "amount": pick([None, Decimal("99999999999999.9999"), Decimal("-7.0001"), Decimal(number) / 8 + rev]),
        "wide": pick([None, Decimal("9" * 28 + "." + "9" * 10), -Decimal("9" * 28), Decimal("0.0000000001") * number]),
        "ratio": pick([None, 0.1 + number, -0.0, float("nan"), 1e308, 5e-324]),
        "half": pick([None, 0.1, 3.4e38, -1.5 * number]),
        "flag": pick([True, False, None]),
        "tiny": pick([None, 127, -128, 0]),
        "small": pick([None, 32_767, -32_768, 7]),
        "tags": pick([None, [], ["a", None, "ü,\n"], [f"t{number}"]]),
        "address": pick([None, {"city": None, "zip": None}, {"city": "Köln", "zip": 50_667}]),
        "items": pick([None, [], [{"sku": "x", "price": Decimal("1.10")}, None, {"sku": None, "price": None}]]),
        "blob": pick([None, b"", b"\x00\xff" * 3]),
        "unsigned": pick([None, 2**32 - 1, 1]),
        "label": pick([None, "red", "green"]),
        "local": pick([None, dt.datetime(2026, 7, 1, 12, 30, 0, 5)]),
        "odd name (€)": pick([None, "", "x"]),
    }


def write_measures(folder, batch):
    """New rows, and from the second batch on later revisions of some of the rows before."""
    rows = [measure(number, 0) for number in range(batch * 18, batch * 18 + 18)]
    rows += [measure(number, batch) | {"amount": Decimal(batch)} for number in range(batch, batch * 18, 5)]
    schema = FILE
    if batch >= 3:
        schema = FILE.append(LATER)
        rows = [row | {"came_later": f"since {batch}"} for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / f"{batch:02}.parquet")


def write_readings(folder, batch):
    """Headers that Delta cannot store, a column that comes later, and a price that the contract refuses."""
    later = batch >= 3
    lines = [";unit price (EUR);Größe;größe" + (";a,b" if later else "")]
    for number in range(batch * 20, batch * 20 + 20):
        price = "-1" if number % 19 == 0 else f"{number}.125"
        lines.append(f"{number};{price};{'XL' if number % 3 else ''};{number}" + (";later" if later else ""))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{batch:02}.csv").write_text("\n".join(lines) + "\n")


def append(path, text):
    path.write_text(path.read_text() + text)


def make(lakesmith):
    """The lake, batch by batch; then a compaction, a restore and a rebuild."""
    project = lakesmith.project
    for path, text in PROJECT.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    for batch in range(BATCHES):
        if batch < MEASURED:
            write_measures(project / "landing/measures", batch)
        write_readings(project / "landing/readings", batch)
        if batch == 3:  # a column that bronze gets; silver is made anew, with it
            append(project / "schemas/measures.odcs.yaml", PROPERTY)
        if batch == 6:  # a column that the rows before do not have
            append(project / "layers/silver/readings.yaml", 'steps: [{ derive: { twice: "price * 2" } }]\n')
        report = lakesmith.json("run", "--json", "--yes")
        assert report["status"] == "succeeded", report
    for number in range(BATCHES - MEASURED):  # versions without a change of rows
        for table in ("bronze.measures", "silver.measures"):
            lakesmith.json("pin", table, "--as", f"pin-{number}", "--json")
    lakesmith.json("optimize", "--json")
    lakesmith.json("restore", "silver.measures@2+", "--yes", "--json")
    lakesmith.json("run", "--json", "--yes")  # the definition that came back is not today's: a rebuild
    return lakesmith
