"""The files that arrive: TPC-H lineitem, and changes of it.

Line items come in the order of l_orderkey, as events come in the order of time.
"""

import json
import shutil
import subprocess

FIRST, REST, CORRECTIONS = "first.csv", "rest.csv", "corrections.csv"
QUANTITY, COMMENT = 4, 15


class Lineitem:
    """The generated text of one scale: the first nine tenths of the rows, the last tenth, and a correction of every
    hundredth row. Made once and kept."""

    def __init__(self, generator, folder, scale):
        self.scale = scale
        self.folder = folder / f"lineitem-{scale:g}"
        if not (self.folder / "rows.json").exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            command = [generator, self.folder, str(scale)]
            counts = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            rows = dict(zip([FIRST, REST, CORRECTIONS], map(int, counts.split()), strict=True))
            (self.folder / "rows.json").write_text(json.dumps(rows))
        self.rows = json.loads((self.folder / "rows.json").read_text())
        self.first, self.rest, self.corrections = (self.folder / name for name in (FIRST, REST, CORRECTIONS))
        self.whole = [self.first, self.rest]

    @property
    def number(self):
        """How many rows the whole has."""
        return self.rows[FIRST] + self.rows[REST]

    @property
    def bytes(self):
        return sum(file.stat().st_size for file in self.whole)

    def corrections_together(self, out, place, number):
        """So many corrections of rows that follow one another, from this part (0 to 0.8) of the whole on."""
        with self.first.open("rb") as lines, out.open("wb") as corrections:
            corrections.write(lines.readline())
            lines.seek(int(self.bytes * place))
            lines.readline()
            corrections.writelines(corrected(next(lines)) for _ in range(number))
        return out

    def export_again(self, out, corrections):
        """All rows once more, with these corrections in their places: what a daily full export is like."""
        with corrections.open("rb") as changed, out.open("wb") as export:
            export.write(next(changed))
            change = next(changed, None)
            for file in self.whole:
                with file.open("rb") as lines:
                    next(lines)
                    for line in lines:
                        if change is not None and line.startswith(key(change)):
                            line, change = change, next(changed, None)
                        export.write(line)
        return out


def key(line):
    """The text up to the line number; the two columns between order and line number never change."""
    return line[: len(line) - len(line.split(b",", QUANTITY)[QUANTITY])]


def corrected(line):
    """One more of it, and a comment that says so; as the generator's own corrections are."""
    fields = line.split(b",", COMMENT)
    fields[QUANTITY] = b"%d" % (int(fields[QUANTITY]) + 1)
    fields[COMMENT] = b'"corrected"\n'
    return b",".join(fields)
