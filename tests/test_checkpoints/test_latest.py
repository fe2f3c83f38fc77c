# Copyright (c) onestage_pose contributors.
"""What a run is resumed from after whatever has happened to its work dir."""

import os
from pathlib import Path
from typing import Any

from onestage_pose.checkpoints import latest
from onestage_pose.checkpoints.latest import find_latest_checkpoint
from onestage_pose.utils.errors import CheckpointError

import pytest
import torch


def save(path: Path, iteration: int, **changes: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    checkpoint = dict(
        meta=dict(iter=iteration),
        state_dict=dict(weight=torch.full((1000,), float(iteration))),
        optimizer={},
    )
    torch.save({**checkpoint, **changes}, path)
    return path


def test_empty_folder_has_none(tmp_path: Path) -> None:
    assert find_latest_checkpoint(str(tmp_path)) is None


def test_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert find_latest_checkpoint(str(tmp_path / 'nowhere')) is None


def test_numbers_are_not_compared_as_text(tmp_path: Path) -> None:
    newest = save(tmp_path / 'iter_10.pth', 10)
    save(tmp_path / 'iter_9.pth', 9)

    assert find_latest_checkpoint(str(tmp_path)) == str(newest)


def test_names_do_not_matter(tmp_path: Path) -> None:
    save(tmp_path / 'iter_9.pth', 9)
    latest = save(tmp_path / 'latest.pth', 10)

    assert find_latest_checkpoint(str(tmp_path)) == str(latest)


def test_of_two_at_one_iteration_the_later_file_is_taken(tmp_path: Path) -> None:
    later, earlier = save(tmp_path / 'a.pth', 3), save(tmp_path / 'b.pth', 3)
    os.utime(earlier, ns=(0, 1))
    os.utime(later, ns=(0, 2))

    assert find_latest_checkpoint(str(tmp_path)) == str(later)


def test_weights_alone_are_not_resumed_from(tmp_path: Path) -> None:
    save(tmp_path / 'iter_1.pth', 1)
    torch.save(dict(state_dict={}, meta=dict(iter=2)), tmp_path / 'best_coco_AP.pth')

    found = find_latest_checkpoint(str(tmp_path))

    assert found == str(tmp_path / 'iter_1.pth')


@pytest.mark.parametrize('kept', [0, 0.3, 0.99])
def test_truncated_one_is_passed_over(tmp_path: Path, kept: float) -> None:
    whole, cut = save(tmp_path / 'iter_1.pth', 1), save(tmp_path / 'iter_2.pth', 2)
    content = cut.read_bytes()
    cut.write_bytes(content[: int(len(content) * kept)])

    assert find_latest_checkpoint(str(tmp_path)) == str(whole)


def test_damaged_inside_is_passed_over(tmp_path: Path) -> None:
    # As a failing disk leaves it: of full length, with zeros for weights.
    whole, damaged = save(tmp_path / 'iter_1.pth', 1), save(tmp_path / 'iter_2.pth', 2)
    content = damaged.read_bytes()
    weight = torch.full((1000,), 2.0).numpy().tobytes()
    damaged.write_bytes(content.replace(weight, bytes(len(weight))))

    assert find_latest_checkpoint(str(tmp_path)) == str(whole)


def test_malicious_one_is_passed_over_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / 'ran'

    class Program:
        def __reduce__(self) -> tuple:
            return os.system, (f'touch {mark}',)

    whole = save(tmp_path / 'iter_1.pth', 1)
    save(tmp_path / 'iter_2.pth', 2, optimizer=Program())

    assert find_latest_checkpoint(str(tmp_path)) == str(whole)
    assert not mark.exists()


def test_only_truncated_ones_are_an_error(tmp_path: Path) -> None:
    (tmp_path / 'iter_1.pth').write_bytes(b'PK')

    with pytest.raises(
        CheckpointError, match='none of .*iter_1.pth.* start from the beginning'
    ):
        find_latest_checkpoint(str(tmp_path))


@pytest.mark.parametrize('content', ['', 'nowhere/iter_5.pth', '\x00\x00'])
def test_last_checkpoint_is_not_believed(tmp_path: Path, content: str) -> None:
    whole = save(tmp_path / 'iter_1.pth', 1)
    (tmp_path / 'last_checkpoint').write_text(content)

    assert find_latest_checkpoint(str(tmp_path)) == str(whole)


def test_folder_that_last_checkpoint_names_is_searched(tmp_path: Path) -> None:
    save(tmp_path / 'work/iter_1.pth', 1)
    newest = save(tmp_path / 'elsewhere/iter_2.pth', 2)
    (tmp_path / 'work/last_checkpoint').write_text(str(newest))

    assert find_latest_checkpoint(str(tmp_path / 'work')) == str(newest)


def test_copied_work_dir_is_resumed_from_its_own_files(tmp_path: Path) -> None:
    save(tmp_path / 'original/iter_1.pth', 1)
    save(tmp_path / 'original/iter_9.pth', 9)
    own = save(tmp_path / 'copy/iter_1.pth', 1)
    stated = tmp_path / 'original/iter_1.pth'
    (tmp_path / 'copy/last_checkpoint').write_text(str(stated))

    assert find_latest_checkpoint(str(tmp_path / 'copy')) == str(own)


def test_last_checkpoint_that_is_gone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / 'last_checkpoint').write_text('gone.pth')

    with pytest.raises(CheckpointError, match='last_checkpoint names gone.pth'):
        find_latest_checkpoint(str(tmp_path))


def named(iteration: int, began: str) -> dict[str, Any]:
    """``meta`` as mmengine writes it, of a run with the time that it began at."""
    return dict(iter=iteration, experiment_name=f'toy_{began}')


def test_last_run_comes_before_one_that_was_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(latest, 'print_log', lambda text, **_: logged.append(text))
    last = save(tmp_path / 'iter_3.pth', 3, meta=named(3, '20260102_000000'))
    save(tmp_path / 'iter_2.pth', 2, meta=named(2, '20260102_000000'))
    further = save(tmp_path / 'iter_9.pth', 9, meta=named(9, '20260101_235959'))

    assert find_latest_checkpoint(str(tmp_path)) == str(last)
    (told,) = logged
    assert str(further) in told and '--resume' in told
