# Copyright (c) onestage_pose contributors.
"""The project is found from any folder, in any process, and by its old names."""

import sys

from onestage_pose.datasets import synthetic_people as old_place
from onestage_pose.projects.synthetic_people import SyntheticPeople
from onestage_pose.utils import get_config_path
from onestage_pose.utils.errors import ConfigNameError

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

from tests.test_projects.test_synthetic_people.people_sets import digest, people_set

CONFIGS = [
    'gcm-keypoint-rcnn_r18-w32_fpn_synthetic',
    'gcm-keypoint-rcnn_r18-w32_fpn_demo',
]


@pytest.fixture
def run(bare_program_server, tmp_path):
    """Runs a program in another folder, in a process that warns; its output."""

    def run(program):
        program = f"import warnings; warnings.simplefilter('always')\n{program}"
        status, printed = bare_program_server.run(
            '-c', program, log=tmp_path / 'program.log', cwd=tmp_path
        )
        assert status == 0, printed
        return printed

    return run


# --- the project is found


@pytest.mark.parametrize('name', CONFIGS)
def test_the_configs_import_the_project(name):
    imports = Config.fromfile(get_config_path(name)).custom_imports['imports']

    assert imports == ['onestage_pose', 'onestage_pose.projects.synthetic_people']


def test_a_config_builds_its_data_set_in_another_folder(run):
    config = get_config_path(CONFIGS[0])
    printed = run(
        'from mmengine.config import Config\n'
        f'cfg = Config.fromfile({str(config)!r})\n'
        'from mmpose.registry import DATASETS\n'
        'cfg.val_dataloader.dataset.pipeline = []\n'
        'print(len(DATASETS.build(cfg.val_dataloader.dataset)))\n'
    )

    assert printed.split()[-1] == '200'
    assert 'FutureWarning' not in printed


@pytest.mark.slow
def test_spawned_workers_of_a_data_loader_draw_the_same():
    dataset = people_set(num_images=4)
    loader = DataLoader(
        dataset,
        batch_size=None,
        num_workers=1,
        collate_fn=digest,
        multiprocessing_context='spawn',
    )

    assert list(loader) == [digest(info) for info in dataset]


def test_importing_the_package_does_not_import_the_project(run):
    printed = run(
        'import sys, onestage_pose.datasets\n'
        "print('onestage_pose.projects.synthetic_people' in sys.modules)\n"
    )

    assert printed.split()[-1] == 'False'


# --- the old names


def test_a_config_that_does_not_import_the_project_is_told_to(run):
    printed = run(
        'import onestage_pose\n'
        'from mmpose.registry import DATASETS\n'
        "people = DATASETS.build(dict(type='SyntheticPeople', num_images=3))\n"
        'print(type(people).__module__, len(people))\n'
    )

    assert printed.split()[-2:] == [f'{SyntheticPeople.__module__}', '3']
    expected = (
        "add custom_imports = dict(imports=['onestage_pose.projects.synthetic_people'])"
    )
    assert expected in printed


def test_where_the_project_is_not_the_error_says_what_to_add(monkeypatch):
    monkeypatch.setitem(sys.modules, old_place.PROJECT, None)

    with pytest.raises(ConfigNameError, match='which this installation does not have'):
        old_place.SyntheticPeopleAlias()


def test_a_broken_import_within_the_project_is_not_hidden(monkeypatch):
    monkeypatch.delitem(sys.modules, old_place.PROJECT)
    monkeypatch.delitem(sys.modules, f'{old_place.PROJECT}.dataset')
    monkeypatch.setitem(sys.modules, 'pycocotools', None)

    with pytest.raises(ModuleNotFoundError, match='pycocotools'):
        old_place.import_project()


def test_the_imported_project_stands_in_the_registry():
    assert DATASETS.get('SyntheticPeople') is SyntheticPeople


def test_the_class_is_found_where_it_was():
    import onestage_pose.datasets

    with pytest.warns(FutureWarning, match='is now .*projects.synthetic_people'):
        assert onestage_pose.datasets.SyntheticPeople is SyntheticPeople
    with pytest.warns(FutureWarning):
        assert old_place.SyntheticPeople is SyntheticPeople


def test_the_data_config_gives_training_and_test_samples():
    path = get_config_path('projects/synthetic_people/configs/_base_/synthetic_people')
    cfg = Config.fromfile(path)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        with DefaultScope.overwrite_default_scope('mmpose'):
            packed = DATASETS.build(loader.dataset)[0]
        assert packed['inputs'].shape == (3, 320, 320)
        assert packed['data_samples'].scale_factor == (1.0, 1.0)
