# Copyright (c) onestage_pose contributors.
"""The formats of annotations that are converted. Imports nothing heavy."""

from __future__ import annotations

#: Name of a format, which is that of its module in ``converters/``: what it is.
FORMATS = {
    'yolo_pose': "YOLO-pose: Ultralytics' data.yaml and labels/*.txt",
    'labelme': 'LabelMe: a folder of JSON files',
    'label_studio': "Label Studio: its JSON export (its COCO export is 'coco')",
    'cvat': "CVAT: XML for images (its COCO export is 'coco')",
    'via': 'VGG Image Annotator 1 and 2: project, JSON or CSV',
    'coco': 'COCO keypoints as CVAT, Label Studio, COCO-Annotator, Roboflow and others '
    'export them',
}
