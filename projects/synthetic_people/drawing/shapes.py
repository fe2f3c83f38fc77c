# Copyright (c) onestage_pose contributors.
"""Outlines of limbs and trunks, computed for many of them at once."""

from __future__ import annotations

import numpy as np

# One outline: the far cap, one side, the near cap, the other side. Each
# sample has a place along the axis (0..1) and a direction (along, across).
_CAP = np.linspace(-np.pi / 2, np.pi / 2, 7)
_SIDE = np.array([0.75, 0.5, 0.25])
_ALONG = np.concatenate([np.ones(7), _SIDE, np.zeros(7), _SIDE[::-1]])
_DIRECTION = np.concatenate(
    [
        np.stack([np.cos(_CAP), np.sin(_CAP)], 1),
        np.tile([0.0, 1.0], (3, 1)),
        np.stack([-np.cos(_CAP), -np.sin(_CAP)], 1),
        np.tile([0.0, -1.0], (3, 1)),
    ]
)


# How far the lit tones reach: along the axis, across it, and toward the light.
_TONES = ((1.0, 1.0, 0.0), (0.97, 0.78, 0.17), (0.5, 0.3, 0.42))


def tubes(
    a: np.ndarray,
    b: np.ndarray,
    ra: np.ndarray,
    rb: np.ndarray,
    bulge: np.ndarray,
    light: np.ndarray,
) -> np.ndarray:
    """Return rounded, tapered limbs from ``a`` to ``b`` with their lit inner parts.

    Args:
        a, b: (L, 2) ends of the axes.
        ra, rb: (L,) radii at the ends.
        bulge (np.ndarray): (L,) relative swelling at a third of the way from ``a``.
        light (np.ndarray): (2,) unit vector toward the light.

    Returns:
        np.ndarray: (3, L, P, 2) outlines: the whole limb, its lit part, its highlight.
    """
    t = _ALONG[None]
    d = b - a
    length = np.sqrt((d**2).sum(1))
    u = d / np.maximum(length, 1e-6)[:, None]
    v = np.stack([-u[:, 1], u[:, 0]], 1)
    # A limb seen end-on must not swell beyond its caps.
    swell = np.minimum(1.0, length / (3 * (ra + rb) + 1e-9)) * bulge
    profile = 1 + swell[:, None] * (6.75 * t * (1 - t) ** 2)
    radius = (ra[:, None] + (rb - ra)[:, None] * t) * profile
    toward = (v @ light)[:, None] * radius
    axis = a[:, None] + d[:, None] * t[..., None]
    along = (_DIRECTION[:, 0] * radius)[..., None] * u[:, None]
    across = _DIRECTION[:, 1] * radius
    return np.stack(
        [
            axis + e * along + (w * across + s * toward)[..., None] * v[:, None]
            for e, w, s in _TONES
        ]
    )


def trunk(
    center: np.ndarray, side: np.ndarray, front: np.ndarray, light: np.ndarray
) -> np.ndarray:
    """Return the outline of a stack of ellipses, and its lit part.

    Args:
        center, side, front: (R, 2) projected middle and half axes of each
            ring, from one end of the stack to the other.
        light (np.ndarray): (2,) unit vector toward the light.

    Returns:
        np.ndarray: (2, 2R', 2) outlines: the whole trunk and its lit part.
    """
    axis = np.gradient(center, axis=0) + 0.5 * (center[-1] - center[0])
    v = np.stack([-axis[:, 1], axis[:, 0]], 1)
    v /= np.maximum(np.sqrt((v**2).sum(1, keepdims=True)), 1e-6)
    s, f = (side * v).sum(1), (front * v).sum(1)
    reach = np.sqrt(s**2 + f**2)[:, None]
    # The ring's outermost point across the stack's axis.
    edge = (s[:, None] * side + f[:, None] * front) / np.maximum(reach, 1e-6)
    toward = v * (v @ light)[:, None] * reach * 0.12
    inner = edge * 0.84
    return np.stack(
        [
            np.concatenate([smooth(center + edge), smooth(center - edge)[::-1]]),
            np.concatenate(
                [
                    smooth(center + inner + toward),
                    smooth(center - inner + toward)[::-1],
                ]
            ),
        ]
    )


def smooth(points: np.ndarray) -> np.ndarray:
    """Apply one corner-cutting step to an open (P, 2) polyline; ends stay."""
    a, b = points[:-1], points[1:]
    cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], 1).reshape(-1, 2)
    return np.concatenate([points[:1], cut, points[-1:]])


def visible_cap(boundary: np.ndarray, axis: np.ndarray) -> np.ndarray | None:
    """Return the seen part of a cap on the unit sphere.

    Args:
        boundary (np.ndarray): (P, 3) points of the cap's rim, in order around it, z
            toward the viewer.
        axis (np.ndarray): (3,) the cap's middle.

    Returns:
        np.ndarray | None: (P', 2) outline in x and y, or None where nothing is seen.
    """
    seen = boundary[:, 2] > 0
    if seen.all():
        return boundary[:, :2]
    if not seen.any():
        return None
    # Start right behind a hidden point, so that the seen run is contiguous.
    start = int(np.argmax(seen & ~np.roll(seen, 1)))
    run = np.roll(boundary, -start, axis=0)[: int(seen.sum())]
    last = np.arctan2(run[-1, 1], run[-1, 0])
    first = np.arctan2(run[0, 1], run[0, 0])
    middle = np.arctan2(axis[1], axis[0])
    turn = np.linspace(0, 1, 8)
    # Close along the sphere's own outline, on the side of the cap's middle.
    angle = np.concatenate(
        [last + _wrap(middle - last) * turn, middle + _wrap(first - middle) * turn[1:]]
    )
    arc = np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.concatenate([run[:, :2], arc])


def _wrap(angle: float) -> float:
    return (angle + np.pi) % (2 * np.pi) - np.pi
