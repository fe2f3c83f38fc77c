# Copyright (c) onestage_pose contributors.
"""Things that are not people: furniture, trees, cars, sticks and balls."""

from __future__ import annotations

import numpy as np

from .canvas import CIRCLE, Canvas
from .colors import SKINS, Color, cloth, hsv, mix, pastel, shade


class Props:
    """Draws single things of random looks.

    Places are image points: ``x`` the left border or the middle of the thing,
    ``y`` the ground it stands on. Nothing of this belongs to a person; only
    :meth:`foreground` erases ids.

    Args:
        canvas (Canvas): What to draw on.
        rng (np.random.Generator): Source of all randomness.
        light (np.ndarray): (2,) unit vector toward the light.
    """

    def __init__(
        self, canvas: Canvas, rng: np.random.Generator, light: np.ndarray
    ) -> None:
        self.canvas, self.rng, self.light = canvas, rng, light
        self.h, self.w = canvas.height, canvas.width
        self.unit = min(self.h, self.w)

    def _u(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def window(self, x: float, y: float) -> None:
        """Draw a window with curtains in a wall that ends at ``y``."""
        w, top = self._u(0.2, 0.4) * self.unit, y * self._u(0.1, 0.2)
        bottom = y * self._u(0.6, 0.8)
        sky = hsv(0.58, 0.25, 0.95)
        rect = self.canvas.rectangle
        rect(x, top, x + w, bottom, (238, 240, 242))
        e = 0.012 * self.unit
        mid = x + w / 2
        rect(x + e, top + e, mid - e / 2, bottom - e, sky)
        rect(mid + e / 2, top + e, x + w - e, bottom - e, shade(sky, 1.3))
        curtain = cloth(self.rng)
        for side in (x - 0.05 * self.unit, x + w - 0.02 * self.unit):
            rect(side, top - e, side + 0.07 * self.unit, bottom + 4 * e, curtain)
            rect(
                side,
                top - e,
                side + 0.02 * self.unit,
                bottom + 4 * e,
                shade(curtain, 0.8),
            )

    def frame(self, x: float, y: float) -> None:
        """Draw a framed picture on the wall."""
        w, h = self._u(0.08, 0.2) * self.unit, self._u(0.08, 0.2) * self.unit
        e = 0.01 * self.unit
        self.canvas.rectangle(x, y, x + w, y + h, shade(cloth(self.rng), 0.6))
        self.canvas.rectangle(x + e, y + e, x + w - e, y + h - e, pastel(self.rng))
        for _ in range(2):
            center = np.array([x + w * self._u(0.3, 0.7), y + h * self._u(0.35, 0.75)])
            self.canvas.ellipse(
                center, (w * 0.2, h * self._u(0.1, 0.22)), cloth(self.rng)
            )

    def shelf(self, x: float, y: float) -> None:
        """Draw a shelf with books."""
        rng, u = self.rng, self.unit
        w, h = self._u(0.2, 0.35) * u, self._u(0.3, 0.5) * u
        wood = mix(cloth(rng), (60, 100, 150), 0.6)
        y += 0.02 * u
        self.canvas.rectangle(x, y - h, x + w, y, shade(wood, 0.6))
        rows = int(rng.integers(2, 5))
        for row in range(rows):
            base = y - h * row / rows - 0.012 * u
            self.canvas.rectangle(x, base, x + w, base + 0.012 * u, wood)
            place = x + 0.01 * u
            while place < x + w - 0.03 * u and rng.random() < 0.93:
                thick = self._u(0.01, 0.028) * u
                tall = h / rows * self._u(0.5, 0.82)
                self.canvas.rectangle(
                    place, base - tall, place + thick, base, cloth(rng)
                )
                place += thick * 1.08

    def sofa(self, x: float, y: float) -> None:
        """Draw a sofa."""
        u, color = self.unit, cloth(self.rng)
        w, h = self._u(0.35, 0.55) * u, self._u(0.14, 0.2) * u
        y += self._u(0.05, 0.12) * u
        rect = self.canvas.rectangle
        rect(x, y - h * 1.5, x + w, y - h * 0.2, shade(color, 0.8))
        rect(x + w * 0.04, y - h * 0.75, x + w * 0.96, y - h * 0.1, color)
        for side in (x - w * 0.05, x + w * 0.93):
            rect(side, y - h, side + w * 0.12, y, shade(color, 1.12))
        self.canvas.line(
            np.array([[x + w / 2, y - h * 1.4], [x + w / 2, y - h * 0.1]]),
            shade(color, 0.62),
            0.005 * u,
        )

    def lamp(self, x: float, y: float) -> None:
        """Draw a standing lamp."""
        u, color = self.unit, pastel(self.rng)
        h = self._u(0.35, 0.55) * u
        y += 0.05 * u
        self.canvas.line(np.array([[x, y], [x, y - h]]), (60, 62, 70), 0.012 * u)
        self.canvas.ellipse(np.array([x, y]), (0.05 * u, 0.013 * u), (60, 62, 70))
        cone = np.array([[-0.08, 0.02], [-0.05, -0.09], [0.05, -0.09], [0.08, 0.02]])
        self.canvas.polygon(cone * u + (x, y - h), color)
        self.canvas.polygon(cone * (0.5, 0.9) * u + (x, y - h), shade(color, 1.3))

    def plant(self, x: float, y: float) -> None:
        """Draw a plant in its pot."""
        u = self.unit
        size = self._u(0.08, 0.17) * u
        y += self._u(0.03, 0.1) * u
        pot = mix(cloth(self.rng), (70, 110, 190), 0.5)
        leaf = hsv(self._u(0.22, 0.42), 0.6, self._u(0.3, 0.6))
        shape = np.array([[-0.4, -0.6], [0.4, -0.6], [0.3, 0], [-0.3, 0]])
        for k in range(7):
            angle = -np.pi / 2 + (k - 3) * 0.36
            reach = size * self._u(1.0, 1.8)
            tip = np.array([np.cos(angle), np.sin(angle)]) * reach
            center = np.array([x, y - 0.5 * size]) + tip * 0.5
            tint = shade(leaf, self._u(0.75, 1.2))
            self.canvas.ellipse(center, (reach * 0.5, size * 0.14), tint, None, angle)
        self.canvas.polygon(shape * size + (x, y), pot)

    def table(self, x: float, y: float) -> None:
        """Draw a table with a ball on it."""
        u, wood = self.unit, mix(cloth(self.rng), (60, 100, 150), 0.6)
        w, h = self._u(0.25, 0.4) * u, self._u(0.14, 0.22) * u
        y += self._u(0.04, 0.14) * u
        for leg in (0.06, 0.94):
            line = np.array([[x + leg * w, y - h], [x + leg * w, y]])
            self.canvas.line(line, shade(wood, 0.7), 0.018 * u)
        self.canvas.rectangle(x, y - h, x + w, y - h + 0.025 * u, wood)
        self.ball(x + w * self._u(0.2, 0.8), y - h - 0.025 * u, 0.025 * u)

    def ball(self, x: float, y: float, r: float) -> None:
        """Draw a ball, in one of the skin colours at times."""
        color = cloth(self.rng) if self.rng.random() < 0.6 else self._skin()
        center = np.array([x, y])
        self.canvas.ellipse(center, (r, r), shade(color, 0.72))
        self.canvas.ellipse(center + self.light * r * 0.12, (r * 0.8, r * 0.8), color)

    def _skin(self) -> Color:
        return SKINS[int(self.rng.integers(len(SKINS)))]

    def building(self, x: float, y: float, w: float, h: float) -> None:
        """Draw a house of ``w`` by ``h`` with its windows."""
        rng, rect = self.rng, self.canvas.rectangle
        wall = mix(cloth(rng), pastel(rng), 0.55)
        rect(x, y - h, x + w, y, wall)
        rect(x, y - h, x + w, y - h + 0.03 * w, shade(wall, 0.7))
        rect(x + w * 0.94, y - h, x + w, y, shade(wall, 0.82))
        columns = int(rng.integers(2, 5))
        step = w / columns
        glass = hsv(0.58, self._u(0.05, 0.35), self._u(0.25, 0.9))
        for cy in np.arange(y - h + 0.4 * step, y - 0.9 * step, step * 1.15):
            for c in range(columns):
                cx = x + (c + 0.24) * step
                rect(cx, cy, cx + 0.52 * step, cy + 0.7 * step, glass)
        rect(
            x + 0.36 * w, y - 0.6 * step, x + 0.36 * w + 0.4 * step, y, shade(wall, 0.5)
        )

    def tree(self, x: float, y: float) -> None:
        """Draw a tree."""
        u = self.unit
        h = self._u(0.25, 0.6) * u
        bark = hsv(0.07, 0.5, self._u(0.25, 0.45))
        trunk = np.array([[-0.045, 0], [0.045, 0], [0.025, -0.6], [-0.025, -0.6]])
        self.canvas.polygon(trunk * h + (x, y), bark)
        leaf = hsv(self._u(0.2, 0.4), self._u(0.4, 0.7), self._u(0.3, 0.65))
        blobs = self.rng.uniform(-0.22, 0.22, (6, 2)) * h + (x, y - 0.75 * h)
        for tone, part, shift in ((0.72, 1.0, 0.0), (1.0, 0.8, 0.15)):
            for blob in blobs:
                r = 0.2 * h * part
                center = blob + self.light * shift * r
                self.canvas.ellipse(center, (r, r * 0.9), shade(leaf, tone))

    def car(self, x: float, y: float) -> None:
        """Draw a car."""
        u, color = self.unit * self._u(0.7, 1.2), cloth(self.rng)
        body = np.array(
            [[0, 0], [0, -0.08], [0.08, -0.1], [0.15, -0.18], [0.34, -0.18]]
            + [[0.43, -0.1], [0.5, -0.08], [0.5, 0]]
        )
        glass = np.array(
            [[0.11, -0.1], [0.165, -0.165], [0.325, -0.165], [0.395, -0.1]]
        )
        self.canvas.polygon(body * u + (x, y), color)
        self.canvas.polygon(glass * u + (x, y), (190, 170, 150))
        for wheel in (0.11, 0.39):
            center = np.array([x + wheel * u, y])
            self.canvas.ellipse(center, (0.045 * u, 0.045 * u), (34, 32, 32))
            self.canvas.ellipse(center, (0.022 * u, 0.022 * u), (170, 170, 172))

    def pole(self, x: float, y: float) -> None:
        """Draw a lamp post or a sign."""
        u = self.unit
        h, color = self._u(0.4, 0.8) * u, shade(cloth(self.rng), 0.6)
        self.canvas.line(np.array([[x, y], [x, y - h]]), color, self._u(0.01, 0.03) * u)
        if self.rng.random() < 0.5:
            self.ball(x, y - h, self._u(0.02, 0.05) * u)
        else:
            self.canvas.rectangle(
                x - 0.06 * u, y - h, x + 0.06 * u, y - h + 0.08 * u, cloth(self.rng)
            )

    def bench(self, x: float, y: float) -> None:
        """Draw a bench."""
        u, wood = self.unit, mix(cloth(self.rng), (60, 100, 150), 0.6)
        w = 0.3 * u
        for leg in (0.1, 0.9):
            line = np.array([[x + leg * w, y - 0.1 * u], [x + leg * w, y]])
            self.canvas.line(line, (50, 50, 54), 0.014 * u)
        for k, top in enumerate((0.16, 0.13, 0.08)):
            tone = shade(wood, 1 - 0.08 * k)
            self.canvas.rectangle(x, y - top * u, x + w, y - (top - 0.02) * u, tone)

    def clutter(self) -> None:
        """Draw something that resembles a limb, a head or clothes."""
        rng, u = self.rng, self.unit
        x, y = self._u(0, self.w), self._u(0.1, 1.0) * self.h
        kind = int(rng.integers(5))
        color = self._skin() if rng.random() < 0.35 else cloth(rng)
        if kind == 0:  # a stick, bent or straight
            angle, length = self._u(0, 2 * np.pi), self._u(0.08, 0.3) * u
            step = np.array([np.cos(angle), np.sin(angle)]) * length
            turn = angle + self._u(-1.2, 1.2)
            end = step + np.array([np.cos(turn), np.sin(turn)]) * length
            points = np.stack([np.zeros(2), step, end]) + (x, y)
            width = self._u(0.012, 0.05) * u
            self.canvas.line(points, shade(color, 0.72), width)
            self.canvas.line(points + self.light * width * 0.1, color, width * 0.7)
        elif kind == 1:  # a ball or a balloon on its string
            r = self._u(0.025, 0.07) * u
            if rng.random() < 0.5:
                string = np.array([[x, y], [x + 0.3 * r, y + 3 * r]])
                self.canvas.line(string, (90, 90, 90), 0.004 * u)
            self.ball(x, y, r)
        elif kind == 2:  # clothes on a line or a rack
            w = self._u(0.06, 0.14) * u
            shirt = np.array(
                [[-0.4, 0], [-0.8, 0.5], [-0.55, 0.65], [-0.4, 0.4], [-0.4, 1.3]]
                + [[0.4, 1.3], [0.4, 0.4], [0.55, 0.65], [0.8, 0.5], [0.4, 0]]
            )
            self.canvas.polygon(shirt * w + (x, y), color)
            self.canvas.line(
                np.array([[x - 1.2 * w, y], [x + 1.2 * w, y]]), (70, 70, 74), 0.006 * u
            )
        elif kind == 3:  # a board on legs
            w, h = self._u(0.06, 0.16) * u, self._u(0.08, 0.2) * u
            for leg in (-0.7, 0.7):
                line = np.array([[x + leg * w, y], [x + leg * w * 1.2, y + h]])
                self.canvas.line(line, (60, 80, 110), 0.012 * u)
            self.canvas.rectangle(x - w, y - h * 0.6, x + w, y + h * 0.3, color)
            self.canvas.rectangle(
                x - 0.8 * w, y - h * 0.45, x + 0.8 * w, y + h * 0.15, shade(color, 1.3)
            )
        else:  # a vase, a pin, a bottle: a body with a head
            r = self._u(0.025, 0.06) * u
            self.canvas.ellipse(np.array([x, y]), (r, 1.8 * r), shade(color, 0.75))
            lit = np.array([x, y]) + self.light * 0.1 * r
            self.canvas.ellipse(lit, (0.8 * r, 1.6 * r), color)
            self.canvas.ellipse(
                np.array([x, y - 2 * r]), (0.4 * r, 0.9 * r), shade(color, 0.85)
            )

    def foreground(self, x: float, ground: float, height: float) -> None:
        """Draw something that hides part of what stands at a place.

        Args:
            x (float): Image column.
            ground (float): Image row on which the thing stands.
            height (float): Standing height there of a person, pixels.
        """
        rng, canvas = self.rng, self.canvas
        color = cloth(rng)
        kind = int(rng.integers(4))
        if kind == 0:  # a crate or a counter
            w, h = self._u(0.15, 0.4) * height, self._u(0.2, 0.5) * height
            canvas.rectangle(x - w, ground - h, x + w, ground, shade(color, 0.75), 0)
            canvas.rectangle(x - w, ground - h, x + w, ground - 0.88 * h, color)
            e = 0.08 * h
            canvas.rectangle(
                x - w + e, ground - 0.8 * h, x + w - e, ground - e, shade(color, 0.86)
            )
        elif kind == 1:  # a bush
            leaf = hsv(self._u(0.2, 0.4), 0.55, self._u(0.3, 0.6))
            r = self._u(0.1, 0.18) * height
            blobs = rng.uniform(-1, 1, (6, 2)) * (2 * r, 0.6 * r) + (x, ground - r)
            for tone, part, id_ in ((0.72, 1.0, 0), (1.0, 0.78, None)):
                for blob in blobs:
                    center = blob + self.light * (1 - part) * r
                    radii = (r * part, r * 0.9 * part)
                    canvas.polygon(CIRCLE * radii + center, shade(leaf, tone), id_)
        elif kind == 2:  # a post from bottom to top
            w = self._u(0.02, 0.06) * height
            top = ground - self._u(0.5, 1.4) * height
            canvas.rectangle(x - w, top, x + w, ground, shade(color, 0.7), 0)
            canvas.rectangle(x - 0.6 * w, top, x + 0.4 * w, ground, color)
        else:  # a board or a sign held at some height
            w, h = self._u(0.1, 0.22) * height, self._u(0.1, 0.25) * height
            y = ground - self._u(0.3, 0.8) * height
            canvas.rectangle(x - w, y, x + w, y + h, shade(color, 0.7), 0)
            canvas.rectangle(
                x - 0.9 * w, y + 0.08 * h, x + 0.9 * w, y + 0.92 * h, shade(color, 1.2)
            )
            for k in (0.3, 0.5, 0.7):
                line = np.array([[x - 0.7 * w, y + k * h], [x + 0.6 * w, y + k * h]])
                canvas.line(line, shade(color, 0.6), 0.05 * h)
