# Copyright (c) onestage_pose contributors.
"""The whole model as one graph, for runtimes without PyTorch."""

from .onnx_check import Agreement, compare_with_onnx
from .onnx_export import export_onnx
from .onnx_model import OnnxKeypointRCNN

__all__ = ['Agreement', 'OnnxKeypointRCNN', 'compare_with_onnx', 'export_onnx']
