# Copyright (c) onestage_pose contributors.
"""Pictures with ground truth and predictions, as a test loop hands them over."""

import numpy as np
import pytest
from mmengine.logging import MessageHub


@pytest.fixture(autouse=True)
def _message_hub():
    """Forgets the annotation file of data sets, where mmpose's metric looks for it."""
    MessageHub._instance_dict.clear()


class Pictures:
    """Pictures of 640x480 with two people each, the second without keypoints.

    Args:
        number: How many.
        seed: Of the random poses.
        category_id: Of the people.
    """

    num_keypoints = 17

    def __init__(self, number=6, seed=0, category_id=1):
        rng = np.random.default_rng(seed)
        self.annotations, self.samples = [], []
        for img_id in range(1, number + 1):
            people = [self._person(rng, 2 * img_id + i, img_id) for i in range(2)]
            people[1]['keypoints'] = [0] * 51
            people[1]['num_keypoints'] = 0
            for ann in people:
                ann['category_id'] = category_id
            self.annotations += people
            self.samples.append(
                dict(
                    id=[ann['id'] for ann in people],
                    img_id=img_id,
                    ori_shape=(480, 640),
                    raw_ann_info=people,
                    gt_instances={},
                )
            )

    def _person(self, rng, id_, img_id):
        x, y = rng.uniform(0, 300, 2).round(1).tolist()
        w, h = rng.uniform(60, 170, 2).round(1).tolist()
        points = np.stack(
            [
                rng.uniform(x, x + w, 17).round(1),
                rng.uniform(y, y + h, 17).round(1),
                rng.integers(0, 3, 17),
            ],
            axis=1,
        )
        points[points[:, 2] == 0] = 0
        return dict(
            id=id_,
            image_id=img_id,
            iscrowd=0,
            bbox=[x, y, w, h],
            area=0.6 * w * h,
            num_keypoints=int((points[:, 2] > 0).sum()),
            keypoints=points.ravel().tolist(),
        )

    @property
    def content(self):
        """What a COCO file with these pictures would hold."""
        return dict(
            info={},
            images=[
                dict(id=sample['img_id'], width=640, height=480)
                for sample in self.samples
            ],
            annotations=self.annotations,
            categories=[dict(id=self.annotations[0]['category_id'], name='person')],
        )

    def predict(self, noise=0.0, found=True, seed=0):
        """Give every sample predictions that lie ``noise`` pixels off the truth."""
        rng = np.random.default_rng(seed)
        samples = []
        for sample in self.samples:
            people = sample['raw_ann_info'] if found else []
            boxes = np.array([ann['bbox'] for ann in people]).reshape(-1, 4)
            boxes[:, 2:] += boxes[:, :2]
            points = np.array([ann['keypoints'] for ann in people], np.float64)
            points = points.reshape(-1, 17, 3)[..., :2]
            # The unlabelled person: anywhere inside their box is neither right nor
            # wrong.
            middle = (boxes[:, :2] + boxes[:, 2:]) / 2
            points = np.where(points == 0, middle[:, None], points)
            points = points + noise * rng.standard_normal(points.shape)
            boxes = boxes + noise * rng.standard_normal(boxes.shape)
            pred = dict(
                keypoints=points.astype(np.float32),
                keypoint_scores=rng.uniform(0.3, 1, points.shape[:2]),
                bboxes=boxes.astype(np.float32),
                bbox_scores=rng.uniform(0.3, 1, len(people)),
            )
            samples.append(dict(sample, pred_instances=pred))
        return samples


@pytest.fixture
def pictures():
    """Make Pictures: ``pictures(number=6, seed=0, category_id=1)``."""
    return Pictures
