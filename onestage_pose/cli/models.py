# Copyright (c) onestage_pose contributors.
"""List the published models."""

from __future__ import annotations

import argparse

from ..zoo import get_home, get_model_info, is_on_disk, list_models
from .tables import format_table


def run(args: argparse.Namespace) -> None:
    """Print a line for each model, the best last."""
    models = sorted(
        map(get_model_info, list_models()), key=lambda each: each.keypoint_ap
    )
    rows = [
        (
            model.name,
            model.keypoint_ap,
            model.box_ap,
            model.evaluated_on,
            _place(model.name, model.weights is not None),
            model.licence,
            model.origin,
        )
        for model in models
    ]
    columns = ('name', 'keypoint AP', 'box AP', 'on', 'weights', 'licence', 'from')
    print(format_table(columns, rows))
    print(f'Downloaded models are kept in {get_home()}.')


def _place(name: str, is_packaged: bool) -> str:
    if is_packaged:
        return 'in the package'
    return 'downloaded' if is_on_disk(name) else 'to download'
