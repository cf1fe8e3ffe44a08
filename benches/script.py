"""The story of the bench, written by hand with Polars and deltalake, as a data engineer would today.

    python peer.py FOLDER

FOLDER holds landing/ and gets lake/. Each line on stdin is a step, each line on stdout its answer, seconds by the
clock and of the processor: `load NAME` takes in landing/NAME as the next batch, `silver` casts and deduplicates it,
`gold` sums it.
"""

import sys
import time
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

KEY = ["l_orderkey", "l_linenumber"]
MONEY = pl.Decimal(15, 2)
TYPES = {
    "l_orderkey": pl.Int64, "l_partkey": pl.Int64, "l_suppkey": pl.Int64, "l_linenumber": pl.Int32,
    "l_quantity": MONEY, "l_extendedprice": MONEY, "l_discount": MONEY, "l_tax": MONEY,
    "l_shipdate": pl.Date, "l_commitdate": pl.Date, "l_receiptdate": pl.Date,
}  # fmt: skip


class Story:
    """Three Delta tables and the batch that is under way."""

    def __init__(self, folder):
        self.landing = folder / "landing"
        self.bronze, self.silver, self.gold = (str(folder / "lake" / name) for name in ("bronze", "silver", "gold"))
        self.batch = 0

    def load(self, name):
        self.batch += 1
        frame = pl.scan_csv(self.landing / name, infer_schema=False).with_columns(_batch=pl.lit(self.batch))
        frame.sink_delta(self.bronze, mode="append")

    def make_silver(self):
        rows = (
            pl.scan_delta(self.bronze)
            .filter(pl.col("_batch") == self.batch)
            .with_columns(pl.col(name).cast(dtype) for name, dtype in TYPES.items() if dtype != pl.Date)
            .with_columns(pl.col(name).str.to_date() for name, dtype in TYPES.items() if dtype == pl.Date)
            .unique(KEY, keep="last", maintain_order=False)
        )
        if self.batch == 1:
            rows.sink_delta(self.silver)
        else:
            rows = rows.collect(engine="streaming")
            same = " AND ".join(f"t.{column} = s.{column}" for column in KEY)
            merge = DeltaTable(self.silver).merge(rows, same, source_alias="s", target_alias="t")
            merge.when_matched_update_all().when_not_matched_insert_all().execute()

    def make_gold(self):
        sums = (
            pl.scan_delta(self.silver)
            .group_by("l_shipdate", "l_returnflag")
            .agg(lines=pl.len(), quantity=pl.sum("l_quantity"), price=pl.sum("l_extendedprice"))
            .with_columns(pl.col("lines").cast(pl.Int64))
            .collect(engine="streaming")
        )
        sums.write_delta(self.gold, mode="overwrite")


def main(folder):
    story = Story(folder)
    for line in sys.stdin:
        verb, *arguments = line.split()
        start, spent = time.perf_counter(), time.process_time()
        {"load": story.load, "silver": story.make_silver, "gold": story.make_gold}[verb](*arguments)
        print(time.perf_counter() - start, time.process_time() - spent, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
