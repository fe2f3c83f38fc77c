# Copyright (c) onestage_pose contributors.
"""What can be wrong with a command line is said before the work begins."""

import argparse
import os
from pathlib import Path
from typing import Any

from onestage_pose.apis import get_model_files
from onestage_pose.cli import common as cli
from onestage_pose.utils.errors import (
    BrokenCheckpointError,
    ConfigNameError,
)

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
    cli.add_common_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def test_work_dir_is_named_after_the_config(config: Path) -> None:
    cfg = cli.load_config(parse(config))

    assert cfg.work_dir == './work_dirs/toy_config'


def test_work_dir_of_the_config_is_kept(config: Path) -> None:
    config.write_text(CONFIG + "work_dir = 'mine'\n")

    assert cli.load_config(parse(config)).work_dir == 'mine'


def test_work_dir_of_the_command_line_wins(config: Path) -> None:
    config.write_text(CONFIG + "work_dir = 'mine'\n")

    assert cli.load_config(parse(config, '--work-dir', 'other')).work_dir == 'other'


def test_cfg_options_win_over_everything(config: Path) -> None:
    args = parse(config, '--work-dir', 'other', '--cfg-options', 'model.width=7')

    cfg = cli.load_config(args)
    cli.finish_config(cfg, args)

    assert cfg.model.width == 7
    assert Path('other').is_dir()


def test_missing_config_names_the_close_one(config: Path) -> None:
    with pytest.raises(
        cli.UsageError, match='toy_confg.py does not exist. Did you mean toy_config.py'
    ):
        cli.load_config(parse('toy_confg.py'))


def test_misspelt_option_is_an_error(config: Path) -> None:
    with pytest.raises(ConfigNameError, match='Did you mean `width`'):
        cli.load_config(parse(config, '--cfg-options', 'model.widht=7'))


def test_misspelt_name_in_the_config_is_an_error(config: Path) -> None:
    config.write_text(CONFIG + 'train_cgf = dict()\n')

    with pytest.raises(ConfigNameError, match='toy_config.py: .*train_cgf'):
        cli.load_config(parse(config))


def test_show_dir_turns_the_hook_on(config: Path) -> None:
    cfg = cli.load_config(parse(config, '--show-dir', 'vis', '--interval', '3'))

    hook = cfg.default_hooks.visualization
    assert (hook.enable, hook.show, hook.out_dir, hook.interval) == (
        True,
        False,
        'vis',
        3,
    )


def test_show_without_the_hook_says_what_to_add(config: Path) -> None:
    config.write_text('model = dict()\n')

    with pytest.raises(cli.UsageError, match="type='InputVisualizationHook'"):
        cli.load_config(parse(config, '--show'))


def test_unwritable_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()

    with pytest.raises(
        cli.UsageError, match='cannot write to .*file/below.*--work-dir'
    ):
        cli.check_writable(str(tmp_path / 'file' / 'below'))


@pytest.mark.skipif(os.geteuid() == 0, reason='nothing is forbidden to root')
def test_forbidden_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / 'locked').mkdir(mode=0o500)

    with pytest.raises(cli.UsageError, match='no permission'):
        cli.check_writable(str(tmp_path / 'locked'))


def test_checkpoint_path_is_checked(tmp_path: Path) -> None:
    (tmp_path / 'epoch_1.pth').touch()

    with pytest.raises(cli.UsageError, match='--resume: .*Did you mean epoch_1.pth'):
        cli.check_checkpoint_path(str(tmp_path / 'epoch1.pth'), '--resume')


def test_address_is_not_looked_for_on_the_disk() -> None:
    cli.check_checkpoint_path('https://somewhere.example/a.pth', 'load_from')


def amp(monkeypatch: pytest.MonkeyPatch, device: str, **wrapper: Any) -> dict:
    monkeypatch.setattr(cli, 'get_device', lambda: device)
    cfg = Config(dict(optim_wrapper=wrapper))
    cli.use_amp(cfg)
    return cfg.optim_wrapper


def test_amp_on_a_gpu_is_mmposes(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = amp(monkeypatch, 'cuda', type='OptimWrapper')

    assert wrapper == dict(type='AmpOptimWrapper', loss_scale='dynamic')


def test_amp_on_a_cpu_is_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = amp(monkeypatch, 'cpu', type='AmpOptimWrapper', loss_scale=512.0)

    assert wrapper == dict(type='Bfloat16OptimWrapper')


def test_amp_with_another_wrapper_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(cli.UsageError, match='ApexOptimWrapper'):
        amp(monkeypatch, 'cuda', type='ApexOptimWrapper')


@pytest.mark.parametrize(
    'error',
    [cli.UsageError('say'), ConfigNameError('say'), BrokenCheckpointError('say')],
)
def test_what_the_user_can_mend_is_said_in_one_line(error: Exception) -> None:
    def main(argv: Any) -> None:
        raise error

    with pytest.raises(SystemExit) as exit_:
        cli.run_tool(main)

    assert exit_.value.code == 'Error: say'


def test_other_errors_are_raised() -> None:
    def main(argv: Any) -> None:
        raise TypeError('a defect')

    with pytest.raises(TypeError, match='a defect'):
        cli.run_tool(main)


class TestFindModel:
    def test_a_name_stands_for_config_and_checkpoint(self) -> None:
        files = get_model_files('nano')
        expected = str(files.config), str(files.weights)
        assert cli.find_model('nano', None) == expected

    def test_a_config_with_its_checkpoint_is_taken_as_it_is(self) -> None:
        assert cli.find_model('a.py', 'b.pth') == ('a.py', 'b.pth')

    def test_a_config_without_checkpoint_is_refused(self) -> None:
        with pytest.raises(
            cli.UsageError, match='give a checkpoint beside a config.*nano'
        ):
            cli.find_model('a.py', None)


def test_an_option_without_a_value_is_explained(
    capsys: pytest.CaptureFixture,
) -> None:
    parser = argparse.ArgumentParser()
    cli.add_common_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(['--cfg-options', 'a.b=1', 'c.d'])
    assert '--cfg-options c.d: give KEY=VALUE' in capsys.readouterr().err
