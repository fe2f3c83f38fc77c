# Copyright (c) onestage_pose contributors.
"""Small sets of synthetic people, and what tells whether two are the same."""

import hashlib

from onestage_pose.projects.synthetic_people import SyntheticPeople

SIZE = (160, 192)


def people_set(**options):
    return SyntheticPeople(**dict(dict(num_images=12, img_size=SIZE), **options))


def digest(info):
    parts = (info['img'], info['keypoints'], info['bbox'], info['raw_ann_info'])
    return hashlib.sha256(
        b''.join(
            x.tobytes() if hasattr(x, 'tobytes') else repr(x).encode() for x in parts
        )
    ).hexdigest()


def digests(dataset, order):
    return {index: digest(dataset.get_data_info(index)) for index in order}
