"""A copy of the sample project to play with: what a notebook does stays in a temporary folder."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BINARY = os.environ.get("LAKESMITH_BIN", "lakesmith")


class Project:
    """The shop of this repository, without a lake yet. With `waiting`, no file has arrived yet either."""

    def __init__(self, waiting=False):
        self._keep = tempfile.TemporaryDirectory(prefix="lakesmith-notebook-")
        self.folder = Path(self._keep.name)
        self.lake = self.folder / "lake"
        for name in ("layers", "schemas"):
            shutil.copytree(ROOT / name, self.folder / name)
        shutil.copy(ROOT / "lakesmith.yaml", self.folder)
        (self.folder / "landing").mkdir()
        if not waiting:
            self.arrive("*/*")

    def arrive(self, pattern):
        """The sample's files whose path matches come to the landing folder."""
        for file in sorted((ROOT / "landing").glob(pattern)):
            to = self.folder / "landing" / file.relative_to(ROOT / "landing")
            to.parent.mkdir(exist_ok=True)
            shutil.copy(file, to)

    def edit(self, path, old, new):
        """Changes a line of a file of the project."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new))

    def lakesmith(self, *arguments):
        """Runs the command line and prints its answer."""
        # A kernel asks for colours (CLICOLOR_FORCE), which not everything that shows a notebook knows.
        plain = os.environ | {"NO_COLOR": "1"}
        done = subprocess.run([BINARY, "-C", self.folder, *arguments], capture_output=True, text=True, env=plain)
        if done.returncode:
            raise RuntimeError(done.stderr)
        print(done.stdout, end="")

    def table(self, name):
        """The folder of a table's Delta table."""
        return str(self.lake / name.replace(".", "/"))
