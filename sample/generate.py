"""Writes the landing files of the sample project: a shop's orders, customers and products.

    python sample/generate.py [DIR]        (default: landing/ beside this folder)

Everything comes from one seed, so each run writes the same bytes. The faults in the files are there on purpose; each
stands beside the reason for it, and `lakesmith quarantine` shows what became of it.
"""

import csv
import gzip
import io
import json
import random
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20260101
REGIONS = ["north", "south", "east", "west"]
CATEGORIES = ["garden", "kitchen", "office", "outdoor"]
STATUSES = {"completed": 76, "pending": 10, "cancelled": 9, "returned": 4, "test": 1}
UNKNOWN_CUSTOMERS = [901, 902, 903]  # they order, but no customer file knows them
ORDER_COLUMNS = [
    "order_id",
    "customer_id",
    "product_id",
    "order_ts",
    "updated_at",
    "status",
    "quantity",
    "unit_price",
    "note",
]


def products(rng):
    """First list and its update: two lists of rows."""
    adjectives = ["Plain", "Oak", "Steel", "Blue", "Folding", "Tall", "Light", "Double", "Small", "Round"]
    nouns = {
        "garden": ["Rake", "Trowel", "Planter", "Hose"],
        "kitchen": ["Kettle", "Bowl", "Knife", "Pan"],
        "office": ["Lamp", "Chair", "Shelf", "Desk"],
        "outdoor": ["Tent", "Stove", "Bottle", "Blanket"],
    }
    start = datetime(2026, 1, 1, 6, tzinfo=UTC)
    first = []
    for number in range(1, 41):
        category = CATEGORIES[number % len(CATEGORIES)]
        first.append(
            {
                "product_id": f"P-{number:03}",
                "name": f"{adjectives[(number * 7) % 10]} {nouns[category][number // 4 % 4]}",
                "category": category,
                "list_price": Decimal(rng.randrange(400, 25_000)).scaleb(-2),
                "stock": rng.randrange(0, 900),
                "discontinued": False,
                "updated_at": start,
            }
        )
    later = datetime(2026, 2, 14, 6, tzinfo=UTC)
    update = [
        {**row, "list_price": (row["list_price"] * Decimal("1.10")).quantize(Decimal("0.01")), "updated_at": later}
        for row in first[4:12]
    ]
    update.append({**first[20], "discontinued": True, "stock": 0, "updated_at": later})
    update.append({**first[0], "product_id": "P-041", "name": "Wide Hammock", "updated_at": later})
    update.append({**first[1], "product_id": "P-042", "category": "gardn", "updated_at": later})  # no valid category
    return first, update


def customers(rng):
    """First export and its update: two lists of documents."""
    given = ["Ada", "Björn", "Chloé", "Dario", "Emre", "Fatima", "Grace", "Hugo", "Ines", "Jan", "Kaja", "Linus"]
    family = ["Almeida", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Hansen", "Ivanova", "Jensen"]
    cities = {"north": "Kiel", "south": "Ulm", "east": "Görlitz", "west": "Trier"}

    def document(number, region, at):
        name = f"{rng.choice(given)} {rng.choice(family)}"
        return {
            "customer_id": number,
            "name": name,
            "email": None if rng.random() < 0.05 else f"c{number}@example.com",
            "signed_up": (date(2025, 1, 1) + timedelta(days=rng.randrange(365))).isoformat(),
            "address": {"city": cities[region], "postcode": f"{rng.randrange(10_000, 99_999)}", "region": region},
            "tags": rng.sample(["newsletter", "business", "vip", "wholesale"], k=rng.randrange(0, 3)),
            "updated_at": at,
        }

    first = [document(n, rng.choice(REGIONS), "2026-01-01T00:00:00Z") for n in range(1, 181)]
    first.append(document(181, "north", "2026-01-01T00:00:00Z") | {"customer_id": "n/a"})  # the key is no number
    update = []
    for old in rng.sample(first[:180], k=30):  # they moved
        region = rng.choice(REGIONS)
        address = {**old["address"], "city": cities[region], "region": region}
        update.append({**old, "address": address, "updated_at": "2026-02-15T09:30:00Z"})
    update += [document(n, rng.choice(REGIONS), "2026-02-15T09:30:00Z") for n in range(182, 201)]
    update.append({**first[4], "name": "Older Name", "updated_at": "2025-12-01T00:00:00Z"})  # late: must not win
    update.append({**first[5], "email": "no-at-sign", "updated_at": "2026-02-15T09:30:00Z"})  # breaks the pattern
    return first, update


def orders(rng, prices):
    """The orders of three months and the corrections that came late: four lists of rows."""
    months, number = [], 0
    for month in (1, 2, 3):
        rows = []
        for _ in range(460):
            number += 1
            placed = datetime(2026, month, rng.randrange(1, 29), rng.randrange(7, 23), rng.randrange(60), tzinfo=UTC)
            product = rng.choice(sorted(prices))
            stranger = rng.random() < 0.01
            rows.append(
                {
                    "order_id": str(10_000 + number),
                    "customer_id": str(rng.choice(UNKNOWN_CUSTOMERS) if stranger else rng.randrange(1, 181)),
                    "product_id": product,
                    "order_ts": placed.strftime("%Y-%m-%d %H:%M"),
                    "updated_at": (placed + timedelta(minutes=rng.randrange(1, 90))).strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "status": rng.choices(list(STATUSES), STATUSES.values())[0],
                    "quantity": str(rng.choice([1, 1, 1, 2, 2, 3, 5])),
                    "unit_price": str(prices[product]),
                    "note": rng.choice(["", "", "", "gift", "leave at door", 'say "hello"', "fragile, please"]),
                }
            )
        rows.sort(key=lambda row: row["order_ts"])
        months.append(rows)
    past = months[0] + months[1]
    fixed = [
        {**row, "status": rng.choice(["completed", "cancelled", "returned"]), "updated_at": "2026-03-29T08:00:00Z"}
        for row in rng.sample([row for row in past if row["status"] == "pending"], k=50)
    ]
    stale = [
        {**row, "status": "pending", "updated_at": "2025-12-31T00:00:00Z"}  # older than what silver has
        for row in rng.sample([row for row in past if row["status"] == "completed"], k=12)
    ]
    twins = rng.sample(past, k=15)  # the same row once more
    corrections = fixed + stale + twins
    rng.shuffle(corrections)
    for rows in months:  # and some rows twice within their own file
        for row in rng.sample(rows, k=5):
            rows.insert(rng.randrange(len(rows)), row)
    return *months, corrections


def broken_order(number, **wrong):
    """A good order but for `wrong`."""
    row = {
        "order_id": str(90_000 + number),
        "customer_id": "7",
        "product_id": "P-007",
        "order_ts": "2026-01-15 12:00",
        "updated_at": "2026-01-15T12:30:00Z",
        "status": "completed",
        "quantity": "1",
        "unit_price": "10.00",
        "note": "",
    }
    return row | wrong


# Rows that split well, but that silver must refuse: (month, row)
REFUSED = [
    (1, broken_order(1, quantity="three")),
    (1, broken_order(2, unit_price="-4.00")),  # below the contract's minimum
    (1, broken_order(3, order_ts="2026-01-32 10:00")),
    (1, broken_order(4, order_id="")),  # no key
    (2, broken_order(5, status="shiped")),  # no valid value
    (2, broken_order(6, unit_price="19.995")),  # a digit more than the contract's decimal(10,2) holds
    (3, broken_order(7, quantity="99999999999")),  # more than an int holds
]

# Lines that do not split into the header's columns; bronze keeps them as they are: (month, line)
MALFORMED = [
    (1, b"10460,12,P-004,2026-01-28 20:15"),  # cut short
    (1, b"90010,12,P-004,2026-01-28 20:15,2026-01-28T20:20:00Z,completed,1,10.00,one,too,many"),
    (2, "90011,12,P-004,2026-02-03 20:15,2026-02-03T20:20:00Z,completed,1,10.00,café".encode("latin-1")),
    (2, b'90012,12,P-004,2026-02-04 20:15,2026-02-04T20:20:00Z,completed,1,10.00,"never closed'),
]


def order_file(rows, month, channels=(), line_end="\n"):
    """CSV bytes; the refused rows and malformed lines of `month` stand among the good ones."""
    extra = ["channel"] if channels else []
    lines = [_line(ORDER_COLUMNS + extra)]
    for position, row in enumerate(rows):
        channel = [channels[position % len(channels)]] if channels else []
        lines.append(_line([row[column] for column in ORDER_COLUMNS] + channel))
    refused = [row for wrong_month, row in REFUSED if wrong_month == month]
    faults = [_line([row[column] for column in ORDER_COLUMNS] + list(channels[:1])) for row in refused]
    faults += [line for wrong_month, line in MALFORMED if wrong_month == month]
    for position, line in enumerate(faults):
        lines.insert(40 + 60 * position, line)
    return b"".join(line + line_end.encode() for line in lines)


def _line(fields):
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(fields)
    return out.getvalue().encode()


def _ndjson(documents):
    return b"".join(json.dumps(d, ensure_ascii=False).encode() + b"\n" for d in documents)


def _write_products(path, rows):
    schema = pa.schema(
        [
            ("product_id", pa.string()),
            ("name", pa.string()),
            ("category", pa.string()),
            ("list_price", pa.decimal128(10, 2)),
            ("stock", pa.uint16()),
            ("discontinued", pa.bool_()),
            ("updated_at", pa.timestamp("us", tz="UTC")),
        ]
    )
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def everything():
    """What all files hold, as Python values, before it is written down."""
    rng = random.Random(SEED)
    listed, listed_later = products(rng)
    known, known_later = customers(rng)
    january, february, march, corrections = orders(rng, {row["product_id"]: row["list_price"] for row in listed})
    march[3]["note"] = "two lines:\nring, then knock"  # an embedded newline is no fault
    return {
        "products": (listed, listed_later),
        "customers": (known, known_later),
        "orders": (january, february, march, corrections),
    }


def generate(landing):
    """Writes all files below the folder `landing`."""
    shop = everything()
    for folder in ("orders", "customers", "products"):
        (landing / folder).mkdir(parents=True, exist_ok=True)
    january, february, march, corrections = shop["orders"]
    place = landing / "orders"
    (place / "2026-01.csv").write_bytes(order_file(january, 1))
    (place / "2026-02.csv").write_bytes(order_file(february, 2, line_end="\r\n"))
    packed = gzip.compress(order_file(march, 3, channels=["web", "shop", "phone"]), mtime=0)
    (place / "2026-03.csv.gz").write_bytes(packed)  # with a column more than the files before
    (place / "2026-03-corrections.csv").write_bytes(order_file(corrections, 0))
    (place / "2026-04.csv.part").write_bytes(order_file(january[:2], 0)[:-30])  # still being copied: no input
    known, known_later = shop["customers"]
    (landing / "customers" / "2026-01-01.ndjson").write_bytes(_ndjson(known))
    cut = b'{"customer_id": 200, "name": "Cut Off", "email": "c20'  # no JSON
    (landing / "customers" / "2026-02-15.ndjson").write_bytes(_ndjson(known_later) + cut + b"\n")
    listed, listed_later = shop["products"]
    _write_products(landing / "products" / "2026-01-01.parquet", listed)
    _write_products(landing / "products" / "2026-02-14.parquet", listed_later)


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "landing")
