# Copyright (c) onestage_pose contributors.
"""``xtcocotools.coco`` by pycocotools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pycocotools import coco


class COCO(coco.COCO):
    """Annotations in COCO's form, with what xtcocotools adds to pycocotools' reader.

    An annotation without ``iscrowd`` is no crowd, and a list of results may be empty.

    Args:
        annotation_file (str, optional): A COCO file.
        test_index (Sequence[int], optional): The keypoints to keep, by number.
        ann_data (dict, optional): The content of ``annotation_file``, read already.
    """

    def __init__(
        self,
        annotation_file: str | None = None,
        test_index: Sequence[int] | None = None,
        ann_data: dict | None = None,
    ) -> None:
        super().__init__(annotation_file if ann_data is None else None)
        if ann_data is not None:
            self.dataset = ann_data
            self.createIndex()
        self.anno_file = [annotation_file]
        self.test_index = test_index
        for annotation in self.dataset.get('annotations', ()):
            annotation.setdefault('iscrowd', False)
            if test_index is not None:
                keypoints = np.array(annotation['keypoints']).reshape(-1, 3)
                annotation['keypoints'] = keypoints[test_index].reshape(-1).tolist()

    def loadRes(  # noqa: N802  pycocotools' name
        self, resFile: str | list | np.ndarray, resData: list | None = None
    ) -> coco.COCO:
        """Join results to the images of this ground truth.

        Args:
            resFile (str | list | np.ndarray): Results in COCO's form or a file of
                them; an array as in pycocotools.
            resData (list, optional): The content of ``resFile``, read already.

        Returns:
            pycocotools.coco.COCO: The results, with ids, areas and boxes filled in.

        Raises:
            AssertionError: A result is of an image that is not in the ground truth.
        """
        if len(self.anno_file) == 1:
            self.anno_file.append(resFile)
        results = resFile if resData is None else resData
        if isinstance(results, str):
            results = json.loads(Path(results).read_text())
        if len(results):
            return super().loadRes(results)
        # pycocotools looks at the first result to see what all of them are.
        empty = COCO()
        empty.dataset = dict(
            images=list(self.dataset['images']),
            categories=list(self.dataset.get('categories', ())),
            annotations=[],
        )
        empty.createIndex()
        return empty
