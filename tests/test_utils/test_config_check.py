# Copyright (c) onestage_pose contributors.
"""Misspelt names are found before anything is built."""

import re
from pathlib import Path

from onestage_pose.utils.config_check import (
    check_options,
    check_top_level_names,
    explain_unknown_option,
    find_schedule_beyond_end,
)
from onestage_pose.utils.errors import ConfigNameError

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import Registry

from tests.faults import fault_of
from tests.tool_runs import REPOSITORY

PIPELINE = [dict(type='Load'), dict(type='Resize', scale=(8, 8))]
CONFIG = dict(
    train_cfg=dict(type='IterBasedTrainLoop', max_iters=10),
    optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1)),
    default_hooks=dict(clip=None),
    test_pipeline=PIPELINE,
    test_dataloader=dict(dataset=dict(pipeline=PIPELINE)),
    my_own=dict(threshold=0.7),
)


@pytest.mark.parametrize('name', ['train_cgf', 'default_hook', 'load_form', 'modle'])
def test_top_level_slip_is_named_with_what_it_resembles(name: str) -> None:
    with pytest.raises(ConfigNameError, match=f'my.py: nothing reads `{name}`'):
        check_top_level_names({name: 1}, 'my.py')


@pytest.mark.parametrize(
    'name',
    [
        'train_cfg',
        'data_root',
        'dataset_type',
        'train_pipeline',
        'test_pipeline',
        'vis_backends',
        'backend_args',
        'train_cfg_short',
        'base_lr',
        'num_keypoints',
        'train_dataset',
    ],
)
def test_known_names_and_variables_pass(name: str) -> None:
    assert fault_of(check_top_level_names, {name: 1}, 'my.py') is None


@pytest.mark.parametrize(
    'option',
    [
        'train_cfg.max_iters',
        'optim_wrapper.optimizer.lr',
        'optim_wrapper.clip_grad.max_norm',
        'optim_wrapper.optimizer._delete_',
        'train_cfg.val_interval',
        'test_dataloader.dataset.pipeline.1.scale',
        'test_dataloader.dataset.pipeline.1.keep_ratio',
        'default_hooks.clip.max_norm',
        'my_own.threshold',
        'load_from',
        'randomness.seed',
        'model_wrapper_cfg.find_unused_parameters',
    ],
)
def test_option_that_names_or_adds_something_passes(option: str) -> None:
    assert fault_of(check_options, CONFIG, {option: 1}) is None


@pytest.mark.parametrize(
    'option, advice',
    [
        ('train_cfg.max_iter', 'no `max_iter` in train_cfg. Did you mean `max_iters`'),
        ('optim_wraper.optimizer.lr', 'no `optim_wraper` in the config. Did you mean'),
        ('optim_wrapper.optimiser.lr', 'Did you mean `optimizer`'),
        ('test_dataloader.dataset.pipeline.1.scales', 'Did you mean `scale`'),
        ('something.else', 'no `something` in the config.'),
        (
            'test_dataloader.dataset.pipeline.2.scale',
            'list of 2; give a number from 0 to 1',
        ),
        ('test_dataloader.dataset.pipeline.x', 'list of 2'),
        ('test_pipeline.1.scale', 'such as `test_dataloader.dataset.pipeline`'),
        ('train_cfg.max_iters.x', 'max_iters is 10 and has no parts'),
    ],
)
def test_option_that_names_nothing_is_an_error(option: str, advice: str) -> None:
    with pytest.raises(ConfigNameError) as error:
        check_options(CONFIG, {option: 1})

    assert f'--cfg-options {option}' in str(error.value)
    assert advice in str(error.value)


THINGS = Registry('toy things')


@THINGS.register_module()
class Base:
    def __init__(self, first_option: int = 0) -> None:
        self.first_option = first_option


@THINGS.register_module()
class Derived(Base):
    def __init__(self, second_option: int = 0, **kwargs: int) -> None:
        super().__init__(**kwargs)


@THINGS.register_module()
class Maker:
    def __init__(self, options: dict) -> None:
        self.loader = torch.utils.data.DataLoader([1], **options)


def explanation(**cfg: object) -> object:
    with pytest.raises(TypeError) as error:
        THINGS.build(cfg)
    return explain_unknown_option(error.value)


def test_unknown_option_is_explained_with_the_close_one() -> None:
    text = explanation(type='Base', first_optoin=1)

    assert text.startswith('Base has no option `first_optoin`')
    assert text.endswith('did you mean `first_option`?')


def test_options_of_base_classes_are_among_the_close_ones() -> None:
    text = explanation(type='Derived', first_optoin=1)

    assert text.startswith('Derived has no option `first_optoin`')
    assert text.endswith('did you mean `first_option`?')


def test_without_a_close_one_all_are_listed() -> None:
    text = explanation(type='Derived', unlike=1)

    assert text.endswith('it knows `second_option` or `first_option`.')


@pytest.mark.skipif(
    'sys.version_info < (3, 10)', reason='Python 3.9 does not name the class'
)
def test_option_of_something_made_inside_is_not_laid_to_the_maker() -> None:
    text = explanation(type='Maker', options=dict(bach_size=1))

    assert text == 'DataLoader has no option `bach_size`.'


def test_other_type_errors_are_not_explained() -> None:
    assert explain_unknown_option(TypeError('1 + None')) is None


ITERATIONS = dict(type='IterBasedTrainLoop', max_iters=100)
EPOCHS = dict(type='EpochBasedTrainLoop', max_epochs=10)


@pytest.mark.parametrize(
    ('loop', 'scheduler', 'numbers'),
    [
        (ITERATIONS, dict(milestones=[60, 100]), 'max_iters=100.*milestones=100'),
        (ITERATIONS, dict(milestones=[6000, 8000]), 'max_iters=100.*milestones=8000'),
        (ITERATIONS, dict(end=101), 'max_iters=100.*end=101'),
        (EPOCHS, dict(milestones=[12], by_epoch=True), 'max_epochs=10.*milestones=12'),
    ],
)
def test_schedule_beyond_the_end_is_found_with_both_numbers(
    loop: dict, scheduler: dict, numbers: str
) -> None:
    schedulers = [
        dict(type='LinearLR', by_epoch=False, end=100),
        dict(type='MultiStepLR', **(dict(by_epoch=False) | scheduler)),
    ]

    remark = find_schedule_beyond_end(dict(train_cfg=loop, param_scheduler=schedulers))

    assert re.search(numbers, remark)
    assert 'param_scheduler.1 (MultiStepLR)' in remark


@pytest.mark.parametrize(
    ('loop', 'scheduler'),
    [
        (ITERATIONS, dict(milestones=[60, 80], by_epoch=False)),
        (ITERATIONS, dict(end=100, by_epoch=False)),
        (ITERATIONS, dict(by_epoch=False)),
        (ITERATIONS, dict(milestones=[200], by_epoch=True)),
        (EPOCHS, dict(milestones=[200], by_epoch=False)),
        (dict(), dict(milestones=[200])),
        (None, dict(milestones=[200])),
    ],
)
def test_schedule_that_ends_in_time_is_not_remarked(
    loop: dict | None, scheduler: dict
) -> None:
    cfg = dict(train_cfg=loop, param_scheduler=dict(type='Any', **scheduler))

    assert find_schedule_beyond_end(cfg) is None


@pytest.mark.parametrize(
    'path',
    sorted(
        path
        for path in (REPOSITORY / 'configs').rglob('*.py')
        if '_base_' not in path.parts
    ),
    ids=lambda path: path.stem,
)
def test_schedules_of_the_configs_end_in_time(path: Path) -> None:
    assert find_schedule_beyond_end(Config.fromfile(path).to_dict()) is None
