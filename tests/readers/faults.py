"""Processes that die, or are refused something, at a system call of our choice; and what must hold of a lake then.

strace counts the calls of each thread by itself, so `when=K` meets the first thread that gets there. A run is given one
core, one worker and one table at a time, which leaves it few threads that touch the lake."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import polars as pl

# Some of these are other calls on other machines; `?` lets strace pass over those that it does not know.
CALLS = {
    "write": "write",
    "fsync": "fsync,fdatasync",
    "link": "?link,linkat",
    "rename": "?rename,?renameat,?renameat2",
    "unlink": "?unlink,unlinkat",
    "mkdir": "?mkdir,mkdirat",
}
KILL = "signal=SIGKILL"
# What each call may be refused with, and the system's words for it.
ERRORS = {"ENOSPC": "No space left on device", "EIO": "Input/output error", "EACCES": "Permission denied"}
REFUSALS = {
    "write": ("ENOSPC", "EIO"),
    "fsync": ("EIO", "ENOSPC"),
    "link": ("ENOSPC", "EACCES", "EIO"),
    "rename": ("EACCES", "EIO", "ENOSPC"),
    "unlink": ("EACCES", "EIO"),
    "mkdir": ("ENOSPC", "EACCES", "EIO"),
}
LINEAGE = ("_batch", "_ingested_at", "_source_file", "_source_row")
TEMPORARY = ".lakesmith-tmp-"
# With mounts of its own, which end with it.
APART = ("unshare", "--map-root-user", "--mount", "sh", "-ec")
CALM = {"TOKIO_WORKER_THREADS": "1", "POLARS_MAX_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "240"}


def unusable():
    """Why strace cannot be used here; None if it can."""
    if shutil.which("strace") is None:
        return "strace is missing; install it (apt install strace, dnf install strace) to see what deaths do"
    tried = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()}"


def no_small_disk():
    """Why no small disk can be had here; None if it can."""
    if shutil.which("unshare") is None:
        return "unshare is missing"
    tried = subprocess.run([*APART, "mount -t tmpfs lake /mnt"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"no disk may be mounted here: {tried.stderr.strip()}"


@dataclass(frozen=True)
class Point:
    """A call of a run, and what happens instead of it."""

    call: str
    # the K-th of a thread
    number: int
    # "signal=SIGKILL", "error=ENOSPC"
    what: str
    # all later ones too
    onwards: bool = False

    @property
    def inject(self):
        return f"inject={CALLS[self.call]}:{self.what}:when={self.number}{'+' if self.onwards else ''}"

    def __str__(self):
        return f"{self.call} {self.number}{'+' if self.onwards else ''} {self.what.partition('=')[2]}"


@dataclass
class Traced:
    """A command that has ended, or that hung and was stopped: it has no exit code then."""

    code: int | None
    stdout: str
    stderr: str
    calls: list

    @property
    def injected(self):
        return meddled(self.calls)


def strace(command, options, timeout=30, hopeless=lambda calls: False):
    """Runs a command under strace, on one core; one that takes long is stopped early if its calls are hopeless."""
    core = sorted(os.sched_getaffinity(0))[-1]
    with tempfile.NamedTemporaryFile("r", prefix="strace-") as log:
        traced = ["strace", "-f", "-qq", "-y", "-s", "0", "-o", log.name, "-e", "signal=none", *options, *command]
        process = subprocess.Popen(
            traced,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | CALM,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            start_new_session=True,
        )
        calls = []
        for seconds in (timeout / 6, timeout * 5 / 6):
            try:
                stdout, stderr = process.communicate(timeout=seconds)
                return Traced(process.returncode, stdout, stderr, calls + log.read().splitlines())
            except subprocess.TimeoutExpired:
                calls += log.read().splitlines()
                if hopeless(calls):
                    break
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        return Traced(None, stdout, stderr, calls + log.read().splitlines())


def meddled(calls):
    """The calls that were meddled with, as strace tells them."""
    return [line for line in calls if "(INJECTED)" in line or "(DELAYED)" in line]


def points(command, lake):
    """For each call, which K of a thread touch the lake when nothing goes wrong."""
    done = strace(command, ["-e", "trace=" + ",".join(CALLS.values())])
    assert done.code == 0, done.stdout + done.stderr
    kind = {name.lstrip("?"): call for call, names in CALLS.items() for name in names.split(",")}
    seen, found = Counter(), defaultdict(set)
    for line in done.calls:
        match = re.match(r"(\d+) +(\w+)\(", line)
        if match is None or match[2] not in kind:
            continue
        seen[match[1], match[2]] += 1
        if str(lake) in line:
            found[kind[match[2]]].add(seen[match[1], match[2]])
    return {call: sorted(numbers) for call, numbers in found.items()}


def evenly(points, count, seed=0):
    """Some of them, as far apart from one another as can be."""
    count = min(count, len(points))
    step = len(points) / max(count, 1)
    return [points[int(at * step + seed * 7 + step / 2) % len(points)] for at in range(count)]


def tables(lake):
    """The folders of all tables, by name."""
    return {str(log.parent.relative_to(lake)): log.parent for log in sorted(lake.rglob("_delta_log"))}


def has_commits(table):
    return any((table / "_delta_log").glob("0*.json"))


def rows(table, lineage=False):
    """The rows as a sorted list of texts, as another reader sees them."""
    frame = pl.read_delta(str(table))
    if not lineage:
        frame = frame.drop([name for name in LINEAGE if name in frame.columns])
    return sorted(str(row) for row in frame.select(sorted(frame.columns)).rows())


def everything(lake):
    """What all tables of the project hold. Bronze is told with the place of each record but for its time."""
    all_rows = {}
    for name, table in tables(lake).items():
        if name.startswith("_lakesmith") or not has_commits(table):
            continue
        if name.startswith("bronze/"):
            frame = pl.read_delta(str(table)).drop("_ingested_at", "_batch")
            # whether it has a column yet that a later file brings makes no difference to a row
            present = ({key: value for key, value in row.items() if value is not None} for row in frame.to_dicts())
            all_rows[name] = sorted(map(str, present))
        elif not name.startswith("quarantine/"):
            all_rows[name] = rows(table)
    return all_rows


def files(lake):
    """Every file of the lake and what tells it from another."""
    stats = {path: path.stat() for path in lake.rglob("*") if path.is_file()}
    return {str(path): (stat.st_size, stat.st_mtime_ns, stat.st_ino) for path, stat in stats.items()}


def left_behind(lake):
    """Files that no commit names: temporary ones, and data files."""
    left = [path for path in lake.rglob(f"{TEMPORARY}*") if path.is_file()]
    for table in tables(lake).values():
        named = set()
        for commit in (table / "_delta_log").glob("0*.json"):
            for line in commit.read_text().splitlines():
                named.add((json.loads(line).get("add") or {}).get("path"))
        left += [path for path in table.rglob("*.parquet") if "_delta_log" not in path.parts
                 and str(path.relative_to(table)) not in named]
    return left


def room(lake):
    """How many bytes of a disk of pages the files take."""
    return sum(-(-size // 4096) * 4096 for size, *_ in files(lake).values())


def on_small_disk(command, lake, size):
    """Runs a command while the lake is on a disk of so many bytes; what stands then is put back."""
    before, after = lake.with_name("before"), lake.with_name("after")
    lake.rename(before)
    lake.mkdir()
    script = 'mount -t tmpfs -o size="$1" lake "$2"; cp -a "$3/." "$2"; lake="$2" after="$4"; shift 4\n'
    script += 'code=0; "$@" || code=$?; cp -a "$lake" "$after"; exit $code'
    done = subprocess.run([*APART, script, "sh", str(size), lake, before, after, *command], capture_output=True,
                          text=True, env=os.environ | CALM, timeout=60)
    lake.rmdir()
    after.rename(lake)
    shutil.rmtree(before)
    return done


def forget_claims(lake):
    """What a killed process has claimed expires after a minute; nobody waits for it here."""
    for claim in (lake / "_lakesmith/claims").glob("[!.]*.json"):
        claim.write_text(json.dumps(json.loads(claim.read_text()) | {"until": "2026-01-01T00:00:00Z"}))


def age(lake, seconds=2 * 86400):
    """Two days go by."""
    then = time.time() - seconds
    for path in lake.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


ACCOUNTED = ("inserted", "updated", "unchanged", "superseded", "filtered", "quarantined")


def assert_accounted(report):
    """I3"""
    for table in report["tables"]:
        if any("batch" in one for one in table.get("inputs") or []):
            assert table["rows"]["read"] == sum(table["rows"][key] for key in ACCOUNTED), table


def assert_said(done, lake):
    """An error says what, where, and what to do; one that does no harm need not be an error."""
    words = [text for name, text in ERRORS.items() if any(name in line for line in done.injected)]
    assert done.code in (0, 1), f"exit code {done.code}: {done.stderr}"
    if done.code == 1 and words:
        assert any(text in done.stderr for text in words), done.stderr
        assert str(lake) in done.stderr, done.stderr
        assert "again" in done.stderr, done.stderr
    assert "panicked" not in done.stderr, done.stderr
