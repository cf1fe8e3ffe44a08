"""What people see on a terminal: a pseudo-terminal of a given width, with colours and without."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata

import pytest

SGR = re.compile(r"\x1b\[[0-9;]*m")
COMMANDS = [
    ["status"],
    ["history", "silver.orders"],
    ["runs"],
    ["files"],
    ["plan"],
    ["check"],
    ["show", "silver.orders"],
    ["query", "SELECT * FROM silver.customers LIMIT 3"],
    ["quarantine", "silver.orders"],
    ["vacuum", "--dry-run"],
    ["verify"],
    ["run"],
]


def on_terminal(lakesmith, arguments, width, **variables):
    """Exit code and all that is printed, by a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    unset = ("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS")
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    environment |= {"TERM": "xterm-256color", **variables}
    with subprocess.Popen(
        lakesmith.command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        printed = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not block:
                break
            printed += block
        os.close(ours)
        return process.wait(timeout=300), printed.decode().replace("\r\n", "\n")


def columns(line):
    """That a line takes, bars of progress apart."""
    wide = {"W", "F"}
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in wide else 1 for c in line)


@pytest.mark.parametrize("width", [60, 160])
def test_tables_fit_the_terminal(shop, width):
    for arguments in COMMANDS:
        code, printed = on_terminal(shop, arguments, width, NO_COLOR="1")
        assert code == 0, printed
        assert "\x1b[" not in SGR.sub("", printed) or arguments in (["run"], ["verify"]), printed
        assert not SGR.search(printed), printed
        ruled = [line for line in printed.split("\n") if "─" in line]
        assert all(columns(line) <= width for line in ruled), printed
        # names that people copy and advice stay whole; what stands below a rule is a table's
        tables = re.findall(r"^─+\n((?: .*\n)+)", printed, re.M)
        for line in "".join(tables).split("\n"):
            assert columns(line) <= width, (arguments, line)


def test_colours_are_for_terminals(shop):
    code, printed = on_terminal(shop, ["runs"], 160)
    assert code == 0 and "\x1b[38;5;10m" in printed and "succeeded" in printed, repr(printed)
    blocks = on_terminal(shop, ["runs"], 40)[1]
    assert " status: \x1b[38;5;10msucceeded\x1b[" in blocks, repr(blocks)
    assert SGR.sub("", printed).strip() == on_terminal(shop, ["runs"], 160, NO_COLOR="1")[1].strip()
    assert not SGR.search(shop("runs").stdout)
    code, printed = on_terminal(shop, ["show", "gold.nothing"], 160)
    assert code == 2 and "\x1b[1;31merror:\x1b[0m" in printed, repr(printed)


def test_colours_can_be_forced(shop):
    forced = subprocess.run(
        shop.command("runs"), capture_output=True, text=True, timeout=300, env=os.environ | {"CLICOLOR_FORCE": "1"}
    )
    assert SGR.search(forced.stdout)
    help_text = subprocess.run(
        shop.command("run", "--help"), capture_output=True, text=True, timeout=300, env=os.environ | {"NO_COLOR": "1"}
    )
    assert not SGR.search(help_text.stdout)


def test_long_values_are_cut_on_a_terminal_only(shop):
    question = ["query", "SELECT repeat('long ', 40) AS words, 1 AS n"]
    _, printed = on_terminal(shop, question, 60, NO_COLOR="1")
    assert "…" in printed and all(columns(line) <= 60 for line in printed.split("\n")), printed
    assert "…" not in shop(*question).stdout
