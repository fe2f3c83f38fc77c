# Copyright (c) onestage_pose contributors.
"""Trunk and hips with clothes whose front differs from their back."""

from __future__ import annotations

import math

import numpy as np

from .canvas import Canvas
from .colors import Color, shade
from .outfit import Outfit
from .shapes import trunk

_DARK = (40, 20, 30)
_STEPS = np.linspace(0, 1, 7)


class Torso:
    """A stack of ellipses from below the hips (level 0) to the neck (level 5).

    A point of the surface is named by its level and the angle around the body:
    0 in front, positive toward the person's left.

    Args:
        canvas (Canvas): What to draw on.
        outfit (Outfit): The clothes.
        center, side, front: (6, 2) image points and half axes of the levels.
        view (float): The angle from which the camera sees the chest, radians.
        light (np.ndarray): (2,) unit vector toward the light.
    """

    def __init__(
        self,
        canvas: Canvas,
        outfit: Outfit,
        center: np.ndarray,
        side: np.ndarray,
        front: np.ndarray,
        view: float,
        light: np.ndarray,
    ) -> None:
        self.canvas, self.outfit = canvas, outfit
        self.rings = np.stack([center, side, front], 1)
        self.view, self.light = view, light

    def _level(self, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        i = min(int(level), 4)
        lower, upper = self.rings[i], self.rings[i + 1]
        center, side, front = lower + (upper - lower) * (level - i)
        return center, side, front

    def _arc(self, level: float, angles: np.ndarray) -> np.ndarray:
        """Return (A, 2) points of the surface at a level."""
        center, side, front = self._level(level)
        return center + np.outer(np.sin(angles), side) + np.outer(np.cos(angles), front)

    def _seen(self, start: float, stop: float) -> np.ndarray | None:
        """Return (7,) the seen angles between two, or None."""
        middle = (start + stop) / 2
        shift = (middle - self.view + math.pi) % (2 * math.pi) - math.pi
        half = (stop - start) / 2
        low, high = max(shift - half, -1.45), min(shift + half, 1.45)
        if low >= high:
            return None
        return self.view + low + (high - low) * _STEPS

    def _patch(
        self, bottom: float, top: float, start: float, stop: float, color: Color
    ) -> None:
        """Paint the surface between two levels and two angles."""
        angles = self._seen(start, stop)
        if angles is not None:
            points = [self._arc(bottom, angles), self._arc(top, angles)[::-1]]
            self.canvas.polygon(np.concatenate(points), color)

    def _stack(self, levels: list[float], color: Color, id_: int) -> None:
        parts = [self._level(level) for level in levels]
        rings = [np.stack(x) for x in zip(*parts)]
        whole, lit = trunk(*rings, self.light)
        dark = shade(color, 0.74, _DARK)
        turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        # The ends close the stack where it is seen from above or below.
        for level in (levels[0], levels[-1]):
            self.canvas.polygon(self._arc(level, turn), dark, id_)
        self.canvas.polygon(whole, dark, id_)
        self.canvas.polygon(lit, color)

    def draw_hips(self, id_: int) -> None:
        """Draw what is between waist and legs."""
        outfit = self.outfit
        self._stack([0.0, 0.5, 1.0, 1.6, 2.0], outfit.bottom, id_)
        if not outfit.skirt:
            belt = shade(outfit.bottom, 0.55)
            self._patch(1.35, 1.6, self.view - 1.4, self.view + 1.4, belt)
            self._patch(1.33, 1.62, -0.25, 0.25, (120, 200, 220))

    def draw_top(self, id_: int) -> None:
        """Draw the shirt, dress or jacket."""
        outfit = self.outfit
        hem = 1.55 if outfit.skirt or outfit.pattern == 'yoke' else 0.7
        if outfit.pattern == 'plain':
            hem = 1.6
        self._stack([hem, 2.0, 3.0, 4.0, 4.6, 5.0], outfit.top, id_)
        accent, left, right = outfit.accent, self.view - 1.25, self.view + 1.25
        if outfit.pattern == 'bands':
            for k in range(4):
                low = hem + 0.3 + k * (4.0 - hem) / 4
                self._patch(low, low + 0.36, left, right, accent)
        elif outfit.pattern == 'yoke':
            self._patch(3.3, 4.7, left, right, accent)
        elif outfit.pattern == 'jacket':
            self._patch(hem, 4.9, -0.42, 0.42, accent)
            for edge in (-0.46, 0.46):
                self._patch(hem, 4.8, edge - 0.05, edge + 0.05, shade(outfit.top, 0.6))
        elif outfit.pattern == 'sport':
            for flank in (math.pi / 2, -math.pi / 2):
                self._patch(hem, 4.2, flank - 0.3, flank + 0.3, accent)
            self._patch(3.3, 3.7, 0.25, 0.7, accent)
            # A number fills the back.
            self._patch(3.5, 3.85, math.pi - 0.5, math.pi + 0.5, accent)
            self._patch(2.2, 3.85, math.pi - 0.18, math.pi + 0.18, accent)
        elif outfit.pattern == 'dots':
            for k in range(5):
                level = hem + 0.35 + k * (4.1 - hem) / 5
                for m in range(10):
                    angle = (m + 0.5 * (k % 2)) * math.pi / 5
                    self._patch(level, level + 0.16, angle - 0.1, angle + 0.1, accent)
        else:
            self._patch(hem, 4.5, -0.06, 0.06, shade(outfit.top, 0.8, _DARK))
            for k in range(4):
                level = hem + 0.35 + 0.72 * k
                self._patch(level, level + 0.14, -0.07, 0.07, (235, 235, 240))
        if outfit.pattern == 'jacket':
            self._patch(4.45, 5.0, left, right, shade(outfit.top, 0.82, _DARK))
            self._patch(4.2, 5.0, -0.4, 0.4, accent)
        self._patch(4.45, 5.0, -0.75, 0.75, shade(outfit.skin, 0.88, _DARK))
