"""Random work on a lake, with random deaths, for as long as asked; then every landing row must be accounted for.

    LAKESMITH_BIN=… python tests/soak/soak.py [--minutes 60] [--seed N] [--keep]

Files arrive, of new events and of corrections; runs, rebuilds, backfills, optimizes, vacuums and restores follow in any
order. About half of them are killed after a random time, die at a random system call, or have one refused (strace).
After each, every table opens and no row is there twice. The end: a plain run, `verify --deep` equal, and bronze, silver,
quarantine and gold are what a model says that has seen the same files."""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/readers"))
import faults  # noqa: E402
from conftest import Lakesmith  # noqa: E402
from faults import KILL, REFUSALS, Point  # noqa: E402

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: events
version: 1.0.0
status: active
schema:
  - name: events
    properties:
      - { name: id, logicalType: integer, physicalType: bigint, required: true }
      - { name: kind, logicalType: string }
      - { name: amount, logicalType: number, physicalType: "decimal(12,2)" }
      - { name: seq, logicalType: integer, physicalType: bigint, required: true }
      - { name: at, logicalType: timestamp, required: true }
"""
PROJECT = {
    "lakesmith.yaml": "name: soak\nenvironments:\n  dev: { lake: ./lake, landing: ./landing }\n",
    "layers/bronze/events.yaml": "source: { path: events/*.csv, format: csv }\n",
    "schemas/events.odcs.yaml": CONTRACT,
    "layers/silver/events.yaml": "from: bronze.events\ncontract: schemas/events.odcs.yaml\n"
    "key: [id]\nlatest_by: [seq]\nevent_time: at\n",
    "layers/gold/totals.yaml": "from: silver.events\nsteps:\n"
    "  - group_by: { kind: kind }\n    aggregate: { events: count(*), amount: sum(amount) }\n",
    "layers/gold/daily.yaml": "from: silver.events\nsteps:\n"
    "  - group_by: { day: \"date_trunc('day', at)\" }\n"
    "    aggregate: { events: count(*), last: max(seq), kinds: count(distinct kind) }\n",
}
KINDS = "abcdefg"
DAYS = 28


class Soak(Lakesmith):
    """A project, what has arrived, and what was done."""

    def __init__(self, folder, seed):
        super().__init__(folder)
        self.dice = random.Random(seed)
        self.seq, self.number = 0, 0
        # of each file its lines, of each id the newest event
        self.arrived, self.newest = {}, {}
        self.rejected = Counter()
        self.done, self.trouble = Counter(), []
        for path, text in PROJECT.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    @property
    def lake(self):
        return self.project / "lake"

    def arrive(self):
        """Some files; each appears at once, as a good sender has it."""
        for _ in range(self.dice.randint(1, 3)):
            lines, self.number = ["id,kind,amount,seq,at"], self.number + 1
            path = f"events/{self.number:05}.csv"
            for _ in range(self.dice.choice([1, 5, 30, 200])):
                lines.append(self.line(path))
            self.arrived[path] = len(lines) - 1
            target = self.project / "landing" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.with_suffix(".part").write_text("\n".join(lines) + "\n")
            target.with_suffix(".part").rename(target)

    def line(self, path):
        """A new event, a correction of an earlier one, one that the contract refuses, or one that does not split."""
        self.seq += 1
        kind, cents = self.dice.choice(KINDS), self.dice.randrange(1_000_000)
        at = f"2026-01-{self.dice.randint(1, DAYS):02}T{self.dice.randrange(24):02}:00:00Z"
        dice = self.dice.random()
        if dice < 0.04:
            self.rejected[path] += 1
            return f"x{self.seq},{kind},1.00,{self.seq},{at}" if dice < 0.02 else f"{self.seq},{kind}"
        old = self.newest and dice < 0.3
        event = self.dice.randrange(self.seq) if old else self.seq
        # it may be older than what is known
        seq = self.seq if dice < 0.9 else self.dice.randrange(self.seq)
        known = self.newest.get(event)
        if known is None or known[0] <= seq:
            # of equals the later record wins
            self.newest[event] = (seq, kind, Decimal(cents) / 100, at)
        return f"{event},{kind},{cents // 100}.{cents % 100:02},{seq},{at}"

    def command_of(self, what):
        """The arguments of a piece of work; None if it cannot be done yet."""
        dice = self.dice
        match what:
            case "run":
                return ["run"]
            case "rebuild":
                return ["rebuild", dice.choice(["silver.events+", "gold.totals", "gold.daily"]), "--yes"]
            case "backfill":
                first = dice.randint(1, DAYS - 3)
                days = [f"2026-01-{day:02}" for day in (first, first + dice.randint(1, 3))]
                return ["backfill", "silver.events+", "--from", days[0], "--to", days[1], "--yes"]
            case "optimize":
                return ["optimize"]
            case "vacuum":
                return ["vacuum", "--yes", *dice.choice([[], ["--retain", "0s", "--force"]])]
            case "restore":
                versions = sorted((self.lake / "silver/events/_delta_log").glob("0*.json"))
                if len(versions) < 2:
                    return None
                version = int(dice.choice(versions[-8:]).stem)
                return ["restore", f"silver.events@{version}+", "--yes"]
        raise ValueError(what)

    def work(self):
        weights = {"run": 10, "rebuild": 2, "backfill": 2, "optimize": 2, "vacuum": 2, "restore": 2}
        what = self.dice.choices(list(weights), weights.values())[0]
        arguments = self.command_of(what)
        if arguments is None:
            return
        how = self.dice.choices(["whole", "killed", "dies", "refused"], [50, 20, 15, 15])[0]
        outcome = getattr(self, how)(self.command(*arguments), what)
        self.done[what, how, outcome] += 1
        faults.forget_claims(self.lake)
        self.check(f"{' '.join(arguments)}, {how}")

    def whole(self, command, what):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        # a version that a vacuum has taken cannot come back, and says so
        if done.returncode != 0 and not (what == "restore" and "vacuum" in done.stderr):
            self.trouble.append(f"{command[3:]}: exit code {done.returncode}: {done.stderr}")
        return "done" if done.returncode == 0 else "refused"

    def killed(self, command, _):
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, **quiet)
        try:
            process.wait(self.dice.choice([0.1, 0.5, 2]) * self.dice.random() + 0.02)
            return "was faster"
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return "died"

    def dies(self, command, _):
        call = self.dice.choice(["write", "fsync", "link", "rename", "unlink"])
        return self.meddled(command, Point(call, self.dice.randint(1, 7), KILL))

    def refused(self, command, _):
        call = self.dice.choice(["fsync", "link", "rename", "unlink", "mkdir"])
        error = self.dice.choice(REFUSALS[call])
        return self.meddled(command, Point(call, self.dice.randint(1, 7), f"error={error}", self.dice.random() < 0.3))

    def meddled(self, command, point):
        options = ["-e", "trace=" + faults.CALLS[point.call], "-e", point.inject]
        done = faults.strace(command, options, timeout=120)
        if done.code is None:
            self.trouble.append(f"{command[3:]}, {point}: it hangs")
        if point.what != KILL and done.injected:
            try:
                faults.assert_said(done, self.lake)
            except AssertionError as error:
                self.trouble.append(f"{command[3:]}, {point}: {error}")
        return {0: "done", 1: "failed"}.get(done.code, "died")

    def check(self, after):
        """Every table opens; bronze has no record twice and none that never was; silver no key twice."""
        try:
            for name, table in faults.tables(self.lake).items():
                if faults.has_commits(table):
                    frame = pl.read_delta(str(table))
                    if name == "bronze/events":
                        places = frame.select("_source_file", "_source_row")
                        assert places.is_unique().all(), "bronze has a record twice"
                        counts = dict(frame.group_by("_source_file").len().rows())
                        # a file goes in whole or not at all
                        assert counts.items() <= self.arrived.items(), "bronze has part of a file"
                    elif name == "silver/events":
                        assert frame["id"].is_unique().all(), "silver has a key twice"
        except Exception as error:
            self.trouble.append(f"after {after}: {error}")

    def end(self):
        """The rest is done, and all of it is what the files give."""
        faults.forget_claims(self.lake)
        faults.assert_accounted(self.json("run", "--json"))
        # what a restore took back is taken in by the run after it
        faults.assert_accounted(self.json("run", "--json"))
        before = faults.files(self.lake)
        assert self.json("run", "--json")["status"] == "unchanged"
        assert faults.files(self.lake) == before
        report = self.json("verify", "--deep", "--json")
        assert report["status"] == "equal", report
        self.check("the end")
        bronze = pl.read_delta(str(self.lake / "bronze/events"))
        assert dict(bronze.group_by("_source_file").len().rows()) == self.arrived
        silver = pl.read_delta(str(self.lake / "silver/events"))
        found = {row["id"]: (row["seq"], row["kind"], row["amount"], row["at"]) for row in silver.to_dicts()}
        expected = {event: (*row[:3], parsed(row[3])) for event, row in self.newest.items()}
        assert found == expected, differing(found, expected)
        places = Counter(row["_source_file"] for row in self.json("quarantine", "silver.events", "--limit", "1000000", "--json"))
        assert places == self.rejected, "quarantine"
        totals = defaultdict(lambda: [0, Decimal(0)])
        for _, kind, amount, _ in expected.values():
            totals[kind][0] += 1
            totals[kind][1] += amount
        gold = {row["kind"]: [row["events"], row["amount"]] for row in pl.read_delta(str(self.lake / "gold/totals")).to_dicts()}
        assert gold == dict(totals), "gold"
        faults.age(self.lake)
        self.json("vacuum", "--yes", "--json")
        assert faults.left_behind(self.lake) == []
        assert self.json("verify", "--deep", "--json")["status"] == "equal"


def parsed(text):
    return pl.Series([text]).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")[0]


def differing(found, expected):
    keys = [key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)]
    return [(key, found.get(key), expected.get(key)) for key in sorted(keys)[:5]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep", action="store_true", help="leave the project where it is")
    asked = parser.parse_args()
    if why := faults.unusable():
        sys.exit(why)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"seed {asked.seed}, {asked.minutes:g} minutes, in {folder}", flush=True)
    soak, until = Soak(folder, asked.seed), time.monotonic() + 60 * asked.minutes
    soak.arrive()
    while time.monotonic() < until and not soak.trouble:
        if soak.dice.random() < 0.5:
            soak.arrive()
        soak.work()
    for key, count in sorted(soak.done.items()):
        print(f"{count:6} {', '.join(key)}")
    rows = sum(soak.arrived.values())
    print(f"{sum(soak.done.values())} pieces of work; {rows} rows in {len(soak.arrived)} files", flush=True)
    if not soak.trouble:
        try:
            soak.end()
        except AssertionError as error:
            soak.trouble.append(f"at the end: {error}")
    if soak.trouble:
        sys.exit("\n".join([*soak.trouble, f"the project is in {folder}"]))
    print("every row is accounted for, and verify --deep finds all tables equal")
    if not asked.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
