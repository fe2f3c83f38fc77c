# Copyright (c) onestage_pose contributors.
"""tools/analysis_tools/overfit.py: real annotations can be learned exactly."""

import json
import subprocess
import sys

from onestage_pose.utils.errors import UsageError
from onestage_pose.utils.paths import get_data_root

import pytest

from tests.tool_runs import load_tool


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis_tools/overfit')


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ('--num 0', '0 is given, 1 or more is needed'),
        ('--iters many', 'many is given, 1 or more is needed'),
        ('--iters 50', 'rises for 50 iterations, give more'),
        ('--min-ap 90', '90 is not a number between 0 and 1'),
    ],
)
def test_a_number_that_cannot_be_used_is_refused(tool, capsys, words, message):
    with pytest.raises(SystemExit):
        tool.parse_args(['root', *words.split()])
    assert message in capsys.readouterr().err


def test_a_missing_data_set_is_named_with_the_remedy(tool, tmp_path):
    words = [str(tmp_path / 'nowhere'), '--work-dir', str(tmp_path / 'out')]
    with pytest.raises(UsageError, match='nowhere.* --ann-file'):
        tool.main(words)


def make_annotation(*point, visible=2, **more):
    return dict(keypoints=[*point, visible], bbox=[10, 10, 20, 40], **more)


@pytest.mark.parametrize(
    ('annotation', 'learnable'),
    [
        (make_annotation(20, 30), True),
        # to the edge of the box, which is enlarged by half on each side
        (make_annotation(4.5, 30), True),
        (make_annotation(4.4, 30), False),
        (make_annotation(0, 0, visible=0), False),
        (make_annotation(20, 30, iscrowd=1), False),
    ],
)
def test_a_person_is_learnable_whose_keypoints_are_in_the_enlarged_box(
    tool, annotation, learnable
):
    assert tool.is_learnable(annotation, box_scale=1.5) == learnable


def test_half_of_the_images_show_several_people(tool, tmp_path):
    alone = [dict(make_annotation(20, 30), image_id=i) for i in range(4)]
    together = [dict(make_annotation(20, 30), image_id=i) for i in (5, 5, 6, 6, 7, 7)]
    images = [dict(id=i) for i in range(8)]
    coco = dict(images=images, annotations=alone + together)
    (tmp_path / 'people.json').write_text(json.dumps(coco))
    words = [str(tmp_path), '--ann-file', 'people.json', '--num', '4']
    args = tool.parse_args([*words, '--work-dir', str(tmp_path / 'out')])
    chosen = json.loads(tool.choose_images(args, box_scale=1.0).read_text())
    assert [image['id'] for image in chosen['images']] == [5, 6, 0, 1]
    assert len(chosen['annotations']) == 6


@pytest.mark.slow
def test_eight_real_images_are_learned_to_a_keypoint_ap_of_090(shared_dir, tmp_path):
    root = shared_dir / 'data' / 'coco_pool'
    run = subprocess.run(
        [sys.executable, 'tools/analysis_tools/overfit.py', root]
        + ['--work-dir', tmp_path],
        cwd=get_data_root(),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    images = json.loads((tmp_path / 'images.json').read_text())
    people = [ann['image_id'] for ann in images['annotations']]
    assert len(images['images']) == 8
    assert sum(people.count(image['id']) > 1 for image in images['images']) == 4
