# Copyright (c) onestage_pose contributors.
"""Make a checkpoint that is small enough to hand on.

Keeps the weights and what a user of them needs to know, the skeleton
(``dataset_meta``) and how long they were trained; leaves out the optimizer and the
rest that only resuming takes, and the config, which names folders of the machine.

    python tools/model_converters/publish_model.py work_dirs/x/iter_3000.pth x.pth

Prints the file's size and SHA-256. With ``--half`` floating-point weights are kept
in half precision, which any model loads; it is refused where one overflows.
"""

import argparse
import hashlib
from pathlib import Path

import onestage_pose  # noqa: F401  (makes loading checkpoints safe)
from onestage_pose.checkpoints.atomic import replacing
from onestage_pose.utils.errors import CheckpointError

import torch
from mmengine.runner import CheckpointLoader


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('source', type=Path, help='checkpoint of a training')
    parser.add_argument('target', type=Path, help='file to write')
    parser.add_argument('--half', action='store_true', help='keep float16 weights')
    return parser.parse_args()


def to_half(name: str, weight: torch.Tensor) -> torch.Tensor:
    """Round a floating-point tensor to float16, and keep others as they are."""
    if not weight.is_floating_point():
        return weight
    half = weight.half()
    if not torch.isfinite(half).all():
        raise SystemExit(f'{name} does not fit half precision: leave --half out.')
    return half


def main() -> None:
    """Read, strip and write a checkpoint; print its size and SHA-256."""
    args = parse_args()
    if args.target.exists():
        raise SystemExit(f'{args.target} exists: give another name.')
    try:
        checkpoint = CheckpointLoader.load_checkpoint(str(args.source), 'cpu')
        args.target.parent.mkdir(parents=True, exist_ok=True)
    except (CheckpointError, OSError) as error:
        raise SystemExit(f'Error: {error}') from error
    weights = checkpoint.get('state_dict') if isinstance(checkpoint, dict) else None
    if not isinstance(weights, dict) or not weights:
        raise SystemExit(
            f"Error: {args.source} has no weights in 'state_dict': give a checkpoint "
            'of a training.'
        )
    strange = [name for name, v in weights.items() if not isinstance(v, torch.Tensor)]
    if strange:
        raise SystemExit(f'Error: {args.source}: {strange[0]} in it is not a tensor.')
    stated = checkpoint.get('meta')
    stated = stated if isinstance(stated, dict) else {}
    dataset_meta = stated.get('dataset_meta', {})
    if not isinstance(dataset_meta, dict) or 'from_file' in dataset_meta:
        raise SystemExit(
            f'Error: {args.source}: its dataset_meta does not describe keypoints.'
        )
    if args.half:
        weights = {name: to_half(name, weight) for name, weight in weights.items()}
    kept = ('dataset_meta', 'epoch', 'iter', 'mmengine_version', 'seed')
    meta = {key: stated[key] for key in kept if key in stated}
    with replacing(args.target) as part, open(part, 'wb') as file:
        torch.save(dict(meta=meta, state_dict=weights), file)
    digest = hashlib.sha256(args.target.read_bytes()).hexdigest()
    print(f'{args.target}: {args.target.stat().st_size / 1e6:.1f} MB, sha256 {digest}')


if __name__ == '__main__':
    main()
