"""The notebooks do, from a clean kernel, what they show; and what they show is kept in them.

    python -m pytest tests/notebooks            executes each and compares with what is kept
    python tests/notebooks/test_notebooks.py    executes each and keeps what comes out (`make notebooks`)
"""

import base64
import struct
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
PICTURES = {"mending": 1, "quality": 2, "tour": 2}


def executed(path):
    """The notebook with the outputs of today, without what differs from run to run."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": FOLDER}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def outputs(notebook):
    """Each output as its kind and text; of a picture its size, for fonts may be drawn in another way elsewhere."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                yield output.name, output.text
            elif output.output_type == "error":
                yield "error", output.evalue
            elif "image/png" in output.data:
                yield "picture", None
            else:
                yield "value", output.data["text/plain"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_does_what_it_shows(path):
    assert list(outputs(executed(path))) == list(outputs(nbformat.read(path, as_version=4))), "`make notebooks` keeps it"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_kept(path):
    notebook = nbformat.read(path, as_version=4)
    kinds = [kind for kind, _ in outputs(notebook)]
    assert "error" not in kinds and "stderr" not in kinds
    assert kinds.count("picture") == PICTURES[path.stem]
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                width, height = struct.unpack(">II", base64.b64decode(picture)[16:24])
                assert width > 300 and height > 100
    assert path.stat().st_size < 200_000


if __name__ == "__main__":
    for path in NOTEBOOKS:
        nbformat.write(executed(path), path)
        print(path.name)
