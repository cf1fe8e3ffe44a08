"""A run of the sample project that dies, or is refused something, at a system call: the tables open, a plain run does the
rest, and nothing is lost, doubled or left for good.

`LAKESMITH_DEATHS=all` tries every call that touches the lake, which takes hours; LAKESMITH_DEATHS=30m as many as half an
hour allows, in an order that LAKESMITH_SEED gives."""

import itertools
import os
import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import faults
import pytest
from conftest import Lakesmith, copy_of_sample
from faults import KILL, REFUSALS, Point

HOW_MANY = os.environ.get("LAKESMITH_DEATHS", "some")
SEED = int(os.environ.get("LAKESMITH_SEED", "0"))
# So many deaths at a call are tried, and so many refusals, in each of two runs.
SOME = {"fsync": (1, 1), "link": (1, 1), "rename": (1, 0), "mkdir": (0, 1)}
LATER = ("orders/2026-03-corrections.csv", "orders/2026-03.csv.gz", "customers/2026-02-15.ndjson")

WHY_NOT = faults.unusable()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))


@dataclass
class Job:
    """A run with work to do, and what comes of it when nothing goes wrong."""

    name: str
    project: Path
    points: dict = field(default_factory=dict)
    expected: dict = field(default_factory=dict)
    # how many files it writes
    files: int = 0
    # how many bytes of a disk they take
    room: int = 0


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """The first run, and one that takes in some files more."""
    first, away = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("away")
    copy_of_sample(first)
    later = tmp_path_factory.mktemp("later") / "shop"
    for name in LATER:
        (away / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(first / "landing" / name, away / name)
    shutil.copytree(first, later)
    assert Lakesmith(later)("run").returncode == 0
    shutil.copytree(away, later / "landing", dirs_exist_ok=True)
    shutil.copytree(away, first / "landing", dirs_exist_ok=True)
    return [whole(Job(name, project), tmp_path_factory) for name, project in (("first", first), ("later", later))]


def whole(job, tmp_path_factory):
    trial = tmp_path_factory.mktemp("whole") / "shop"
    shutil.copytree(job.project, trial)
    lake = trial / "lake"
    before, room = len(faults.files(lake)), faults.room(lake)
    job.points = faults.points(Lakesmith(trial).command("run", "--jobs", "1"), lake)
    job.expected = faults.everything(lake)
    job.files, job.room = len(faults.files(lake)) - before, faults.room(lake) - room
    assert job.points.keys() >= {"write", "fsync", "link", "rename", "unlink"}
    assert len(job.expected) == 11
    return job


def every(job):
    """All that can happen to a job, call by call."""
    for call, numbers in job.points.items():
        for number in numbers:
            yield Point(call, number, KILL)
        # To refuse all later writes would be to refuse those to pipes and events too.
        onwards = (False,) if call == "write" else (False, True)
        for number, error, all_later in itertools.product(numbers, REFUSALS[call], onwards):
            yield Point(call, number, f"error={error}", all_later)


def chosen(jobs):
    """What is tried, and until when."""
    if HOW_MANY == "some":
        for job in jobs:
            for call, (deaths, refusals) in SOME.items():
                # no thread may get as far as another one did the last time
                last = max(job.points.get(call, [0])) / 2
                points = [point for point in every(job) if point.call == call and point.number <= last]
                died = [point for point in points if point.what == KILL]
                refused = [point for point in points if point.what != KILL]
                yield from ((job, point) for point in faults.evenly(died, deaths, SEED))
                yield from ((job, point) for point in faults.evenly(refused, refusals, SEED + len(call)))
        return
    both = [(job, point) for job in jobs for point in every(job)]
    random.Random(SEED).shuffle(both)
    until = time.monotonic() + 60 * float(HOW_MANY.removesuffix("m")) if HOW_MANY != "all" else float("inf")
    print(f"{len(both)} points, seed {SEED}")
    for one in both:
        if time.monotonic() > until:
            return
        yield one


def goes_wrong(job, point, project):
    """Gives what became of the run that met the fault."""
    shutil.copytree(job.project, project)
    lakesmith, lake = Lakesmith(project), project / "lake"
    before = len(faults.files(lake))
    done = faults.strace(
        lakesmith.command("run", "--jobs", "1"),
        ["-e", "trace=" + faults.CALLS[point.call], "-e", point.inject],
        hopeless=lambda calls: (met := faults.meddled(calls)) and not any(str(lake) in line for line in met),
    )
    if point.what != KILL:
        on_lake = [str(lake) in line for line in done.injected]
        if not any(on_lake):
            return "elsewhere"
        # A thread that wakes another one writes too, which no disk refuses: such a run may panic or hang, as if it had died.
        if all(on_lake):
            assert done.code is not None, "it hangs"
            faults.assert_said(done, lake)
    recovers(job, lakesmith, lake, before)
    if done.code is None or done.code < 0 or done.code > 100:
        return "died"
    return "failed" if done.code else "went on"


def recovers(job, lakesmith, lake, before):
    """What stands is whole, whatever is missing yet; a plain run does the rest, and leaves nothing behind."""
    seen = faults.everything(lake)
    for name, rows in seen.items():
        assert name.startswith(("silver", "gold")) or set(rows) <= set(job.expected[name]), name
    left = faults.left_behind(lake)
    assert len(left) <= job.files, left
    # each may stand there under a second name, and so may the claim of each table, if no file could be deleted
    assert len(faults.files(lake)) - before <= 2 * (job.files + len(job.expected))

    faults.forget_claims(lake)
    report = lakesmith.json("run", "--json")
    faults.assert_accounted(report)
    for name, rows in faults.everything(lake).items():
        assert rows == job.expected[name], name
    assert lakesmith.json("verify", "--json")["status"] == "equal"
    # I7
    files = faults.files(lake)
    assert lakesmith.json("run", "--json")["status"] == "unchanged"
    assert faults.files(lake) == files
    if left or faults.left_behind(lake):
        faults.age(lake)
        lakesmith.json("vacuum", "--yes", "--json")
        assert faults.left_behind(lake) == []
        assert faults.everything(lake) == job.expected


@pytest.mark.skipif(faults.no_small_disk() is not None, reason=str(faults.no_small_disk()))
def test_a_disk_that_is_full_sooner_or_later_loses_nothing(jobs, tmp_path):
    for job, share in itertools.product(jobs, (0.1, 0.5, 0.9)):
        project = tmp_path / f"{job.name}-{share}"
        shutil.copytree(job.project, project)
        lakesmith, lake = Lakesmith(project), project / "lake"
        lake.mkdir(exist_ok=True)
        before = len(faults.files(lake))
        room = faults.room(lake) + int(share * job.room)
        done = faults.on_small_disk(lakesmith.command("run", "--jobs", "1"), lake, room)
        assert done.returncode == 1, done.stdout + done.stderr
        for words in ("No space left on device", str(lake), "again"):
            assert words in done.stderr, done.stderr
        recovers(job, lakesmith, lake, before)
        shutil.rmtree(project)


def test_a_run_dies_or_is_refused_something_at_any_call(jobs, tmp_path):
    outcomes, broken = Counter(), []
    for number, (job, point) in enumerate(chosen(jobs)):
        project = tmp_path / str(number)
        try:
            outcome = goes_wrong(job, point, project)
        except Exception as error:  # every one of them is told
            outcome = "broke"
            broken.append(f"{job.name}: {point}: {error}")
            print(broken[-1])
        outcomes[job.name, point.call, "died" if point.what == KILL else "refused", outcome] += 1
        shutil.rmtree(project)
    for key, count in sorted(outcomes.items()):
        print(*key, count)
    print(f"{sum(outcomes.values())} tried, {len(broken)} broke something")
    assert outcomes and not broken, "\n".join(broken)
