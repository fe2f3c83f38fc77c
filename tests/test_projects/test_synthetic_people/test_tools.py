# Copyright (c) onestage_pose contributors.
"""The project's tools write and show the data set."""

from onestage_pose.datasets import PersonKeypointsDataset

import cv2
import numpy as np
import pytest

from tests.test_projects.test_synthetic_people.people_sets import SIZE, people_set
from tests.tool_runs import run_tool

TO_COCO = 'projects/synthetic_people/tools/synthetic_people_to_coco'
BROWSE = 'projects/synthetic_people/tools/browse_synthetic_people'


def test_a_written_set_is_read_back_the_same(tmp_path):
    run_tool(TO_COCO, tmp_path, '--num', 4, '--seed', 2, '--size', *SIZE)
    written = PersonKeypointsDataset(
        ann_file='annotations/person_keypoints_train.json',
        data_root=str(tmp_path),
        data_prefix=dict(img='images/train/'),
    )
    for index, drawn in enumerate(people_set(num_images=4, seed=2)):
        read = written.get_data_info(index)
        np.testing.assert_array_equal(cv2.imread(read['img_path']), drawn['img'])
        np.testing.assert_array_equal(read['bbox'], drawn['bbox'])
        np.testing.assert_allclose(read['keypoints'], drawn['keypoints'], atol=1e-3)


def test_a_set_that_is_there_is_not_overwritten(tmp_path):
    run_tool(TO_COCO, tmp_path, '--num', 1)
    with pytest.raises(SystemExit, match='is there already.*--overwrite'):
        run_tool(TO_COCO, tmp_path, '--num', 1)


def test_overwriting_leaves_nothing_of_the_old_set(tmp_path):
    run_tool(TO_COCO, tmp_path, '--num', 3)
    run_tool(TO_COCO, tmp_path, '--num', 1, '--overwrite')
    assert len(list((tmp_path / 'images/train').iterdir())) == 1


def test_a_second_part_stands_beside_the_first(tmp_path):
    run_tool(TO_COCO, tmp_path, '--num', 1)
    run_tool(TO_COCO, tmp_path, '--num', 1, '--split', 'val')
    assert {path.name for path in (tmp_path / 'annotations').iterdir()} == {
        'person_keypoints_train.json',
        'person_keypoints_val.json',
    }


def test_the_contact_sheet_holds_all_images(tmp_path):
    out = tmp_path / 'sheet.png'
    run_tool(
        BROWSE, '--out', out, '--num', 5, '--size', *SIZE, '--columns', 3,
        '--annotations',
    )  # fmt: skip
    assert cv2.imread(str(out)).shape == (2 * SIZE[0], 3 * SIZE[1], 3)


@pytest.mark.parametrize(
    'old',
    [
        'tools/dataset_converters/synthetic_people_to_coco.py',
        'tools/analysis_tools/browse_synthetic_people.py',
    ],
)
def test_the_tools_answer_at_their_old_place(old, program_server, tmp_path):
    status, printed = program_server.run(old, '--help', log=tmp_path / 'help.log')

    assert status == 0
    assert '--min-people' in printed
    assert 'is now projects/synthetic_people/tools/' in printed
