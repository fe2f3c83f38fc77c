# Copyright (c) onestage_pose contributors.
"""The whole model as one graph, for runtimes without PyTorch."""

from .onnx_check import TOLERANCE, Agreement, compare_with_onnx
from .onnx_contract import check_outputs
from .onnx_export import export_onnx
from .onnx_model import OnnxKeypointRCNN

__all__ = [
    'TOLERANCE',
    'Agreement',
    'OnnxKeypointRCNN',
    'check_outputs',
    'compare_with_onnx',
    'export_onnx',
]
