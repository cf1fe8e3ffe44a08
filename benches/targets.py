"""What `make bench` is to find, and whether it has."""

from dataclasses import dataclass

GB = 1e9


@dataclass(frozen=True)
class Target:
    """`limit`: the most that may be measured, or with `at_least` the least. `large`: the limit beyond scale 1."""

    part: str
    what: str
    against: str
    limit: float | None
    unit: str = "×"
    large: float | None = None
    at_least: bool = False

    def limit_at(self, scale):
        return self.large if scale > 1 and self.large is not None else self.limit


PEAK = "peak memory"
TARGETS = {
    "bronze": Target("loads", "CSV → bronze", "Polars' bare streaming CSV → Parquet", 1.5),
    "bronze_peak": Target("loads", "CSV → bronze", PEAK, 1 * GB, "bytes", large=1.5 * GB),
    "silver": Target("loads", "bronze → silver, first load", "Polars' bare streaming cast → Parquet", 2.0),
    "silver_peak": Target("loads", "bronze → silver, first load", PEAK, 1.5 * GB, "bytes", large=4 * GB),
    "new_rows": Target("new-rows", "merge of 10 % new rows", "the append of the same rows", 1.5),
    "updates_together": Target("updates", "merge of 1 % updates, together", "deltalake's MERGE", 0.5),
    "updates_together_peak": Target("updates", "merge of 1 % updates, together", "its peak memory", 0.5),
    "updates_scattered": Target("updates", "merge of 1 % updates, scattered", "deltalake's MERGE", 0.7),
    "updates_scattered_peak": Target("updates", "merge of 1 % updates, scattered", "its peak memory", 0.5),
    "gold_together": Target("gold", "gold, change in groups that lie together", "the same in a smaller table", 1.5),
    "gold_scattered": Target("gold", "gold, change in all groups", "its full recompute", 1.1),
    "export": Target("export", "daily export, 1 % changed together", "taking it into bronze", 2.0),
    "export_read": Target("export", "daily export, beside merely reading it", "Polars' bare reading of it", 2.0),
    "export_scattered": Target("export", "daily export, 1 % changed all over", "taking it into bronze", 2.0),
    "export_files": Target("export", "daily export: files rewritten without need", "none", 0, "files"),
    "story": Target("story", "whole story: times as fast", "the hand-written script", 4.0, at_least=True),
    "story_peak": Target("story", "whole story: share of memory", "the hand-written script", 0.2),
    "idle_3": Target("idle", "nothing to do: 3 tables", "clock", 0.050, "seconds"),
    "idle_200": Target("idle", "nothing to do: 200 tables", "clock", 0.500, "seconds"),
    "idle_long": Target("idle", "nothing to do: 1,000 commits, 2,000 files", "clock", 0.150, "seconds"),
    "idle_runs": Target("idle", "nothing to do: 10,000 past runs", "clock", 0.100, "seconds"),
    "idle_runs_files": Target("idle", "nothing to do: 10,000 past runs and their files", "clock", 0.100, "seconds"),
    "help": Target("start", "--help", "clock", 0.015, "seconds"),
    "check_200": Target("start", "check, 200 tables", "clock", 0.150, "seconds"),
    "small_files": Target("small-files", "10,000 files of 1 KB in one ingest", "clock", 10, "seconds"),
}


def ratio(ours, theirs, of="seconds"):
    """A finding: what ours has cost as a share of what theirs has."""
    return {
        "measured": getattr(ours, of) / getattr(theirs, of),
        "lakesmith": ours.figures(),
        "peer": theirs.figures(),
    }


def absolute(ours, of="seconds"):
    """A finding that is no ratio."""
    return {"measured": getattr(ours, of), "lakesmith": ours.figures(), "peer": None}


def unknown(why, ours=None):
    """A finding that could not be made."""
    return {"measured": None, "why": why, "lakesmith": ours.figures() if ours else None, "peer": None}


def judged(name, finding, scale):
    """The finding beside its target."""
    target = TARGETS[name]
    limit, measured = target.limit_at(scale), finding["measured"]
    met = None if measured is None else (measured >= limit if target.at_least else measured <= limit)
    shown = None if measured is None else round(measured, 4)
    head = {"name": name, "part": target.part, "what": target.what, "against": target.against, "scale": scale}
    bounds = {"unit": target.unit, "target": limit, "at_least": target.at_least, "met": met}
    return head | bounds | finding | {"measured": shown}


def amount(value, unit):
    """`1.32 ×`, `0.94 GB`, `43 ms`"""
    if value is None:
        return "–"
    match unit:
        case "bytes":
            return f"{value / GB:.2f} GB"
        case "files":
            return f"{value:.0f}"
        case "seconds" if value < 1:
            return f"{value * 1000:.0f} ms"
        case "seconds":
            return f"{value:.1f} s"
        case _:
            return f"{value:.2f} ×"


def bound(judged):
    """`≤ 1.50 ×`"""
    return f"{'≥' if judged['at_least'] else '≤'} {amount(judged['target'], judged['unit'])}"


def verdict(judged):
    return {True: "met", False: "MISSED", None: "unknown"}[judged["met"]]


def table(found):
    """The targets for people, one a line."""
    rows = [("", "SF", "against", "target", "measured", "", "lakesmith", "peer")]
    for one in found:
        sides = [words(one[side]) for side in ("lakesmith", "peer")]
        measured = amount(one["measured"], one["unit"])
        rows.append((one["what"], f"{one['scale']:g}", one["against"], bound(one), measured, verdict(one), *sides))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)


def words(cost):
    """`1.25 s   2.10 s cpu   0.61 GB`"""
    if cost is None:
        return "–"
    clock = f"{cost['seconds']:.3f} s" if cost["seconds"] < 1 else f"{cost['seconds']:.2f} s"
    return f"{clock:>8} {cost['cpu_seconds']:7.2f} s cpu {cost['peak_bytes'] / GB:6.2f} GB"
