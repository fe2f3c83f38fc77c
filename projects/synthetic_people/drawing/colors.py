# Copyright (c) onestage_pose contributors.
"""Colours are BGR tuples of three ints in 0..255."""

from __future__ import annotations

import colorsys
from functools import lru_cache

import numpy as np

Color = tuple[int, int, int]

SKINS: tuple[Color, ...] = (
    (196, 214, 246),
    (172, 200, 238),
    (140, 178, 226),
    (110, 152, 206),
    (84, 122, 178),
    (62, 92, 144),
    (46, 68, 108),
    (36, 52, 82),
)
HAIRS: tuple[Color, ...] = (
    (26, 24, 28),
    (34, 36, 48),
    (38, 54, 84),
    (48, 76, 122),
    (62, 110, 168),
    (112, 176, 216),
    (44, 76, 160),
    (170, 172, 176),
)


def hsv(hue: float, saturation: float, value: float) -> Color:
    """Return the BGR colour of a hue, saturation and value in 0..1."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return int(b * 255), int(g * 255), int(r * 255)


@lru_cache(maxsize=4096)
def shade(color: Color, factor: float, toward: Color = (0, 0, 0)) -> Color:
    """Return a colour times ``factor`` (<1) or lightened toward white (>1)."""
    if factor <= 1:
        return tuple(  # type: ignore[return-value]
            int(c * factor + t * (1 - factor)) for c, t in zip(color, toward)
        )
    return tuple(  # type: ignore[return-value]
        int(c + (255 - c) * min(factor - 1, 1.0)) for c in color
    )


def mix(a: Color, b: Color, t: float) -> Color:
    """Return the colour at ``t`` (0..1) between ``a`` and ``b``."""
    return tuple(int(x + (y - x) * t) for x, y in zip(a, b))  # type: ignore[return-value]


def cloth(rng: np.random.Generator) -> Color:
    """Draw a random colour of clothes, furniture and other dyed things."""
    u = rng.random(4)
    if u[3] < 0.25:  # black, grey, white
        v = 0.12 + 0.84 * u[2]
        return hsv(u[0], 0.06 * u[1], v)
    return hsv(u[0], 0.3 + 0.6 * u[1], 0.3 + 0.65 * u[2])


def pastel(rng: np.random.Generator) -> Color:
    """Draw a random pale colour of walls and skies."""
    u = rng.random(3)
    return hsv(u[0], 0.05 + 0.3 * u[1], 0.6 + 0.38 * u[2])
