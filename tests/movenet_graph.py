# Copyright (c) onestage_pose contributors.
"""A MoveNet as it is published: a TensorFlow.js model, with random weights."""

import json

from onestage_pose.models import MoveNet

import numpy as np
import torch

HEADS = ('center', 'kpt_heatmap', 'box_scale')
BODY = 'Call/extractor/model_1/'


def graph_name(name):
    """What the convolution of one of our layers is called in the published graphs."""
    kind, *rest = name.split('.')
    if kind == 'stem':
        return f'{BODY}model/Conv1_relu/Relu6'
    if kind == 'wide':
        return f'{BODY}model/out_relu/Relu6'
    if kind == 'blocks':
        number, layer = rest
        block = f'block_{number}' if number != '0' else 'expanded_conv'
        ends = dict(
            expand='_expand_relu/Relu6',
            depthwise='_depthwise/depthwise',
            project='_project_BN/FusedBatchNormV3',
        )
        return f'{BODY}model/{block}{ends[layer]}'
    part, number, *rest = rest
    if part == 'heads':
        i = HEADS.index(number)
        ends = {
            '0.depthwise': f'separable_conv2d_{3 + i}/separable_conv2d/depthwise',
            '0.pointwise': f're_lu_{3 + i}/Relu',
            '1': f'conv2d_{4 + i}/BiasAdd',
        }
        return f'Call/{number}_0/{ends[".".join(rest)]}'
    suffix = f'_{number}' if number != '0' else ''
    if part == 'lateral':
        return f'{BODY}conv2d{suffix}/BiasAdd'
    if rest == ['depthwise']:
        return f'{BODY}separable_conv2d{suffix}/separable_conv2d/depthwise'
    return f'{BODY}re_lu{suffix}/Relu'


class MoveNetGraph:
    """A TensorFlow.js model with the layers of a MoveNet, in two files."""

    def __init__(self, folder):
        torch.manual_seed(2)
        self.path = folder / 'model.json'
        self.weights = {
            name: value.half()
            for name, value in MoveNet('multipose', pose_maps=True).state_dict().items()
        }
        self.nodes, self.manifest, self.data = [dict(name='x', op='Const')], [], b''
        for layer in dict.fromkeys(name.rpartition('.')[0] for name in self.weights):
            self._add(layer)
        self.save()

    def _add(self, layer):
        kernel = self.weights[f'{layer}.weight'].numpy()
        depthwise = layer.endswith('depthwise')
        kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
        inputs = [f'{layer}/kernel']
        self._store(f'{layer}/kernel', kernel)
        if f'{layer}.bias' in self.weights:
            inputs.append(f'{layer}/offset')
            self._store(f'{layer}/offset', self.weights[f'{layer}.bias'].numpy())
        op = 'DepthwiseConv2dNative' if depthwise else '_FusedConv2D'
        self.nodes.append(dict(name=graph_name(layer), op=op, input=['x', *inputs]))

    def _store(self, name, values):
        self.data += np.ascontiguousarray(values, '<f2').tobytes()
        self.manifest.append(
            dict(
                name=name,
                shape=list(values.shape),
                dtype='float32',
                quantization=dict(dtype='float16'),
            )
        )

    def save(self):
        content = dict(
            modelTopology=dict(node=self.nodes),
            weightsManifest=[dict(paths=['a.bin', 'b.bin'], weights=self.manifest)],
        )
        self.path.write_text(json.dumps(content))
        half = len(self.data) // 2 + 1
        (self.path.parent / 'a.bin').write_bytes(self.data[:half])
        (self.path.parent / 'b.bin').write_bytes(self.data[half:])
