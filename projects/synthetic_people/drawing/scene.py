# Copyright (c) onestage_pose contributors.
"""Backgrounds full of things that are not people."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .canvas import SUPERSAMPLING, Canvas
from .colors import Color, cloth, hsv, mix, pastel, shade
from .props import Props


class Scene(Props):
    """Paints one background.

    Args:
        canvas (Canvas): What to draw on.
        rng (np.random.Generator): Source of all randomness.
        light (np.ndarray): (2,) unit vector toward the light.

    Attributes:
        horizon: Height in the image of the line where the ground ends.
    """

    def __init__(
        self, canvas: Canvas, rng: np.random.Generator, light: np.ndarray
    ) -> None:
        super().__init__(canvas, rng, light)
        self.horizon = self.h * rng.uniform(0.3, 0.62)

    def paint(self) -> None:
        """Draw the whole background."""
        kinds: tuple[Callable[[], None], ...] = (
            self._room,
            self._room,
            self._street,
            self._street,
            self._park,
            self._park,
            self._studio,
            self._abstract,
        )
        kinds[int(self.rng.integers(len(kinds)))]()

    def _gradient(self, y0: float, y1: float, top: Color, bottom: Color) -> None:
        """Fill the rows from y0 to y1 of the image."""
        s = SUPERSAMPLING
        a, b = max(int(y0 * s), 0), min(int(y1 * s) + 1, self.h * s)
        if a < b:
            t = np.linspace(0, 1, b - a)[:, None]
            rows = np.array(top) * (1 - t) + np.array(bottom) * t
            column = np.ascontiguousarray(rows.astype(np.uint8)[:, None])
            view = self.canvas.color[a:b]
            cv2.resize(
                column,
                (view.shape[1], view.shape[0]),
                dst=view,
                interpolation=cv2.INTER_NEAREST,
            )

    def _texture(self, strength: int, cell: float, y0: float = 0.0) -> None:
        """Add blotches of about ``cell`` pixels below the row ``y0``."""
        s = SUPERSAMPLING
        view = self.canvas.color[max(int(y0 * s), 0) :]
        if not len(view):
            return
        h, w = view.shape[:2]
        nh, nw = max(2, int(h / s / cell)), max(2, int(w / s / cell))
        noise = np.frombuffer(self.rng.bytes(nh * nw), np.uint8).reshape(nh, nw)
        noise = (noise.astype(np.uint16) * strength // 255).astype(np.uint8)
        noise = cv2.resize(noise, (w, h), interpolation=cv2.INTER_LINEAR)
        cv2.subtract(view, cv2.merge([noise, noise, noise]), dst=view)

    def _studio(self) -> None:
        wall, floor = pastel(self.rng), cloth(self.rng)
        self._gradient(0, self.horizon, wall, shade(wall, 0.8))
        self._gradient(self.horizon, self.h, shade(floor, 0.7), floor)
        self._texture(int(self._u(5, 40)), self._u(2, 40))
        for _ in range(int(self.rng.integers(2, 8))):
            self.clutter()

    def _abstract(self) -> None:
        self._gradient(0, self.h, pastel(self.rng), cloth(self.rng))
        for _ in range(int(self.rng.integers(6, 18))):
            center = np.array([self._u(0, self.w), self._u(0, self.h)])
            n = int(self.rng.integers(3, 7))
            turn = np.sort(self.rng.uniform(0, 2 * np.pi, n))
            reach = self.unit * self._u(0.05, 0.35)
            points = center + np.stack([np.cos(turn), np.sin(turn)], 1) * reach
            self.canvas.polygon(points, cloth(self.rng))
        self._texture(int(self._u(8, 42)), self._u(2, 12))
        for _ in range(int(self.rng.integers(3, 9))):
            self.clutter()

    def _room(self) -> None:
        rng, canvas, u = self.rng, self.canvas, self.unit
        wall, floor = pastel(rng), mix(cloth(rng), (70, 110, 160), 0.5)
        y = self.horizon = self.h * rng.uniform(0.5, 0.72)
        self._gradient(0, y, wall, shade(wall, 0.86))
        self._gradient(y, self.h, shade(floor, 0.75), floor)
        if rng.random() < 0.4:  # wallpaper
            stripe, step = shade(wall, self._u(0.8, 1.3)), u * self._u(0.04, 0.12)
            for x in np.arange(0, self.w, step * 2):
                canvas.rectangle(x, 0, x + step, y, stripe)
        vanish = self._u(0.2, 0.8) * self.w
        for x in np.linspace(-self.w, 2 * self.w, int(rng.integers(9, 20))):
            far = vanish + (x - vanish) * 0.45
            plank = np.array([[far, y], [x, self.h]])
            canvas.line(plank, shade(floor, 0.68), 0.003 * u)
        canvas.rectangle(0, y - 0.025 * u, self.w, y, shade(wall, 1.5))
        if rng.random() < 0.6:
            self.window(self._u(0, self.w), y)
        for _ in range(int(rng.integers(0, 4))):
            self.frame(self._u(0, self.w), self._u(0.08, 0.3) * self.h)
        things = (self.shelf, self.sofa, self.lamp, self.plant, self.table)
        for _ in range(int(rng.integers(1, 5))):
            things[int(rng.integers(len(things)))](self._u(0, self.w), y)
        self._texture(int(self._u(4, 16)), self._u(2, 6))
        for _ in range(int(rng.integers(0, 4))):
            self.clutter()

    def _sky(self, y: float) -> None:
        hue = self._u(0.53, 0.64) if self.rng.random() < 0.8 else self._u(0.02, 0.12)
        value = self._u(0.7, 1.0)
        self._gradient(
            0,
            y,
            hsv(hue, self._u(0.2, 0.55), value),
            hsv(hue, 0.1, min(1, value + 0.1)),
        )
        for _ in range(int(self.rng.integers(0, 4))):
            x, cy = self._u(0, self.w), self._u(0, 0.6) * y
            r = self._u(0.04, 0.09) * self.unit
            for k in range(3):
                center = np.array([x + (k - 1) * r * 1.1, cy - (k == 1) * r * 0.3])
                self.canvas.ellipse(center, (r * 1.1, r * 0.55), (248, 246, 244))

    def _street(self) -> None:
        rng, canvas, u = self.rng, self.canvas, self.unit
        y = self.horizon
        self._sky(y)
        x = -self._u(0, 0.2) * self.w
        while x < self.w:
            w, h = self._u(0.16, 0.36) * u, self._u(0.35, 1.05) * y
            self.building(x, y, w, h)
            x += w + (rng.random() < 0.25) * self._u(0, 0.1) * u
        road = hsv(0.6, 0.05, self._u(0.3, 0.55))
        pavement = hsv(0.1, self._u(0, 0.12), self._u(0.55, 0.75))
        kerb = y + self._u(0.1, 0.5) * (self.h - y)
        self._gradient(y, kerb, shade(pavement, 0.85), pavement)
        self._gradient(kerb, self.h, shade(road, 0.9), road)
        canvas.rectangle(0, kerb, self.w, kerb + 0.012 * u, shade(pavement, 1.4))
        lane, dash = (kerb + self.h) / 2, self._u(0.08, 0.2) * u
        if rng.random() < 0.6:
            for x in np.arange(-self._u(0, 1) * dash, self.w, 2 * dash):
                canvas.rectangle(x, lane, x + dash, lane + 0.02 * u, (225, 230, 230))
        for _ in range(int(rng.integers(0, 3))):
            self.tree(self._u(0, self.w), y + self._u(0, 0.08) * u)
        if rng.random() < 0.5:
            self.car(self._u(-0.2, 0.9) * self.w, kerb + 0.03 * u)
        for _ in range(int(rng.integers(0, 3))):
            self.pole(self._u(0, self.w), y + self._u(0, 0.1) * u)
        self._texture(int(self._u(6, 28)), self._u(1.5, 5))
        for _ in range(int(rng.integers(0, 4))):
            self.clutter()

    def _park(self) -> None:
        rng, canvas, u = self.rng, self.canvas, self.unit
        y = self.horizon
        self._sky(y)
        grass = hsv(self._u(0.17, 0.36), self._u(0.3, 0.65), self._u(0.45, 0.75))
        if rng.random() < 0.25:
            grass = hsv(0.11, 0.35, 0.85)  # sand
        x = np.linspace(-5, self.w + 5, 24)
        for k in range(int(rng.integers(1, 4))):
            phase, high = self._u(0, 7), self._u(0.04, 0.18) * y
            top = y - high * (1.2 + np.sin(x / self.w * self._u(4, 9) + phase)) / (
                k + 1
            )
            hill = np.concatenate(
                [np.stack([x, top], 1), [[self.w + 5, y + 2], [-5, y + 2]]]
            )
            canvas.polygon(hill, mix(grass, (210, 190, 170), 0.5 - 0.15 * k))
        self._gradient(y, self.h, shade(grass, 0.8), grass)
        if rng.random() < 0.5:
            a, b = self._u(0.2, 0.8) * self.w, self._u(0, 1) * self.w
            path = np.array(
                [[a - 4, y], [a + 4, y], [b + 0.25 * u, self.h], [b - 0.25 * u, self.h]]
            )
            canvas.polygon(path, hsv(0.1, 0.2, self._u(0.6, 0.85)))
        self._texture(int(self._u(15, 50)), self._u(1.5, 4), y)
        for _ in range(int(rng.integers(1, 6))):
            self.tree(self._u(0, self.w), y + self._u(0, 0.12) * u)
        if rng.random() < 0.4:
            self.bench(self._u(0, self.w), y + self._u(0.06, 0.2) * u)
        if rng.random() < 0.4:
            top, color = y + self._u(-0.03, 0.03) * u, shade(cloth(rng), 1.1)
            for x in np.arange(0, self.w, 0.05 * u):
                canvas.rectangle(x, top - 0.06 * u, x + 0.03 * u, top + 0.04 * u, color)
        for _ in range(int(rng.integers(0, 4))):
            self.clutter()
