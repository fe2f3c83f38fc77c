# Copyright (c) onestage_pose contributors.
"""AP on arrays is pycocotools'."""

import contextlib
import io

from onestage_pose.evaluation.analysis.average_precision import average_precision
from onestage_pose.evaluation.analysis.people import read_people

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

SIGMAS = np.array([0.026, 0.079, 0.107])


def random_people(seed, categories=1):
    """Content of a file and results, with crowds, doubles, ties and unlabelled ones."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for image_id in range(30):
        for _ in range(rng.integers(0, 6)):
            corner, size = rng.uniform(0, 200, 2), rng.uniform(20, 150, 2)
            visible = rng.integers(0, 3, 3) * (rng.random() > 0.2)
            points = corner + rng.uniform(0, 1, (3, 2)) * size
            category = int(rng.integers(1, categories + 1))
            common = dict(image_id=image_id, category_id=category)
            truth.append(
                dict(
                    common,
                    id=len(truth) + 1,
                    iscrowd=int(rng.random() < 0.15),
                    bbox=[*corner, *size],
                    area=float(0.6 * size.prod()),
                    num_keypoints=int((visible > 0).sum()),
                    keypoints=np.c_[points, visible].ravel().tolist(),
                )
            )
            for _ in range(rng.integers(0, 3)):
                moved = points + rng.normal(0, 6, (3, 2))
                score = round(rng.uniform(0, 1), 1)
                keypoints = np.c_[moved, np.ones(3)].ravel().tolist()
                found.append(dict(common, keypoints=keypoints, score=score))
    content = dict(
        images=[dict(id=image_id) for image_id in range(30)],
        annotations=truth,
        categories=[dict(id=number) for number in range(1, categories + 1)],
    )
    return content, found


def reference(content, found):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = content
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), 'keypoints')
        evaluation.params.kpt_oks_sigmas = SIGMAS
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[[0, 1, 2, 5]]


@pytest.mark.parametrize('seed, categories', [(0, 1), (1, 1), (2, 2)])
def test_values_are_those_of_pycocotools(seed, categories):
    content, found = random_people(seed, categories)

    measured = average_precision(read_people(content, found, 3), SIGMAS)

    np.testing.assert_allclose(measured, reference(content, found), atol=1e-12)


def test_more_people_than_count_are_left_out_as_there():
    content, found = random_people(3)
    first = [record for record in found if record['image_id'] == 1] or found[:1]
    found += [dict(record, score=0.95) for record in first for _ in range(30)]

    measured = average_precision(read_people(content, found, 3), SIGMAS)

    np.testing.assert_allclose(measured, reference(content, found), atol=1e-12)


def test_nobody_to_find_is_minus_1():
    content, found = random_people(0)

    images = read_people(dict(content, annotations=[]), found, 3)

    assert average_precision(images, SIGMAS) == (-1, -1, -1, -1)


def test_nobody_found_is_0():
    content, _ = random_people(0)

    assert average_precision(read_people(content, [], 3), SIGMAS) == (0, 0, 0, 0)
