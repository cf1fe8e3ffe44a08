"""On what was measured, and when."""

import datetime
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path


def memory():
    """Of the machine, in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def described(binary):
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {
            "cpu": cpu(),
            "cores": os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(os.sched_getaffinity(0)),
            "memory_bytes": memory(),
            "system": f"{platform.system()} {platform.release()}",
        },
        "versions": {
            "lakesmith": lakesmith(binary),
            "polars": version("polars"),
            "deltalake": version("deltalake"),
            "python": platform.python_version(),
        },
    }


def cpu():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def lakesmith(binary):
    told = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout
    return told.split()[-1]
