"""First loads: CSV → bronze → silver, each beside Polars doing the bare minimum of it."""

from measure import alternately, peer
from targets import absolute, ratio


def measure(bench):
    csv = bench.lineitem.whole
    parquet = bench.scratch("bare.parquet")
    lakes = []

    def bronze():
        lake = bench.fresh("bronze")
        lake.arrive(*csv)
        lakes[:] = [lake]
        return lake.run("bronze").cost

    def bare(*arguments):
        cost, _ = peer(*arguments)
        parquet.unlink()
        return cost

    ours, theirs = alternately(bench.repeat, bronze, lambda: bare("to-bronze", parquet, *csv))
    base = lakes[0]
    found = {"bronze": ratio(ours, theirs), "bronze_peak": absolute(ours, "peak_bytes")}

    def silver():
        lake = base.copy("loaded")
        lakes[:] = [lake]
        return lake.run("silver").cost

    def bare_silver():
        return bare("to-silver", parquet, base.table("bronze.lineitem"))

    ours, theirs = alternately(bench.repeat, silver, bare_silver)
    base.remove()
    bench.loaded = lakes[0]
    found |= {"silver": ratio(ours, theirs), "silver_peak": absolute(ours, "peak_bytes")}
    return found, {"rows": bench.lineitem.number, "csv_bytes": bench.lineitem.bytes}
