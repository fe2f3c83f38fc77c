# Copyright (c) onestage_pose contributors.
"""File and command line make one config, and what is wrong with them is said first."""

import argparse
from pathlib import Path
from typing import Any

from onestage_pose.cli import config as config_module
from onestage_pose.cli.args import add_common_arguments
from onestage_pose.cli.config import (
    finish_config,
    load_config,
    read_config,
    use_amp,
)
from onestage_pose.utils import renamed_configs
from onestage_pose.utils.errors import ConfigNameError, UsageError
from onestage_pose.utils.paths import get_data_root

import pytest
from mmengine.config import Config

CONFIG = """
default_hooks = dict(visualization=dict(type='InputVisualizationHook', enable=False))
model = dict(type='Toy', width=1)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    path = tmp_path / 'toy_config.py'
    path.write_text(CONFIG)
    return path


def parse(*words: Any) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    add_common_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def test_work_dir_is_named_after_the_config(config: Path) -> None:
    cfg = load_config(parse(config))

    assert cfg.work_dir == './work_dirs/toy_config'


def test_work_dir_of_the_config_is_kept(config: Path) -> None:
    config.write_text(CONFIG + "work_dir = 'mine'\n")

    assert load_config(parse(config)).work_dir == 'mine'


def test_work_dir_of_the_command_line_wins(config: Path) -> None:
    config.write_text(CONFIG + "work_dir = 'mine'\n")

    assert load_config(parse(config, '--work-dir', 'other')).work_dir == 'other'


def test_cfg_options_win_over_everything(config: Path) -> None:
    args = parse(config, '--work-dir', 'other', '--cfg-options', 'model.width=7')

    cfg = load_config(args)
    finish_config(cfg, args)

    assert cfg.model.width == 7
    assert Path('other').is_dir()


def test_missing_config_names_the_close_one(config: Path) -> None:
    with pytest.raises(
        UsageError, match='toy_confg.py does not exist. Did you mean toy_config.py'
    ):
        load_config(parse('toy_confg.py'))


def test_misspelt_option_is_an_error(config: Path) -> None:
    with pytest.raises(ConfigNameError, match='Did you mean `width`'):
        load_config(parse(config, '--cfg-options', 'model.widht=7'))


def test_misspelt_name_in_the_config_is_an_error(config: Path) -> None:
    config.write_text(CONFIG + 'train_cgf = dict()\n')

    with pytest.raises(ConfigNameError, match='toy_config.py: .*train_cgf'):
        load_config(parse(config))


def test_show_dir_turns_the_hook_on(config: Path) -> None:
    cfg = load_config(parse(config, '--show-dir', 'vis', '--interval', '3'))

    hook = cfg.default_hooks.visualization
    assert (hook.enable, hook.show, hook.out_dir, hook.interval) == (
        True,
        False,
        'vis',
        3,
    )


def test_show_without_the_hook_says_what_to_add(config: Path) -> None:
    config.write_text('model = dict()\n')

    with pytest.raises(UsageError, match="type='InputVisualizationHook'"):
        load_config(parse(config, '--show'))


RUNTIME = 'configs/_base_/default_runtime.py'


@pytest.fixture
def renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {'configs/once/old.py': RUNTIME}
    monkeypatch.setattr(renamed_configs, 'RENAMED_CONFIGS', table)


def test_old_name_of_a_config_gives_the_new_one_and_a_warning(
    config: Path, renamed: None
) -> None:
    with pytest.warns(FutureWarning, match=f'configs/once/old.py is now {RUNTIME}'):
        cfg = read_config('configs/once/old.py')

    assert cfg.filename == str(get_data_root() / RUNTIME)


def test_runs_of_an_old_name_are_found(config: Path, renamed: None) -> None:
    with pytest.warns(FutureWarning):
        cfg = load_config(parse('configs/once/old.py'))

    assert cfg.work_dir == './work_dirs/old'


def test_base_with_an_old_name_is_told_the_new_one(config: Path, renamed: None) -> None:
    config.write_text("_base_ = './configs/once/old.py'\n")

    with pytest.raises(UsageError, match=f'once/old.py.*it is now {RUNTIME}'):
        read_config(str(config))


def amp(monkeypatch: pytest.MonkeyPatch, device: str, **wrapper: Any) -> dict:
    monkeypatch.setattr(config_module, 'get_device', lambda: device)
    cfg = Config(dict(optim_wrapper=wrapper))
    use_amp(cfg)
    return cfg.optim_wrapper


def test_amp_on_a_gpu_is_mmposes(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = amp(monkeypatch, 'cuda', type='OptimWrapper')

    assert wrapper == dict(type='AmpOptimWrapper', loss_scale='dynamic')


def test_amp_on_a_cpu_is_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = amp(monkeypatch, 'cpu', type='AmpOptimWrapper', loss_scale=512.0)

    assert wrapper == dict(type='Bfloat16OptimWrapper')


def test_amp_with_another_wrapper_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match='ApexOptimWrapper'):
        amp(monkeypatch, 'cuda', type='ApexOptimWrapper')
