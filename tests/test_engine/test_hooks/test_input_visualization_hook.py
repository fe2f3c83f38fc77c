# Copyright (c) onestage_pose contributors.
"""Predictions are drawn on the original, whether it is a file or not."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from onestage_pose.engine import InputVisualizationHook
from onestage_pose.visualization.pose_visualizer import PoseVisualizer

import mmcv
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample


class Drawn:
    """A visualizer that keeps what it is given."""

    def __init__(self) -> None:
        self.calls: list[dict] = []

    def set_dataset_meta(self, meta: dict) -> None:
        self.meta = meta

    def add_datasample(self, name: str, image: np.ndarray, **options: Any) -> None:
        self.calls.append(dict(options, name=name, image=image))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    visualizer = Drawn()
    monkeypatch.setattr(
        'mmengine.visualization.Visualizer.get_current_instance', lambda: visualizer
    )
    return visualizer


@pytest.fixture
def runner(tmp_path: Path) -> SimpleNamespace:
    meta = dict(dataset_name='toy', skeleton_links=[(0, 1)], num_keypoints=3)
    meta |= dict(
        keypoint_colors=np.zeros((3, 3), np.uint8),
        skeleton_link_colors=np.zeros((1, 3), np.uint8),
    )
    evaluator = SimpleNamespace(dataset_meta=meta)
    return SimpleNamespace(
        work_dir=str(tmp_path),
        timestamp='now',
        iter=10,
        val_evaluator=evaluator,
        test_evaluator=evaluator,
    )


def sample(img_path: str | None = 'nowhere/7.png') -> PoseDataSample:
    metainfo = dict(ori_shape=(6, 8), img_id=7)
    if img_path is not None:
        metainfo['img_path'] = img_path
    result = PoseDataSample(metainfo=metainfo)
    result.pred_instances = InstanceData(keypoints=np.zeros((0, 3, 2)))
    return result


def blue_input() -> torch.Tensor:
    picture = torch.zeros(3, 12, 16, dtype=torch.uint8)
    picture[0] = 200  # BGR
    return picture


def draw(hook: InputVisualizationHook, runner: Any, *samples: PoseDataSample) -> None:
    batch = dict(inputs=[blue_input() for _ in samples])
    hook.before_run(runner)
    hook.after_test_iter(runner, 0, batch, samples)


def test_nothing_is_drawn_unless_enabled(drawn: Drawn, runner: Any) -> None:
    draw(InputVisualizationHook(), runner, sample())

    assert not drawn.calls


def test_picture_without_a_file_is_the_input_at_its_original_size(
    drawn: Drawn, runner: Any
) -> None:
    draw(InputVisualizationHook(enable=True, interval=1), runner, sample())

    image = drawn.calls[0]['image']
    assert image.shape == (6, 8, 3)
    assert image.dtype == np.uint8
    assert image[3, 4].tolist() == [0, 0, 200]  # RGB


def test_file_is_drawn_on_where_there_is_one(
    drawn: Drawn, runner: Any, tmp_path: Path
) -> None:
    green = np.zeros((6, 8, 3), dtype=np.uint8)
    green[..., 1] = 99
    mmcv.imwrite(green, str(tmp_path / 'green.png'))

    draw(
        InputVisualizationHook(enable=True, interval=1),
        runner,
        sample(str(tmp_path / 'green.png')),
    )

    assert drawn.calls[0]['image'][0, 0].tolist() == [0, 99, 0]


def test_files_go_where_mmpose_puts_them(drawn: Drawn, runner: Any) -> None:
    hook = InputVisualizationHook(enable=True, interval=1, out_dir='vis')

    draw(hook, runner, sample('a/7.jpg'), sample('b/7.jpg'), sample(None))

    folder = Path(runner.work_dir) / 'now' / 'vis'
    assert [call['out_file'] for call in drawn.calls] == [
        str(folder / name) for name in ('7_0.jpg', '7_1.jpg', '7_2.png')
    ]


def test_files_of_validation_go_there_too(drawn: Drawn, runner: Any) -> None:
    hook = InputVisualizationHook(enable=True, interval=5, out_dir='vis')

    hook.before_run(runner)
    hook.after_val_iter(runner, 0, dict(inputs=[blue_input()]), [sample('a/7.jpg')])

    folder = Path(runner.work_dir) / 'now' / 'vis'
    assert drawn.calls[0]['out_file'] == str(folder / '7_0.jpg')


def test_interval_counts_pictures_in_testing(drawn: Drawn, runner: Any) -> None:
    draw(InputVisualizationHook(enable=True, interval=2), runner, *[sample()] * 5)

    assert [call['step'] for call in drawn.calls] == [2, 4]


@pytest.mark.parametrize('batch, count', [(0, 1), (1, 0), (5, 1)])
def test_interval_counts_batches_in_validation(
    drawn: Drawn, runner: Any, batch: int, count: int
) -> None:
    hook = InputVisualizationHook(enable=True, interval=5)

    hook.after_val_iter(runner, batch, dict(inputs=[blue_input()]), [sample()])

    assert len(drawn.calls) == count


def with_people(**metainfo: Any) -> PoseDataSample:
    """Two predicted people, of the scores 0.2 and 0.9."""
    result = sample()
    result.set_metainfo(metainfo)
    result.pred_instances = InstanceData(
        keypoints=np.zeros((2, 3, 2)), bbox_scores=np.array([0.2, 0.9])
    )
    return result


def test_people_under_the_threshold_are_not_drawn(drawn: Drawn, runner: Any) -> None:
    given = with_people()

    draw(InputVisualizationHook(enable=True, interval=1), runner, given)

    people = drawn.calls[0]['data_sample'].pred_instances
    assert people.bbox_scores.tolist() == [0.9]
    # what the metrics are going to measure stays as it is
    assert len(given.pred_instances) == 2


def test_ground_truth_is_drawn_beside_in_the_frame_of_the_original(
    drawn: Drawn, runner: Any
) -> None:
    keypoints = [1, 2, 2, 3, 4, 1, 0, 0, 0]
    person = dict(bbox=[1, 2, 3, 4], keypoints=keypoints)

    hook = InputVisualizationHook(enable=True, interval=1)
    draw(hook, runner, with_people(raw_ann_info=[person]))

    call = drawn.calls[0]
    assert call['draw_gt']
    true = call['data_sample'].gt_instances
    assert true.bboxes.tolist() == [[1, 2, 4, 6]]
    assert true.keypoints.tolist() == [[[1, 2], [3, 4], [0, 0]]]
    assert true.keypoints_visible.tolist() == [[1, 1, 0]]


@pytest.mark.parametrize('options', [dict(draw_gt=False), dict()])
def test_prediction_stands_alone_without_ground_truth(
    drawn: Drawn, runner: Any, options: dict
) -> None:
    known = dict(raw_ann_info=[]) if options else {}

    hook = InputVisualizationHook(enable=True, interval=1, **options)
    draw(hook, runner, with_people(**known))

    assert not drawn.calls[0]['draw_gt']


@pytest.mark.parametrize('people', [0, 1])
def test_image_is_drawn_twice_as_wide_with_nobody_in_it_too(
    runner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, people: int
) -> None:
    visualizer = PoseVisualizer()
    monkeypatch.setattr(
        'mmengine.visualization.Visualizer.get_current_instance', lambda: visualizer
    )
    person = dict(bbox=[1, 2, 3, 4], keypoints=[1, 2, 2, 3, 4, 1, 0, 0, 0])
    given = with_people(raw_ann_info=[person] * people, ori_shape=(60, 80))
    given.pred_instances.bboxes = np.array([[0.0, 0, 9, 9], [5, 5, 60, 40]])
    given.pred_instances.keypoint_scores = np.ones((2, 3))
    threshold = 0.3 if people else 0.95

    hook = InputVisualizationHook(
        enable=True, interval=1, bbox_thr=threshold, out_dir=str(tmp_path)
    )
    draw(hook, runner, given)

    (drawn,) = tmp_path.glob('7_0.png')
    assert mmcv.imread(str(drawn)).shape == (60, 160, 3)
