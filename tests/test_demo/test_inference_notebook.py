# Copyright (c) onestage_pose contributors.
"""demo/inference.ipynb runs, on the shipped weights or, without them, random ones."""

from pathlib import Path

from onestage_pose.utils import get_config_path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.test_apis.tiny_model import REPOSITORY, SYNTHETIC, write_random_weights

NOTEBOOK = REPOSITORY / 'demo/inference.ipynb'
WEIGHTS = (
    '../projects/synthetic_people/weights/gcm-keypoint-rcnn_r18-w32_fpn_synthetic.pth'
)


@pytest.fixture
def weights(tmp_path):
    """Path of the checkpoint to run with."""
    shipped = NOTEBOOK.parent / WEIGHTS
    if shipped.is_file():
        return shipped
    write_random_weights(get_config_path(SYNTHETIC), tmp_path / 'random.pth')
    return tmp_path / 'random.pth'


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == 'code']


def replace_once(notebook, old: str, new: str) -> None:
    sources = [cell.source for cell in code_cells(notebook)]
    assert sum(source.count(old) for source in sources) == 1
    for cell in code_cells(notebook):
        cell.source = cell.source.replace(old, new)


def test_every_cell_runs(notebook, weights: Path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(REPOSITORY))
    # one thread: with more, another busy process slows each of them many times over
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    replace_once(notebook, WEIGHTS, str(weights))
    folder = dict(metadata=dict(path=str(NOTEBOOK.parent)))

    # raises where a cell does
    NotebookClient(notebook, timeout=900, resources=folder).execute()

    shown = [
        output
        for cell in code_cells(notebook)
        for output in cell.outputs
        if 'image/png' in output.get('data', {})
    ]
    assert len(shown) == 6


def test_is_stored_without_outputs(notebook):
    assert not any(cell.outputs for cell in code_cells(notebook))
