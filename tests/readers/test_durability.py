"""What a run reports survives a power cut: the system calls by which its files come about, in their order."""

import json
import os
import re
from pathlib import Path

import faults
import pytest
from faults import TEMPORARY

WHY_NOT = faults.unusable()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))

CALLS = ["trace=" + ",".join([faults.CALLS["write"], "?pwrite64", *list(faults.CALLS.values())[1:]])]


class Disk:
    """What the disk has for certain, by the calls of all threads as they ended."""

    def __init__(self):
        self.dirty, self.kept, self.folders = set(), set(), set()

    def write(self, path):
        self.dirty.add(path)
        self.kept.discard(path)

    def sync(self, path):
        (self.folders if os.path.isdir(path) else self.kept).add(path)
        self.dirty.discard(path)

    def make(self, path):
        """A name or a folder comes into being: its folder has to be synced again."""
        self.folders.discard(str(Path(path).parent))


def calls(log):
    """Thread, call, arguments, of those that ended well. One that another thread interrupts is told in two lines."""
    begun = {}
    for line in log:
        thread, text = re.match(r"(\d+) +(.*)", line).groups()
        if text.endswith("<unfinished ...>"):
            begun[thread] = text.removesuffix("<unfinished ...>")
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", text):
            text = begun.pop(thread, "") + resumed[1]
        if call := re.match(r"(\w+)\((.*)\) += (\d+)", text):
            yield call[1], call[2]


def named_by(commit):
    """The files that a commit adds."""
    lines = [json.loads(line) for line in Path(commit).read_text().splitlines()]
    return [str(Path(commit).parents[1] / line["add"]["path"]) for line in lines if "add" in line]


def check(log, project):
    """Follows a run, call by call."""
    lake = project / "lake"
    disk, made, placed, commits = Disk(), set(), set(), 0
    for call, arguments in calls(log):
        paths = [a or b for a, b in re.findall(r'<([^<>]*)>|"([^"]*)"', arguments)]
        paths = [path for path in paths if str(project) in path]
        if not paths:
            continue
        if call.startswith(("write", "pwrite")):
            disk.write(paths[0])
        elif call.startswith(("fsync", "fdatasync")):
            disk.sync(paths[0])
        elif call.startswith("mkdir"):
            made.add(paths[-1])
            disk.make(paths[-1])
        elif call.startswith(("link", "rename")):
            source, target = paths[0], paths[-1]
            assert TEMPORARY in source and Path(source).parent == Path(target).parent, arguments
            assert source in disk.kept, f"{target} gets its name before its bytes are kept"
            for folder in Path(target).parents:
                if str(folder) in made:
                    assert str(folder.parent) in disk.folders, f"{folder} is not kept when {target} appears"
            disk.make(target)
            placed.add(target)
            if re.search(r"_delta_log/\d{20}\.json$", target):
                commits += 1
                assert call.startswith("link"), f"{target} could be written over"
                for file in named_by(target):
                    assert file in placed, f"{target} names {file}, which has no name yet"
                    assert str(Path(file).parent) in disk.folders, f"{target} names {file}, whose folder is not kept"
    assert commits >= 15, commits
    for path in placed:
        assert str(Path(path).parent) in disk.folders, f"the folder of {path} is not kept when the run ends"
    for path in lake.rglob("*"):
        assert path.is_dir() or str(path) in placed, f"{path} came about in another way"


def test_every_object_is_kept_before_it_gets_its_name_and_before_anything_rests_on_it(sample):
    done = faults.strace(sample.command("run", "--jobs", "1"), ["-s", "4096", "-e", *CALLS])
    assert done.code == 0, done.stderr
    check(done.calls, sample.project)
    # and this is how it would be noticed
    for without in (rf"sync\(.*{TEMPORARY}", r"sync\(.*/_delta_log>", r"sync\(.*/lake>", r"sync\(.*/silver/\w+>"):
        with pytest.raises(AssertionError):
            check([line for line in done.calls if not re.search(without, line)], sample.project)


def test_a_run_with_nothing_to_do_touches_nothing(sample):
    assert sample("run").returncode == 0
    lake = sample.project / "lake"
    before = faults.files(lake)
    done = faults.strace(sample.command("run"), ["-e", *CALLS])
    assert done.code == 0, done.stderr
    assert [line for line in done.calls if str(lake) in line] == []
    assert faults.files(lake) == before
