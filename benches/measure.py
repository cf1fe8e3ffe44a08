"""Processes, and what each has cost.

The kernel counts a child's peak memory from its fork on. So nothing large may ever be loaded into this process, whose
25 MB are the least that is ever told: what needs Polars is done by peers.py, in a process of its own.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).with_name("peers.py")


class Died(Exception):
    """A process that did not do its work."""


@dataclass(frozen=True)
class Cost:
    """By the clock, of all processors together, and the most memory that was resident."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int

    def figures(self):
        return {
            "seconds": round(self.seconds, 4),
            "cpu_seconds": round(self.cpu_seconds, 4),
            "peak_bytes": self.peak_bytes,
        }


def best(costs):
    """Of several runs of the same: a machine can be slower than it is, but not faster. Of memory the most counts."""
    return Cost(
        min(cost.seconds for cost in costs),
        min(cost.cpu_seconds for cost in costs),
        max(cost.peak_bytes for cost in costs),
    )


def alternately(times, *sides):
    """The best cost of each side. They take turns, so that what disturbs the machine meanwhile disturbs all."""
    costs = [[settled(side) for side in sides] for _ in range(times)]
    return [best(of_side) for of_side in zip(*costs, strict=True)]


def settled(side):
    """Once what came before is on the disk, so that nobody waits for another's writes."""
    os.sync()
    return side()


def spend(command, environment=None):
    """Runs a command; its cost, and what it has printed."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        child = subprocess.Popen(list(map(str, command)), env=os.environ | (environment or {}), stdout=out)
        first_to_go(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    if child.returncode != 0:
        raise Died(f"`{' '.join(map(str, command))}` ended with {child.returncode}: {text}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024), text


def first_to_go(pid):
    """If memory runs out, let it be this process and no other of the machine."""
    with contextlib.suppress(OSError):  # it has ended already, or this is not Linux
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")


def peer(*arguments):
    """A verb of peers.py: its cost and its answer. Its clock runs while it works, not while Python loads Polars."""
    cost, text = spend([sys.executable, PEERS, *arguments])
    answer = json.loads(text)
    return Cost(answer.pop("seconds"), answer.pop("cpu_seconds"), cost.peak_bytes), answer
