# Copyright (c) onestage_pose contributors.
"""People made by hand, of whom it is known what is wrong with them."""

from onestage_pose.evaluation.analysis import read_people

import numpy as np

NAMES = ('nose', 'left_hand', 'right_hand', 'left_foot', 'right_foot')
SIGMAS = np.array([0.05] * 5)
META = dict(
    dataset_name='toy',
    keypoint_id2name=dict(enumerate(NAMES)),
    keypoint_name2id={name: place for place, name in enumerate(NAMES)},
    num_keypoints=5,
    sigmas=SIGMAS,
    flip_indices=[0, 2, 1, 4, 3],
    skeleton_links=[(0, 1), (0, 2), (0, 3), (0, 4)],
    skeleton_link_colors=np.zeros((4, 3), int),
    keypoint_colors=np.zeros((5, 3), int),
)
FLIP = META['flip_indices']
#: Of each person, whose area is 100 x 100 pixels.
SHAPE = np.array([[50, 10], [10, 50], [90, 50], [30, 90], [70, 90]], float)
#: One OKS unit in pixels: 2 sigma sqrt(area).
UNIT = 2 * 0.05 * 100


def distance(similarity):
    """How far a keypoint of this similarity is off, in pixels."""
    return UNIT * np.sqrt(-2 * np.log(similarity))


class Scene:
    """Images of people side by side, 200 pixels apart, each found where it is.

    Args:
        people: How many are in each image.
    """

    def __init__(self, *people):
        self.truth, self.found = [], []
        for image_id, number in enumerate(people, 1):
            for place in range(number):
                self.add_truth(image_id, place)
                self.add_found(image_id, SHAPE + [200 * place, 0])
        self.num_images = len(people)

    def add_truth(self, image_id, place, size=100.0, labelled=(1, 1, 1, 1, 1)):
        points = SHAPE * size / 100 + [200 * place, 0]
        visible = 2.0 * np.array(labelled)
        self.truth.append(
            dict(
                id=len(self.truth) + 1,
                image_id=image_id,
                category_id=1,
                bbox=[200.0 * place, 0.0, size, size],
                area=size * size,
                iscrowd=0,
                keypoints=np.c_[points, visible].ravel().tolist(),
            )
        )

    def add_found(self, image_id, points, score=0.9):
        self.found.append(
            dict(
                image_id=image_id,
                category_id=1,
                keypoints=np.c_[points, np.ones(5)].ravel().tolist(),
                score=score,
            )
        )

    def move(self, person, keypoint, place):
        """Put a keypoint of a found person somewhere else."""
        x, y = place
        self.found[person]['keypoints'][3 * keypoint : 3 * keypoint + 2] = x, y

    def place(self, person, keypoint):
        """Where a keypoint of a true person is."""
        return np.array(self.truth[person]['keypoints']).reshape(5, 3)[keypoint, :2]

    @property
    def content(self):
        images = [
            dict(id=number, width=640, height=200, file_name=f'{number}.png')
            for number in range(1, self.num_images + 1)
        ]
        return dict(
            images=images,
            annotations=self.truth,
            categories=[dict(id=1, name='person', keypoints=list(NAMES))],
        )

    @property
    def images(self):
        return read_people(self.content, self.found, 5)
