"""cron's table and systemd's units say what they seem to say; the commands in them are ones that lakesmith has."""

import re
import shutil
import subprocess

import pytest
from lakesmith import ROOT

FOLDER = ROOT / "examples/orchestrators"
FIELD = re.compile(r"(\*|[0-9]+(-[0-9]+)?)(/[0-9]+)?(,[0-9]+)*")


def commands(text):
    """The commands of lakesmith in a text, without the folder and the environment."""
    return re.findall(r"lakesmith (?:-C \S+ )?--env prod (.*?)(?: &&|$)", text, re.MULTILINE)


def test_cron():
    lines = [line for line in (FOLDER / "crontab").read_text().splitlines() if line and not line.startswith(("#", "LAKESMITH"))]
    assert len(lines) == 2
    for line in lines:
        *times, command = line.split(maxsplit=5)
        assert all(FIELD.fullmatch(time) for time in times), line
        assert "%" not in command, "cron takes % for a line end"
        assert subprocess.run(["sh", "-n", "-c", command]).returncode == 0


@pytest.mark.parametrize("file", ["crontab", "systemd/lakesmith@.service"])
def test_the_commands_are_known(project, file):
    found = commands((FOLDER / file).read_text())
    assert found
    project.json("run", "--json")
    for command in found:
        done = project(*command.split())
        assert done.returncode == 0, (command, done.stderr)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd(tmp_path):
    service = (FOLDER / "systemd/lakesmith@.service").read_text()
    binary = tmp_path / "lakesmith"  # systemd looks whether what it is to start is there
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    (tmp_path / "lakesmith@.service").write_text(service.replace("/usr/local/bin/lakesmith", str(binary)))
    shutil.copy(FOLDER / "systemd/lakesmith@.timer", tmp_path)
    units = [str(tmp_path / f"lakesmith@shop.{kind}") for kind in ("service", "timer")]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if "lakesmith" in line]
    assert done.returncode == 0 and not told, done.stderr
