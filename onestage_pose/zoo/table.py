# Copyright (c) onestage_pose contributors.
"""The published models: one entry each in ``models.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from ..utils.errors import UsageError
from ..utils.suggestions import did_you_mean, find_similar
from .digest import Digest

TABLE = Path(__file__).with_name('models.json')


class PublishedModel(NamedTuple):
    """An entry of ``models.json``.

    Attributes:
        name (str): In lower case.
        config (str): Its config, below ``configs/``.
        digest (Digest): Hash of the published file of weights.
        keypoint_ap (float): AP of the keypoints, in percent.
        box_ap (float): AP of the persons' boxes, in percent.
        evaluated_on (str): The images on which both were measured.
        licence (str): Licence of the weights.
        origin (str): The project that trained it.
        weights (str, optional): Its checkpoint, below ``onestage_pose/weights/``; None
            if it is downloaded.
        url (str, optional): Address of its checkpoint, which is converted after the
            download; None if it comes with the package.
    """

    name: str
    config: str
    digest: Digest
    keypoint_ap: float
    box_ap: float
    evaluated_on: str
    licence: str
    origin: str
    weights: str | None = None
    url: str | None = None

    @property
    def file_name(self) -> str:
        """str: The name of the file that was published."""
        return self.weights or self.url.rpartition('/')[2]


def read_table(path: Path = TABLE) -> dict[str, PublishedModel]:
    """Read the table of published models.

    Args:
        path (Path): A JSON file like ``models.json``.

    Returns:
        dict[str, PublishedModel]: By name, in the order of the file.
    """
    return {
        name: PublishedModel(name=name, digest=Digest.parse(entry.pop('hash')), **entry)
        for name, entry in json.loads(path.read_text(encoding='utf-8')).items()
    }


#: By name.
MODELS = read_table()


def list_models() -> list[str]:
    """Return the names of all published models, downloaded or not.

    :func:`onestage_pose.zoo.get_model_info` says which of them come with the package.
    """
    return sorted(MODELS)


def get_model_info(name: str) -> PublishedModel:
    """Look up a published model, without a download.

    Args:
        name (str): One of :func:`list_models`; case does not matter.

    Returns:
        PublishedModel: Its entry in the table.

    Raises:
        UsageError: There is no such model; the message lists all, the nearest first.
    """
    if name.lower() not in MODELS:
        similar = find_similar(name.lower(), MODELS, number=1, likeness=0.0)
        names = similar + [each for each in list_models() if each not in similar]
        raise UsageError(
            f'there is no published model {name!r}; the models are '
            f'{", ".join(map(repr, names))}.{did_you_mean(name.lower(), MODELS)}'
        )
    return MODELS[name.lower()]
