# Copyright (c) onestage_pose contributors.
import json
from pathlib import Path

from onestage_pose.evaluation.metrics.keypoint_visibility_metric import MatchedPeople
from onestage_pose.utils.errors import UsageError

import cv2
import numpy as np
import pytest
import torch
from mmpose.apis import inference_bottomup, init_model

from tests.test_apis.tiny_model import picture, write_tiny_model
from tests.tool_runs import load_tool, run_tool

TOOL = 'model_converters/calibrate'
BRANCH = 'roi_head.keypoint_head.visibility_branch'

_DATA = """
val_dataloader = dict(
    _delete_=True,
    batch_size=1,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='PersonKeypointsDataset',
        data_root={root!r},
        ann_file='people.json',
        test_mode=True,
        pipeline=[dict(type='LoadPoseImage'), dict(type='PackKeypointRCNNInputs')],
    ),
)
"""


def annotate(model, image, number):
    """Annotations of what the model finds: hidden, absent and seen in turn."""
    (sample,) = inference_bottomup(model, image)
    found = sample.pred_instances
    visibility = np.arange(17) % 3
    people = []
    for box, keypoints in zip(found.bboxes, found.keypoints):
        points = (
            np.column_stack((keypoints + 1, visibility)) * (visibility > 0)[:, None]
        )
        people.append(
            dict(
                id=10 * number + len(people) + 1,
                image_id=number,
                category_id=1,
                iscrowd=0,
                bbox=[*box[:2].tolist(), *(box[2:] - box[:2]).tolist()],
                keypoints=points.ravel().tolist(),
            )
        )
    return people


@pytest.fixture(scope='module')
def model_files(tmp_path_factory):
    """A config whose validation images hold what the model finds, and a checkpoint."""
    folder = tmp_path_factory.mktemp('calibrate')
    config, checkpoint = write_tiny_model(folder, visibility_branch=dict(channels=4))
    model = init_model(config, checkpoint, device='cpu')
    images, people = [], []
    for number in (1, 2):
        image = picture(96, 128, number)
        cv2.imwrite(str(folder / f'{number}.png'), image)
        images.append(dict(id=number, file_name=f'{number}.png', width=128, height=96))
        people += annotate(model, image, number)
    categories = [dict(id=1, name='person')]
    content = dict(images=images, annotations=people, categories=categories)
    (folder / 'people.json').write_text(json.dumps(content))
    with open(config, 'a') as file:
        file.write(_DATA.format(root=str(folder)))
    return config, checkpoint


def test_writes_the_fitted_values_and_leaves_the_weights(model_files, tmp_path):
    target = tmp_path / 'new' / 'calibrated.pth'
    run_tool(TOOL, *model_files, target, '--work-dir', tmp_path)
    before, after = (
        torch.load(file, weights_only=False)['state_dict']
        for file in (model_files[1], target)
    )
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {
        f'{BRANCH}.{name}' for name in ('scale', 'shift', 'covariance_scale')
    }


def test_calibrating_again_starts_anew(model_files, tmp_path):
    once, twice = tmp_path / 'once.pth', tmp_path / 'twice.pth'
    run_tool(TOOL, *model_files, once, '--work-dir', tmp_path)
    run_tool(TOOL, model_files[0], once, twice, '--work-dir', tmp_path)
    found = [
        torch.load(file, weights_only=False)['state_dict'] for file in (once, twice)
    ]
    torch.testing.assert_close(found[0], found[1])


def test_presence_is_fitted_on_all_keypoints_and_visibility_on_those_there():
    rows = np.random.RandomState(0)
    visibility = rows.choice([0, 1, 2], (200, 3))
    even = np.full((200, 3), 0.5)
    noise = rows.normal(size=(200, 3, 2)) * 2
    covariances = np.broadcast_to(np.eye(2), (200, 3, 2, 2))
    found = MatchedPeople(
        visibility=visibility,
        presence=even,
        visible=even,
        scores=even,
        errors=noise,
        covariances=covariances,
        truth=noise,
        boxes=np.ones((200, 4)),
        areas=np.ones(200),
    )
    fitted = load_tool(TOOL).fit(found)
    shares = fitted['shift'].sigmoid().tolist()
    labelled = visibility > 0
    assert shares == pytest.approx(
        [labelled.mean(), (visibility[labelled] == 2).mean()], abs=1e-3
    )
    assert fitted['covariance_scale'].item() == pytest.approx(4, rel=0.2)


def test_a_model_without_the_branch_is_refused(tmp_path):
    with pytest.raises(UsageError, match='no visibility_branch'):
        run_tool(TOOL, *write_tiny_model(tmp_path), tmp_path / 'new.pth')


def test_nothing_is_written_over(model_files, tmp_path):
    with pytest.raises(UsageError, match='exists'):
        run_tool(TOOL, *model_files, Path(model_files[1]), '--work-dir', tmp_path)
