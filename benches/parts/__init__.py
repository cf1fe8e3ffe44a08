"""The parts of the bench.

Each has `measure(bench)`, which gives its findings, by the names of their targets, and whatever else is worth knowing.
"""

from parts import export, gold, idle, loads, new_rows, small_files, start, story, time_travel, updates

PARTS = {
    "start": start,
    "idle": idle,
    "small-files": small_files,
    "loads": loads,
    "new-rows": new_rows,
    "updates": updates,
    "gold": gold,
    "export": export,
    "story": story,
    "time-travel": time_travel,
}
