"""One per cent updates, beside deltalake's MERGE of the same rows into a copy of the same table.

Ours takes the rows from bronze as text, casts and judges them. deltalake's clock begins when its rows are typed and in
memory. It is measured in both of its ways, streamed and not, and the faster one counts.
"""

from measure import Died, alternately, best, peer
from targets import ratio, unknown

MERGES = ("merge-streamed", "merge-pruned")


def measure(bench):
    together = bench.lineitem.corrections_together(
        bench.scratch("together.csv"), 0.4, bench.lineitem.rows["corrections.csv"]
    )
    found, details = {}, {}
    for name, csv in (("together", together), ("scattered", bench.lineitem.corrections)):
        findings, details[name] = beside_merge(bench, csv)
        found |= {f"updates_{name}": findings[0], f"updates_{name}_peak": findings[1]}
    together.unlink()
    return found, details


def beside_merge(bench, csv):
    """Time and peak memory of both, and how many files lakesmith has rewritten."""
    before = bench.base().copy("updates")
    before.arrive(csv)
    before.run("bronze")
    details, ends = {"rows": bench.lineitem.rows["corrections.csv"]}, {}

    def ours():
        lake = before.copy("attempt")
        cost = lake.run("silver").cost
        details["files"] = lake.rewritten("silver.lineitem")
        ends["ours"] = peer("sums", lake.table("silver.lineitem"))[1]
        lake.remove()
        return cost

    def theirs(verb):
        lake = before.copy("attempt")
        cost, _ = peer(verb, lake.table("silver.lineitem"), csv)
        ends["theirs"] = peer("sums", lake.table("silver.lineitem"))[1]
        assert ends["ours"] == ends["theirs"], f"the two tables differ: {ends}"
        lake.remove()
        return cost

    try:
        cost, *merges = alternately(bench.repeat, ours, *(lambda verb=verb: theirs(verb) for verb in MERGES))
    except Died as why:
        cost = best([ours()])
        return [unknown(f"deltalake's MERGE died: {str(why)[-200:]}", cost)] * 2, details
    finally:
        before.remove()
    details |= {verb: merge.figures() for verb, merge in zip(MERGES, merges, strict=True)}
    fastest = min(merges, key=lambda merge: merge.seconds)
    return [ratio(cost, fastest), ratio(cost, fastest, "peak_bytes")], details
