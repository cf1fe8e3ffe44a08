"""What shells complete: the real ones, where they are installed. bash is asked in tests/it."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

CASES = [
    ("lakesmith reb", "rebuild"),
    ("lakesmith rebuild silver.cu", "silver.customers"),
    ("lakesmith repair gold.mo", "gold.monthly_revenue"),
    ("lakesmith run --mem", "--memory"),
    ("lakesmith completions fi", "fish"),
]


@pytest.fixture
def script(sample, tmp_path):
    """Writes a shell's script and gives its path; `lakesmith` is on the path of the process."""
    name, *arguments = sample.command("completions")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/lakesmith").symlink_to(shutil.which(name))

    def write(shell, file):
        said = subprocess.run([name, *arguments, shell], capture_output=True, text=True, check=True)
        (tmp_path / file).write_text(said.stdout)
        return tmp_path / file

    return write


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(("line", "expected"), CASES)
def test_fish(script, sample, line, expected):
    asked = ["fish", "--no-config", "-c", f"source {script('fish', 'lakesmith.fish')}; complete -C '{line}'"]
    said = subprocess.run(asked, cwd=sample.project, capture_output=True, text=True, check=True).stdout
    assert expected in [found.split("\t")[0] for found in said.splitlines()]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(("line", "expected"), CASES)
def test_zsh(script, sample, line, expected):
    folder = script("zsh", "_lakesmith").parent
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(sample.project)
        os.execvpe("zsh", ["zsh", "-f", "-i"], os.environ | {"TERM": "dumb", "COLUMNS": "200"})
    try:
        setup = f"PS1= PATH={folder}/bin:$PATH; fpath=({folder} $fpath); autoload -Uz compinit; compinit -D -u; echo rea''dy"
        assert "ready" in typed(terminal, setup + "\r", "ready")
        assert expected in typed(terminal, line + "\t", expected)
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


def typed(terminal, text, expected, seconds=20):
    """All that is printed after a text was typed, until what is expected has come."""
    os.write(terminal, text.encode())
    printed, until = "", time.monotonic() + seconds
    while expected not in printed and time.monotonic() < until:
        if select.select([terminal], [], [], 0.5)[0]:
            printed += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", os.read(terminal, 65536).decode())
    return printed
