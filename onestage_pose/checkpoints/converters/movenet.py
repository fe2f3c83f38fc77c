# Copyright (c) onestage_pose contributors.
"""MoveNet's published weights: TensorFlow.js graph models to this project's names."""

from __future__ import annotations

import json
import re
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...utils.errors import ConversionError

# layers of TensorFlow's graph, by what their names hold
TRUNK = r'/model/(?:Conv1|expanded_conv|block_(\d+)|Conv_1)'
LATERALS = ('conv2d', 'conv2d_1', 'conv2d_2', 'conv2d_3')
SMOOTHS = ('separable_conv2d', 'separable_conv2d_1', 'separable_conv2d_2')


def read_movenet(path: Path) -> dict[str, Tensor]:
    """Read the weights of all layers under the names of :class:`MoveNet`.

    The values are not changed; only the order of a kernel's axes is.

    Args:
        path (Path): The model's JSON file; the files of weights lie beside it.

    Returns:
        dict[str, Tensor]: By this project's names, in the stored precision.

    Raises:
        ConversionError: It is not a MoveNet model, a file of weights is missing or has
            another length, a shape is invalid, or weights are stored as scaled
            integers.
        FileNotFoundError: If there is no such file.
    """
    try:
        model = json.loads(path.read_text())
        nodes, manifest = model['modelTopology']['node'], model['weightsManifest']
    except (ValueError, KeyError, TypeError) as error:
        raise ConversionError(
            f'{path} is not a TensorFlow.js graph model ({error}): give '
            'movenet-NAME.json.'
        ) from error
    try:
        return _name_layers(path, nodes, _read_constants(path, manifest))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConversionError(
            f'{path}: its graph or its list of weights is not as TensorFlow.js writes '
            f'it ({type(error).__name__}: {error}). Download it again.'
        ) from error


def _name_layers(
    path: Path, nodes: list[dict], constants: dict[str, np.ndarray]
) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = {}
    for node in nodes:
        if 'Conv2' not in node['op']:
            continue
        name = _layer_name(node['name'])
        if name is None:
            raise ConversionError(
                f'{path}: {node["name"]} is not a layer of MoveNet: is it another '
                'network?'
            )
        if f'{name}.weight' in weights:
            raise ConversionError(
                f'{path}: {node["name"]} is {name} a second time: is it another '
                'network?'
            )
        kernel, *bias = (constants[key] for key in node['input'][1:])
        # (height, width, in, out), of depthwise ones (height, width, out, 1)
        depthwise = 'Depthwise' in node['op']
        kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
        weights[f'{name}.weight'] = torch.from_numpy(kernel.copy())
        for values in bias:
            weights[f'{name}.bias'] = torch.from_numpy(values.copy())
    return weights


def _read_constants(path: Path, manifest: list[dict]) -> dict[str, np.ndarray]:
    """Read the arrays of a model by name, of the type they are stored in."""
    constants = {}
    for group in manifest:
        files = [path.parent / name for name in group['paths']]
        elsewhere = [str(file) for file in files if file.parent != path.parent]
        if elsewhere:
            raise ConversionError(
                f'{path}: it names {elsewhere[0]} as its weights, which does not lie '
                'beside it.'
            )
        missing = [str(file) for file in files if not file.is_file()]
        if missing:
            raise ConversionError(f'{path}: put its weights {missing} beside it.')
        data, start = b''.join(file.read_bytes() for file in files), 0
        for entry in group['weights']:
            stored = entry.get('quantization', {})
            if 'scale' in stored:
                raise ConversionError(
                    f'{path}: {entry["name"]} is stored as {stored["dtype"]} with a '
                    'scale; take a model in float16 or float32.'
                )
            dtype = np.dtype(stored.get('dtype', entry['dtype'])).newbyteorder('<')
            shape = entry['shape']
            if not all(type(side) is int and side >= 0 for side in shape):
                raise ConversionError(
                    f'{path}: {entry["name"]} has shape={shape}, which are not whole '
                    'numbers of 0 or more. Download it again.'
                )
            count = prod(shape)
            end = start + count * dtype.itemsize
            if end > len(data):
                raise ConversionError(
                    f'{path}: its weights end before {entry["name"]}: {files[-1]} is '
                    'truncated.'
                )
            values = np.frombuffer(data[start:end], dtype)
            constants[entry['name']] = values.reshape(shape)
            start = end
        if start != len(data):
            raise ConversionError(
                f'{path}: {len(data) - start} bytes of weights are left: the files '
                'beside it are of another model.'
            )
    return constants


def _layer_name(node: str) -> str | None:
    """Return this project's name of a convolution of the graph; None if unknown."""
    trunk = re.search(TRUNK, node)
    if trunk:
        kind = re.search(r'_(expand|depthwise|project)(?:_|/)', node)
        if kind:
            return f'blocks.{trunk[1] or 0}.{kind[1]}'
        return 'stem' if '/Conv1' in node else None
    if '/model/out_relu/' in node:
        return 'wide'
    head = re.search(r'/(\w+)_0/(separable_conv2d|re_lu|conv2d)(?:_|/)', node)
    if head:
        places = {
            'separable_conv2d': '0.depthwise',
            're_lu': '0.pointwise',
            'conv2d': '1',
        }
        return f'pose.heads.{head[1]}.{places[head[2]]}'
    # of the FPN; the activation a convolution is fused with has its number, too
    layer = re.search(r'/model_1/(\w+?)/', node)
    if layer and layer[1] in LATERALS:
        return f'pose.lateral.{LATERALS.index(layer[1])}'
    if layer and layer[1] in SMOOTHS:
        return f'pose.smooth.{SMOOTHS.index(layer[1])}.depthwise'
    if layer and layer[1].startswith('re_lu'):
        number = int(layer[1].removeprefix('re_lu').strip('_') or 0)
        return f'pose.smooth.{number}.pointwise'
    return None
