# Copyright (c) onestage_pose contributors.
"""What a person wears and looks like, apart from pose and proportions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .colors import HAIRS, SKINS, Color, cloth, mix


@dataclass
class Outfit:
    """Clothes, skin and hair.

    ``sleeve`` and ``leg`` are the covered lengths of arm and leg in limbs: 0
    bare, 1 to the elbow or knee, 2 to the wrist or ankle.
    """

    skin: Color
    hair: Color
    hair_style: str  # 'short', 'long', 'bun', 'tail', 'bald', 'cap', 'beanie'
    hat: Color
    top: Color
    accent: Color
    pattern: str  # 'plain', 'bands', 'yoke', 'jacket', 'sport', 'dots'
    sleeve: float
    bottom: Color
    leg: float
    skirt: float  # length of a skirt in thighs; 0 without one
    shoe: Color
    sock: Color
    sock_height: float  # covered part of the shin
    glasses: bool
    beard: bool


def _pick(rng: np.random.Generator, names: str) -> str:
    options = names.split()
    return options[int(rng.integers(len(options)))]


def sample_outfit(rng: np.random.Generator) -> Outfit:
    """Draw a random look."""
    skin = SKINS[int(rng.integers(len(SKINS)))]
    hair = HAIRS[int(rng.integers(len(HAIRS)))]
    style = _pick(
        rng, 'short short short short long long long bun tail tail bald cap cap beanie'
    )
    top, bottom = cloth(rng), cloth(rng)
    if rng.random() < 0.5:  # jeans, chinos, black
        bottom = (
            (110, 74, 48),
            (140, 108, 82),
            (48, 44, 42),
            (92, 124, 150),
            (70, 66, 62),
        )[int(rng.integers(5))]
    u = rng.random(8)
    skirt = 0.0
    if u[0] < 0.16:
        skirt = 0.55 + 0.9 * u[1]
        if u[2] < 0.5:
            bottom = top  # a dress
    leg = 0.0 if skirt else (0.45 + 0.45 * u[1] if u[3] < 0.3 else 2.0)
    return Outfit(
        skin=skin,
        hair=hair,
        hair_style=style,
        hat=cloth(rng),
        top=top,
        accent=cloth(rng),
        pattern=_pick(
            rng, 'plain plain bands bands yoke jacket jacket sport sport dots'
        ),
        sleeve=(0.0, 0.55, 0.6, 1.1, 2.0, 2.0, 2.0)[int(rng.integers(7))],
        bottom=bottom,
        leg=leg,
        skirt=skirt,
        shoe=mix(cloth(rng), (40, 40, 44), 0.35),
        sock=(232, 232, 236) if u[4] < 0.6 else cloth(rng),
        sock_height=0.15 + 0.7 * u[5] ** 2,
        glasses=bool(u[6] < 0.15),
        beard=bool(u[7] < 0.18 and style in ('short', 'bald', 'cap', 'beanie')),
    )
