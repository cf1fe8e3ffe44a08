"""10,000 files of 1 KB that arrive at once."""

from lake import Lake
from projects import small_file, small_tables
from targets import absolute

FILES, ROWS = 10_000, 28


def measure(bench):
    lake = many_files(bench, "small-files")
    size = (lake.folder / "landing/events_000/000001.csv").stat().st_size
    done = lake.run("bronze")
    rows = done.table("bronze.events_000")["rows"]["inserted"]
    expected = (FILES - 1) * ROWS + 10
    assert rows == expected, f"{rows} rows came in, not {expected}"
    silver = lake.run("silver").cost
    lake.remove()
    return {"small_files": absolute(done.cost)}, {"bytes_of_each": size, "silver": silver.figures()}


def many_files(bench, name):
    """A project of three tables and its landing files."""
    folder = bench.scratch(name)
    project = small_tables(folder, 1, 1)
    for number in range(1, FILES):
        small_file(folder / f"landing/events_000/{number:06}.csv", number * 100, ROWS)
    return Lake(bench.binary, folder, project)
