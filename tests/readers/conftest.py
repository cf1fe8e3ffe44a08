"""Lakes to read, made by the binary that LAKESMITH_BIN names."""

import motley as motley_lake
import pytest
from lakesmith import ROOT, Lakesmith, copy_of_sample, run_shop

__all__ = ["ROOT", "Lakesmith", "copy_of_sample"]


@pytest.fixture
def sample(tmp_path):
    """A project to change, not yet run."""
    return copy_of_sample(tmp_path)


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """The project after one run; do not change it. The run's report is in `shop.report`."""
    return run_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def motley(tmp_path_factory):
    """The lake of motley.py; do not change it."""
    return motley_lake.make(Lakesmith(tmp_path_factory.mktemp("motley")))
