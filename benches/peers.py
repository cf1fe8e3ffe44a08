"""What Polars and deltalake do by themselves, each verb in a process of its own.

    python peers.py VERB ARGUMENT...

Prints a JSON object: the verb's answer, and the seconds by the clock and of the processor that the work has taken.
"""

import json
import sys
import time
from pathlib import Path

import polars as pl
from deltalake import DeltaTable, write_deltalake
from script import KEY, TYPES


def to_bronze(out, *files):
    """CSV text to one Parquet file, nothing looked at."""
    return lambda: pl.scan_csv(list(files), infer_schema=False).sink_parquet(out, compression="snappy")


def to_silver(out, bronze):
    """The text of a bronze table, cast to the contract's types, to one Parquet file."""
    rows = cast(pl.scan_parquet(f"{bronze}/*.parquet", glob=True))
    names = [name for name in rows.collect_schema().names() if not name.startswith("_")]
    return lambda: rows.select(names).sink_parquet(out, compression="snappy")


def cast(rows):
    return rows.with_columns(
        pl.col(name).str.to_date() if dtype == pl.Date else pl.col(name).cast(dtype) for name, dtype in TYPES.items()
    )


def read(*files):
    """Every field of a CSV, parsed and counted."""
    return lambda: pl.scan_csv(list(files), infer_schema=False).select(pl.all().count()).collect(engine="streaming")


def merge(table, updates, *, streamed):
    """deltalake's MERGE of rows that are in memory already, typed as the table is."""
    delta = DeltaTable(table)
    rows = cast(pl.scan_csv(updates, infer_schema=False)).collect().to_arrow()
    same = " AND ".join(f"t.{column} = s.{column}" for column in KEY)
    values = {column: f"s.{column}" for column in rows.column_names}
    merging = delta.merge(rows, same, source_alias="s", target_alias="t", streamed_exec=streamed)
    return merging.when_matched_update(values).when_not_matched_insert(values).execute


def merge_streamed(table, updates):
    return merge(table, updates, streamed=True)


def merge_pruned(table, updates):
    """Not streamed, so that deltalake looks at the source's keys first and leaves out files by their statistics."""
    return merge(table, updates, streamed=False)


def passes(out, bronze, silver):
    """What no export with changes all over can do without: the newest rows of bronze are read and cast, those of silver
    are read, and of these the columns in which some differ are written anew. Nothing is compared."""
    came, stands = DeltaTable(bronze), pl.scan_parquet(DeltaTable(silver).file_uris())
    before = DeltaTable(bronze, version=came.version() - 1).file_uris()
    rows = cast(pl.scan_parquet(sorted(set(came.file_uris()) - set(before)))).select(pl.exclude("^_.*$"))
    changed = ["l_quantity", "l_comment", "_batch", "_source_file", "_source_row"]

    def run():
        for frame in rows, stands:
            frame.sink_batches(lambda _: None)
        stands.select(changed).sink_parquet(out, compression="zstd", compression_level=1)

    return run


def sums(table):
    """What tells two tables of line items apart."""
    rows = pl.scan_delta(table).select(rows=pl.len(), quantity=pl.sum("l_quantity"), keys=pl.sum("l_orderkey"))
    return lambda: {name: str(value) for name, value in rows.collect(engine="streaming").row(0, named=True).items()}


def files_with(table, version, changed):
    """The data files of a version that hold a key of the changed rows."""
    keys = pl.read_csv(changed, columns=KEY, schema_overrides={"l_orderkey": pl.Int64, "l_linenumber": pl.Int32})
    files = DeltaTable(table, version=int(version)).file_uris()

    def holds(file):
        matching = pl.scan_parquet(file).select(KEY).join(keys.lazy(), on=KEY, how="semi").select(pl.len())
        return matching.collect(engine="streaming").item() > 0

    return lambda: {"files": sorted(Path(file).name for file in files if holds(file))}


def same_gold(ours, theirs):
    """Two golds must be equal, or their times mean nothing."""
    columns = ["l_shipdate", "l_returnflag", "lines", "quantity", "price"]
    tables = [pl.read_delta(path).select(columns).sort(columns[:2]) for path in (ours, theirs)]

    def compare():
        if tables[0].to_dicts() != tables[1].to_dicts():
            sys.exit("the two golds differ")
        lines, price = tables[0].select(pl.sum("lines"), pl.sum("price")).row(0)
        return {"groups": tables[0].height, "lines": lines, "price": str(price)}

    return compare


def past_runs(table, number):
    """As many more rows of a table of runs, each with an id of its own, as compaction would have left them."""
    rows = pl.read_delta(table).head(1)
    more = pl.concat([rows] * int(number)).with_columns(run_id=pl.format("past-{}", pl.int_range(int(number))))
    return lambda: write_deltalake(table, more.to_arrow(), mode="append")


def checkpoint(table):
    return DeltaTable(table).create_checkpoint


MEASURED = to_bronze, to_silver, read, merge_streamed, merge_pruned, passes
HELP = sums, files_with, same_gold, past_runs, checkpoint
VERBS = {function.__name__.replace("_", "-"): function for function in MEASURED + HELP}


def main(verb, *arguments):
    work = VERBS[verb](*arguments)
    start, spent = time.perf_counter(), time.process_time()
    answer = work()
    seconds, cpu = time.perf_counter() - start, time.process_time() - spent
    print(json.dumps((answer if isinstance(answer, dict) else {}) | {"seconds": seconds, "cpu_seconds": cpu}))


if __name__ == "__main__":
    main(*sys.argv[1:])
