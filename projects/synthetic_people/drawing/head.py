# Copyright (c) onestage_pose contributors.
"""A head that can be looked at from every side."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import CIRCLE, Canvas
from .colors import Color, shade
from .outfit import Outfit
from .shapes import visible_cap

_DARK = (40, 20, 30)
_FACE_ID = 3  # part number of everything on the head


def _direction(*xyz: float) -> np.ndarray:
    v = np.array(xyz, dtype=np.float64)
    return v / np.sqrt((v**2).sum())


def _cap(axis: np.ndarray, degrees: float) -> np.ndarray:
    """Return the (24, 3) rim of the cap of half-angle ``degrees`` around ``axis``."""
    helper = np.array([1.0, 0, 0])
    e1 = np.cross(axis, helper)
    e1 /= np.sqrt((e1**2).sum())
    e2 = np.cross(axis, e1)
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)[:, None]
    a = np.radians(degrees)
    return np.cos(a) * axis + np.sin(a) * (np.cos(turn) * e1 + np.sin(turn) * e2)


# Head frame: x to the person's left, y up, z forward, unit radius.
_EYES = (_direction(0.38, 0.06, 0.92), _direction(-0.38, 0.06, 0.92))
_BROWS = (_direction(0.38, 0.3, 0.9), _direction(-0.38, 0.3, 0.9))
_EARS = (np.array([1.0, -0.02, -0.06]), np.array([-1.0, -0.02, -0.06]))
_NOSE = _direction(0, -0.2, 1) * 1.14
_BRIDGE = _direction(0, 0.1, 1)
_MOUTH = [_direction(x, y, 0.85) for x, y in ((0.24, -0.5), (0, -0.57), (-0.24, -0.5))]
_CHIN = np.array([0.0, -0.52, 0.26])
_HAIR_AXIS = _direction(0, 0.75, -0.66)
_HAIR = _cap(_HAIR_AXIS, 86)
_HAIR_FULL = _cap(_HAIR_AXIS, 93)
_HAT_AXIS = _direction(0, 0.97, -0.22)
_HAT = _cap(_HAT_AXIS, 72)
_BEANIE_AXIS = _direction(0, 0.93, -0.36)
_BEANIE = _cap(_BEANIE_AXIS, 80)
_BEARD_AXIS = _direction(0, -0.82, 0.57)
_BEARD = _cap(_BEARD_AXIS, 46)
_VISOR_TURN = np.radians(np.linspace(-58, 58, 9))
_VISOR = np.concatenate(
    [
        np.stack([np.sin(_VISOR_TURN) * r, np.full(9, y), np.cos(_VISOR_TURN) * r], 1)[
            ::step
        ]
        for r, y, step in ((0.97, 0.36, 1), (1.6, 0.22, -1))
    ]
)
_STACK = np.stack([_NOSE, *_EYES, *_EARS])


class Head:
    """Head, face, hair and hat.

    Args:
        canvas (Canvas): What to draw on.
        outfit (Outfit): Skin, hair and hat.
        center (np.ndarray): (2,) image point of the head's middle.
        radius (float): Pixels.
        rotation (np.ndarray): (3, 3) from the head frame to the camera frame.
        light (np.ndarray): (2,) unit vector toward the light.
        base (int): The person's first id.
    """

    def __init__(
        self,
        canvas: Canvas,
        outfit: Outfit,
        center: np.ndarray,
        radius: float,
        rotation: np.ndarray,
        light: np.ndarray,
        base: int,
    ) -> None:
        self.canvas, self.outfit = canvas, outfit
        self.center, self.radius, self.rotation = center, radius, rotation
        self.light, self.id = light, base + _FACE_ID
        up = np.array([rotation[0, 1], -rotation[1, 1]])
        length = np.sqrt((up**2).sum())
        up = up / max(length, 1e-6)
        # Heads are longer than wide: stretch along the projected up axis.
        self.stretch = radius * (0.9 * np.eye(2) + 0.24 * length * np.outer(up, up))

    def _to_image(self, camera_xy: np.ndarray) -> np.ndarray:
        return self.center + (camera_xy * (1.0, -1.0)) @ self.stretch

    def _place(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return image points (..., 2) and facing (...,) of head-frame points."""
        turned = points @ self.rotation.T
        return self._to_image(turned[..., :2]), turned[..., 2]

    def keypoints(self) -> tuple[np.ndarray, np.ndarray]:
        """Return nose, eyes and ears: (5, 2) image points and (5,) states."""
        xy, facing = self._place(_STACK)
        seen = np.array([-0.2, 0.1, 0.1, -0.25, -0.25])
        gone = np.array([-0.5, -0.3, -0.3, -0.6, -0.6])
        state = np.where(facing > seen, 2, np.where(facing > gone, 1, 0))
        if self.outfit.hair_style in ('long', 'beanie'):
            state[3:] = np.minimum(state[3:], 1)
        return xy, state

    def _paint_cap(
        self, rim: np.ndarray, axis: np.ndarray, grow: float, color: Color
    ) -> None:
        turned, middle = rim @ self.rotation.T, self.rotation @ axis
        outline = visible_cap(turned, middle)
        if outline is None:
            return
        points = self._to_image(outline * grow)
        self.canvas.polygon(points, shade(color, 0.74, _DARK), self.id)
        center = points.mean(0)
        lit = center + (points - center) * 0.84 + self.light * 0.06 * self.radius
        self.canvas.polygon(lit, color)

    def draw(self) -> None:
        """Draw the head with everything on it."""
        canvas, outfit, r = self.canvas, self.outfit, self.radius
        ears, ear_facing = self._place(np.stack(_EARS))
        covered = outfit.hair_style in ('long', 'beanie')
        visor, visor_facing = self._place(_VISOR)
        visor_behind = visor_facing.mean() < 0
        hat = shade(outfit.hat, 0.8)
        if outfit.hair_style == 'cap' and visor_behind:
            canvas.polygon(visor, hat, self.id)
        if outfit.hair_style == 'bun':
            (bun,), (bun_facing,) = self._place(np.array([[0.0, 0.95, -0.72]]))
            if bun_facing < 0:
                self._ball(bun, 0.42 * r, outfit.hair)
        if not covered:
            for k in (0, 1):
                if ear_facing[k] <= 0.12:
                    self._ear(ears[k])
        chin, _ = self._place(_CHIN)
        skull = self._to_image(CIRCLE)
        jaw = chin + CIRCLE * 0.52 * r
        outline = np.concatenate([skull, jaw]).astype(np.float32)
        hull = cv2.convexHull(outline)[:, 0].astype(np.float64)
        canvas.polygon(hull, shade(outfit.skin, 0.76, _DARK), self.id)
        middle = hull.mean(0)
        lit = middle + (hull - middle) * 0.9 + self.light * 0.07 * r
        canvas.polygon(lit, outfit.skin)
        self._face()
        if outfit.hair_style != 'bald':
            rim = _HAIR_FULL if covered else _HAIR
            self._paint_cap(rim, _HAIR_AXIS, 1.06, outfit.hair)
        if not covered:
            for k in (0, 1):
                if ear_facing[k] > 0.12:
                    self._ear(ears[k])
        if outfit.hair_style == 'bun' and bun_facing >= 0:
            self._ball(bun, 0.42 * r, outfit.hair)
        if outfit.hair_style == 'cap':
            self._paint_cap(_HAT, _HAT_AXIS, 1.12, outfit.hat)
            if not visor_behind:
                canvas.polygon(visor, hat, self.id)
        if outfit.hair_style == 'beanie':
            self._paint_cap(_BEANIE, _BEANIE_AXIS, 1.12, outfit.hat)

    def _ball(self, center: np.ndarray, radius: float, color: Color) -> None:
        self.canvas.ellipse(center, (radius, radius), shade(color, 0.74), self.id)
        lit = center + self.light * 0.12 * radius
        self.canvas.ellipse(lit, (radius * 0.8, radius * 0.8), color)

    def _ear(self, center: np.ndarray) -> None:
        r, skin = self.radius, self.outfit.skin
        self.canvas.ellipse(
            center, (0.19 * r, 0.26 * r), shade(skin, 0.7, _DARK), self.id
        )
        self.canvas.ellipse(center, (0.13 * r, 0.19 * r), shade(skin, 0.92, _DARK))

    def _face(self) -> None:
        canvas, outfit, r = self.canvas, self.outfit, self.radius
        skin = outfit.skin
        if outfit.beard:
            self._paint_cap(_BEARD, _BEARD_AXIS, 1.08, outfit.hair)
        up = np.array([self.rotation[0, 1], -self.rotation[1, 1]])
        tilt = float(np.arctan2(up[0], -up[1]))
        eyes, facing = self._place(np.stack(_EYES))
        brows, _ = self._place(np.stack(_BROWS))
        for k in (0, 1):
            z = facing[k]
            if z <= 0.06:
                continue
            wide = 0.06 + 0.13 * z
            canvas.ellipse(eyes[k], (wide * r, 0.115 * r), (244, 246, 248), None, tilt)
            iris = 0.6 * wide + 0.02
            canvas.ellipse(eyes[k], (iris * r, 0.1 * r), (48, 40, 40), None, tilt)
            across = np.array([np.cos(tilt), np.sin(tilt)]) * wide * 1.25 * r
            brow = np.stack([brows[k] - across, brows[k] + across])
            canvas.line(brow, shade(outfit.hair, 0.8), 0.075 * r)
            if outfit.glasses:
                ring = eyes[k] + CIRCLE * (wide * 1.5 * r, 0.24 * r)
                canvas.line(np.concatenate([ring, ring[:1]]), (30, 28, 30), 0.06 * r)
        (bridge, nose), (_, nose_facing) = self._place(np.stack([_BRIDGE, _NOSE]))
        if nose_facing > -0.2:
            shadow = shade(skin, 0.66, _DARK)
            base = bridge + (nose - bridge) * 0.5
            across = np.array([np.cos(tilt), np.sin(tilt)]) * 0.11 * r
            wedge = np.stack([base, nose + across, nose - across])
            canvas.polygon(wedge, shadow, self.id)
            canvas.ellipse(nose, (0.12 * r, 0.1 * r), shade(skin, 0.84, _DARK), self.id)
        mouth, mouth_facing = self._place(np.stack(_MOUTH))
        if mouth_facing[1] > 0.12:
            seen = mouth[mouth_facing > 0]
            if len(seen) > 1:
                canvas.line(seen, (70, 62, 150), 0.08 * r)

    def draw_long_hair(self, id_: int) -> None:
        """Draw what hangs down behind the head."""
        outfit, r = self.outfit, self.radius
        if outfit.hair_style == 'tail':
            places = np.array([[0, 0.25, -1.12], [0, -0.5, -1.4], [0, -1.5, -1.15]])
            radii = (0.26, 0.32, 0.14)
        else:
            places = np.array([[0, 0.1, -0.25], [0.5, -1.2, -0.5], [-0.5, -1.2, -0.5]])
            radii = (1.02, 0.46, 0.46)
        xy, _ = self._place(places)
        points = np.concatenate([c + CIRCLE * k * r for c, k in zip(xy, radii)])
        hull = cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)
        middle = hull.mean(0)
        self.canvas.polygon(hull, shade(outfit.hair, 0.68), id_)
        lit = middle + (hull - middle) * 0.86 + self.light * 0.05 * r
        self.canvas.polygon(lit, shade(outfit.hair, 0.9))
