"""A daily full export: all rows come again, one per cent of them changed.

Reading it means two things: taking it into bronze, which is what lakesmith must do to keep what came, and merely
parsing it, by Polars. The whole run, bronze and silver, is held against both.
"""

from measure import alternately, best, peer, settled
from targets import absolute, ratio


def measure(bench):
    lineitem = bench.lineitem
    together = bench.scratch("together.csv")
    lineitem.corrections_together(together, 0.4, lineitem.rows["corrections.csv"])
    found, details = {}, {}
    for name, corrections in (("together", together), ("all over", lineitem.corrections)):
        csv = lineitem.export_again(bench.scratch("export.csv"), corrections)
        whole, ingest, read, files = costs(bench, csv, corrections)
        passes = None if name == "together" else bare_passes(bench, csv)
        csv.unlink()
        details[name] = {
            "whole": whole.figures(),
            "ingest": ingest.figures(),
            "read": read.figures(),
            "share_of_read": whole.seconds / read.seconds,
            "files": files,
        }
        if name == "together":
            found = {"export": ratio(whole, ingest), "export_read": ratio(whole, read)}
            found["export_files"] = absolute(whole) | {"measured": files["needlessly_rewritten"]}
        else:
            found["export_scattered"] = ratio(whole, ingest)
            details[name] |= {"passes": passes.figures(), "passes_share_of_ingest": passes.seconds / ingest.seconds}
    together.unlink()
    return found, details


def costs(bench, csv, corrections):
    """Of the whole run, of the ingest alone, of reading; and which files silver has rewritten."""
    files = {}

    def run(*layers):
        lake = bench.base().copy("attempt")
        lake.arrive(csv)
        done = lake.run(*layers)
        if "silver" in layers:
            files.update(rewritten(lake, corrections, done.table("silver.lineitem")))
        lake.remove()
        return done.cost

    sides = (lambda: run("bronze", "silver"), lambda: run("bronze"), lambda: peer("read", csv)[0])
    return *alternately(bench.repeat, *sides), files


def bare_passes(bench, csv):
    """What silver's share takes Polars, if it only reads, casts and writes."""
    lake, out = bench.base().copy("attempt"), bench.scratch("passes.parquet")
    lake.arrive(csv)
    lake.run("bronze")
    tables = lake.table("bronze.lineitem"), lake.table("silver.lineitem")
    cost = best([settled(lambda: peer("passes", out, *tables)[0]) for _ in range(bench.repeat)])
    lake.remove()
    out.unlink()
    return cost


def rewritten(lake, corrections, report):
    """How many files went, and how many of these held no row that changed."""
    table = lake.table("silver.lineitem")
    removed = lake.removed("silver.lineitem")
    held = set(peer("files-with", table, report["version"] - 1, corrections)[1]["files"])
    return lake.rewritten("silver.lineitem") | {
        "with_a_changed_row": len(held),
        "needlessly_rewritten": len(removed - held),
        "rows": {kind: count for kind, count in report["rows"].items() if count},
    }
