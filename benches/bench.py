"""What the parts of the bench share: where they work, at which scale, and the lake that several of them begin from."""

import shutil
from functools import cached_property

from lake import LINEITEM, Lake
from landing import Lineitem


class Bench:
    """One call of `make bench`."""

    def __init__(self, options):
        self.binary, self.generator, self.folder = options.lakesmith, options.generator, options.folder
        self.scale, self.against = options.scale, options.against
        self.repeat, self.repeat_short = options.repeat, 2 * options.repeat
        self.work = self.folder / "work"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.loaded = None

    @cached_property
    def lineitem(self):
        return self.lineitem_at(self.scale)

    def lineitem_at(self, scale):
        return Lineitem(self.generator, self.folder, scale)

    def fresh(self, name, project=LINEITEM):
        """An empty lake."""
        return Lake.fresh(self.binary, self.work / name, project)

    def base(self):
        """The whole of lineitem in bronze and silver. Not to be changed: parts work on copies."""
        if self.loaded is None:
            self.loaded = self.fresh("loaded")
            self.loaded.arrive(*self.lineitem.whole)
            self.loaded.run("bronze", "silver")
        return self.loaded

    def scratch(self, name):
        """A path for a file that is not kept."""
        return self.work / name

    def done(self):
        shutil.rmtree(self.work, ignore_errors=True)
