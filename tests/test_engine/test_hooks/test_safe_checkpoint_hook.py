# Copyright (c) onestage_pose contributors.
"""An interruption of a run takes neither a checkpoint nor an evaluation from it."""

from pathlib import Path
from typing import Any

from onestage_pose.engine import SafeCheckpointHook
from onestage_pose.utils.errors import OnestagePoseError

import pytest
import torch
from mmengine.runner import CheckpointLoader, Runner

from tests.tool_runs import run_tool
from tests.toy_pose import ToyMetric, write_config

BY_ITERATION = dict(
    train_cfg=dict(
        _delete_=True, type='IterBasedTrainLoop', max_iters=4, val_interval=2
    ),
    log_processor__by_epoch=False,
    default_hooks__checkpoint=dict(by_epoch=False, interval=1, save_best=None),
)
SELDOM = {
    **BY_ITERATION,
    'default_hooks__checkpoint': dict(by_epoch=False, interval=3, save_best=None),
}


class Interrupted(Exception):
    pass


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch):
    """Ends the run at the n-th call of a method, before it has done anything."""

    def install(owner: type, name: str, at: int) -> None:
        method, calls = getattr(owner, name), []

        def called(*args: Any, **kwargs: Any) -> Any:
            calls.append(None)
            if len(calls) == at:
                raise Interrupted
            return method(*args, **kwargs)

        monkeypatch.setattr(owner, name, called)

    return install


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / 'work').glob('*.pth'))


def load(path: Path) -> dict:
    return CheckpointLoader.load_checkpoint(str(path), 'cpu', 'silent')


def logged(folder: Path, text: str) -> list[str]:
    """The lines with a text in the logs, run after run."""
    logs = sorted((folder / 'work').glob('*/*.log'))
    lines = [line for log in logs for line in log.read_text().splitlines()]
    return [line for line in lines if text in line]


def evaluations(folder: Path) -> list[str]:
    """The iterations that were evaluated, run after run."""
    return logged(folder, 'coco/AP:')


def change_hub(path: Path, **info: Any) -> None:
    """Write something else into a checkpoint's message hub."""
    content = torch.load(path, 'cpu', weights_only=False)
    content['message_hub']['runtime_info'].update(info)
    torch.save(content, path)


def test_the_only_checkpoint_stays_until_the_next_is_there(
    tmp_path: Path, interrupt: Any
) -> None:
    config = write_config(
        tmp_path, **BY_ITERATION, default_hooks__checkpoint__max_keep_ckpts=1
    )
    # 1, 2 and, with the evaluation, 2 again; then 3
    interrupt(Runner, 'save_checkpoint', at=4)

    with pytest.raises(Interrupted):
        run_tool('train', config)

    assert checkpoints(tmp_path) == ['iter_2.pth']


def test_outdated_checkpoints_are_removed(tmp_path: Path) -> None:
    config = write_config(
        tmp_path, **BY_ITERATION, default_hooks__checkpoint__max_keep_ckpts=2
    )

    run_tool('train', config)

    assert checkpoints(tmp_path) == ['iter_3.pth', 'iter_4.pth']


def test_the_best_checkpoint_stays_until_a_better_is_there(
    tmp_path: Path, interrupt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter((0.1, 0.2))
    monkeypatch.setattr(
        ToyMetric, 'compute_metrics', lambda self, results: dict(AP=next(scores))
    )
    save = dict(default_hooks__checkpoint__save_best='coco/AP')
    config = write_config(tmp_path, **BY_ITERATION, **save)
    # 1, 2, best of 2, 2 again, 3, 4; then the best of 4
    interrupt(Runner, 'save_checkpoint', at=7)

    with pytest.raises(Interrupted):
        run_tool('train', config)

    assert 'best_coco_AP_iter_2.pth' in checkpoints(tmp_path)


def test_one_best_checkpoint_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter((0.1, 0.2))
    monkeypatch.setattr(
        ToyMetric, 'compute_metrics', lambda self, results: dict(AP=next(scores))
    )
    save = dict(default_hooks__checkpoint__save_best='coco/AP')

    run_tool('train', write_config(tmp_path, **BY_ITERATION, **save))

    best = [name for name in checkpoints(tmp_path) if name.startswith('best')]
    assert best == ['best_coco_AP_iter_4.pth']


def test_state_is_saved_before_an_evaluation(tmp_path: Path, interrupt: Any) -> None:
    config = write_config(tmp_path, **SELDOM)
    interrupt(ToyMetric, 'compute_metrics', at=1)

    with pytest.raises(Interrupted):
        run_tool('train', config)

    assert checkpoints(tmp_path) == ['latest.pth']
    assert load(tmp_path / 'work/latest.pth')['meta']['iter'] == 2


def test_next_regular_checkpoint_replaces_that_one(tmp_path: Path) -> None:
    run_tool('train', write_config(tmp_path, **SELDOM))

    assert checkpoints(tmp_path) == ['iter_3.pth', 'iter_4.pth']


@pytest.mark.parametrize('options', [BY_ITERATION, SELDOM], ids=['regular', 'seldom'])
@pytest.mark.parametrize('at, missed', [(1, 2), (2, 4)])
def test_evaluation_that_was_missed_comes_first(
    tmp_path: Path, interrupt: Any, options: dict, at: int, missed: int
) -> None:
    config = write_config(tmp_path, **options)
    interrupt(ToyMetric, 'compute_metrics', at=at)
    with pytest.raises(Interrupted):
        run_tool('train', config)

    run_tool('train', config, '--resume')

    assert len(evaluations(tmp_path)) == 2
    assert 'latest.pth' not in checkpoints(tmp_path)
    last = load(tmp_path / 'work/iter_4.pth')
    assert last['message_hub']['runtime_info']['evaluated_iter'] == 4


def test_evaluation_that_is_done_is_not_repeated(tmp_path: Path) -> None:
    config = write_config(tmp_path, **BY_ITERATION)
    run_tool('train', config, '--cfg-options', 'train_cfg.max_iters=2')

    run_tool('train', config, '--resume')

    # after 2 and after 4
    assert len(evaluations(tmp_path)) == 2


def test_missed_evaluation_of_an_epoch_comes_first(
    tmp_path: Path, interrupt: Any
) -> None:
    config = write_config(tmp_path, default_hooks__checkpoint__save_best=None)
    interrupt(ToyMetric, 'compute_metrics', at=2)
    with pytest.raises(Interrupted):
        run_tool('train', config)

    run_tool('train', config, '--resume')

    assert len(evaluations(tmp_path)) == 2


@pytest.mark.parametrize('name', ['best_coco_AP_iter_2.pth', 'anything.txt'])
def test_best_checkpoint_that_a_resumed_file_names_elsewhere_is_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    scores = iter((0.1, 0.2))
    monkeypatch.setattr(
        ToyMetric, 'compute_metrics', lambda self, results: dict(AP=next(scores))
    )
    save = dict(default_hooks__checkpoint__save_best='coco/AP')
    config = write_config(tmp_path, **BY_ITERATION, **save)
    run_tool('train', config, '--cfg-options', 'train_cfg.max_iters=2')
    elsewhere = tmp_path / 'elsewhere' / name
    elsewhere.parent.mkdir()
    elsewhere.touch()
    change_hub(tmp_path / 'work/iter_2.pth', best_ckpt=str(elsewhere))

    run_tool('train', config, '--resume')

    assert elsewhere.exists()
    assert 'best_coco_AP_iter_4.pth' in checkpoints(tmp_path)


@pytest.mark.parametrize('numbers', [['/../../mine', 2], '/../../mine', 7], ids=str)
def test_names_in_the_place_of_a_resumed_files_numbers_delete_nothing(
    tmp_path: Path, numbers: Any
) -> None:
    config = write_config(
        tmp_path, **BY_ITERATION, default_hooks__checkpoint__max_keep_ckpts=1
    )
    run_tool('train', config, '--cfg-options', 'train_cfg.max_iters=2')
    # iter_{}.pth leads out of work through this one
    (tmp_path / 'work/iter_').mkdir()
    (tmp_path / 'mine.pth').touch()
    change_hub(tmp_path / 'work/iter_2.pth', keep_ckpt_ids=numbers)

    run_tool('train', config, '--resume')

    assert (tmp_path / 'mine.pth').exists()
    assert 'iter_4.pth' in checkpoints(tmp_path)


@pytest.mark.parametrize('size, remarks', [(2, 0), (3, 1)], ids=['same', 'other'])
def test_another_batch_size_on_resume_is_said(
    tmp_path: Path, size: int, remarks: int
) -> None:
    config = write_config(tmp_path, **BY_ITERATION)
    run_tool('train', config, '--cfg-options', 'train_cfg.max_iters=2')

    option = f'train_dataloader.batch_size={size}'
    run_tool('train', config, '--resume', '--cfg-options', option)

    said = logged(tmp_path, 'had batches of 2 images, over all processes, and goes on')
    assert len(said) == remarks
    assert all('WARNING' in line and 'with 3: ' in line for line in said)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(intervall=10), 'no option `intervall`. Did you mean interval'),
        (dict(interval=0), 'interval=0 would never save'),
        (dict(save_best=3), 'save_best=3 is invalid, give text or'),
    ],
)
def test_an_option_that_would_save_nothing_is_named(
    options: dict, message: str
) -> None:
    with pytest.raises(OnestagePoseError, match=message):
        SafeCheckpointHook(**options)
