# Copyright (c) onestage_pose contributors.
"""What is wrong with a config is said in its terms."""

from onestage_pose.utils.config_errors import explain_config_error

import pytest
import torch
from mmdet.registry import MODELS
from mmpose.registry import DATASETS

EMPTY = dict(type='PersonKeypointsDataset', lazy_init=True)


def explain(build, *args):
    with pytest.raises(Exception) as raised:
        build(*args)
    return explain_config_error(raised.value)


@pytest.mark.parametrize(
    ('factors', 'reason'),
    [
        ([1.0], '`sample_ratio_factor` 1 does not match the length of `datasets` 2'),
        ([1.0, -1.0], '`sample_ratio_factor` should not be negative'),
    ],
)
def test_factors_that_do_not_fit_their_datasets_are_explained(
    factors, reason, monkeypatch
):
    monkeypatch.setattr(DATASETS.get('PersonKeypointsDataset'), '__len__', lambda _: 1)
    mixed = dict(
        type='CombinedDataset',
        metainfo=dict(from_file='configs/_base_/datasets/coco.py'),
        datasets=[EMPTY, EMPTY],
        sample_ratio_factor=factors,
    )

    explanation = explain(DATASETS.build, mixed)

    assert explanation.startswith('the config describes a CombinedDataset (mmpose.')
    assert reason in explanation


def test_an_option_that_does_not_exist_is_named():
    explanation = explain(DATASETS.build, dict(EMPTY, ann_flie='a.json'))

    assert explanation.startswith('the config gives an option that does not exist: ')
    assert 'ann_flie' in explanation


def test_a_size_below_0_is_explained_with_what_was_given():
    size = dict(in_features=-3, out_features=4)
    explanation = explain(MODELS.build, dict(type='Linear', _scope_='mmdet', **size))

    assert 'a Linear (torch.nn.modules.linear) that cannot be built: ' in explanation
    assert 'It is given in_features=-3, out_features=4.' in explanation


def test_a_gpu_without_memory_is_no_fault_of_a_config(monkeypatch):
    def fail(*args, **options):
        raise torch.OutOfMemoryError('CUDA out of memory')

    monkeypatch.setattr(DATASETS.get('PersonKeypointsDataset'), '__init__', fail)

    assert explain(DATASETS.build, EMPTY) is None


def test_an_error_while_nothing_is_built_is_none_of_the_configs():
    assert explain(int, 'seven') is None


def test_a_full_disk_is_no_fault_of_a_config(monkeypatch):
    def fail(*args, **options):
        raise OSError('No space left on device')

    monkeypatch.setattr(DATASETS.get('PersonKeypointsDataset'), '__init__', fail)

    assert explain(DATASETS.build, EMPTY) is None
