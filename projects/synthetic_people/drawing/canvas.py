# Copyright (c) onestage_pose contributors.
"""An image under construction together with the id of what covers each pixel."""

from __future__ import annotations

import cv2
import numpy as np

from .colors import Color

SUPERSAMPLING = 2
_SHIFT = 4  # bits of sub-pixel precision handed to OpenCV
_ONE = 1 << _SHIFT


class Canvas:
    """Colour buffer at twice the image's size, id buffer at its size.

    All coordinates are those of the final image in the pixel-index
    convention (the centre of the top-left pixel is (0, 0)).

    Attributes:
        color: (2H, 2W, 3) uint8, BGR.
        ids: (H, W) uint8, 0 where no person is seen.
    """

    def __init__(self, height: int, width: int) -> None:
        s = SUPERSAMPLING
        self.height, self.width = height, width
        self.color = np.empty((height * s, width * s, 3), np.uint8)
        self.ids = np.zeros((height, width), np.uint8)

    def polygon(self, points: np.ndarray, color: Color, id_: int | None = None) -> None:
        """Fill a polygon.

        Args:
            points (np.ndarray): (P, 2) float, x and y in the image.
            color (Color): BGR.
            id_ (int | None): What the covered pixels become in ``ids``; None leaves
                them.
        """
        s = SUPERSAMPLING
        fine = points * (s * _ONE) + ((s - 1) * 0.5 * _ONE + 0.5)
        cv2.fillPoly(self.color, [fine.astype(np.int32)], color, cv2.LINE_8, _SHIFT)
        if id_ is not None:
            coarse = (points * _ONE + 0.5).astype(np.int32)
            cv2.fillPoly(self.ids, [coarse], id_, cv2.LINE_8, _SHIFT)

    def line(self, points: np.ndarray, color: Color, width: float) -> None:
        """Draw a polyline of ``width`` image pixels; never touches the ids."""
        s = SUPERSAMPLING
        fine = points * (s * _ONE) + ((s - 1) * 0.5 * _ONE + 0.5)
        cv2.polylines(
            self.color,
            [fine.astype(np.int32)],
            False,
            color,
            max(1, round(width * s)),
            cv2.LINE_AA,
            shift=_SHIFT,
        )

    def ellipse(
        self,
        center: np.ndarray,
        radii: tuple[float, float],
        color: Color,
        id_: int | None = None,
        angle: float = 0.0,
    ) -> None:
        """Fill an ellipse; ``angle`` in radians turns its first radius."""
        self.polygon(ellipse_points(center, radii, angle), color, id_)

    def rectangle(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        color: Color,
        id_: int | None = None,
    ) -> None:
        """Fill an axis-aligned rectangle given by two corners."""
        self.polygon(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), color, id_)

    def darken(self, center: np.ndarray, radii: tuple[float, float]) -> None:
        """Draw a soft shadow, an ellipse of half the brightness at its heart."""
        s = SUPERSAMPLING
        rx, ry = radii
        x0, y0 = int((center[0] - rx) * s), int((center[1] - ry) * s)
        x1, y1 = int((center[0] + rx) * s) + 1, int((center[1] + ry) * s) + 1
        h, w = self.color.shape[:2]
        cx0, cy0, cx1, cy1 = max(x0, 0), max(y0, 0), min(x1, w), min(y1, h)
        if cx0 >= cx1 or cy0 >= cy1:
            return
        x = (np.arange(cx0, cx1, dtype=np.float32) - (x0 + x1) / 2) / (rx * s)
        y = (np.arange(cy0, cy1, dtype=np.float32) - (y0 + y1) / 2) / (ry * s)
        r2 = np.minimum(x[None] ** 2 + y[:, None] ** 2, 1.0)
        gain = 1 - 0.5 * (1 - r2)
        view = self.color[cy0:cy1, cx0:cx1]
        view[...] = view * gain[..., None]

    def image(self) -> np.ndarray:
        """Return the (H, W, 3) uint8 BGR image, anti-aliased by area averaging."""
        return cv2.resize(
            self.color, (self.width, self.height), interpolation=cv2.INTER_AREA
        )


_TURN = np.linspace(0, 2 * np.pi, 20, endpoint=False)
CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], 1)


def ellipse_points(
    center: np.ndarray, radii: tuple[float, float], angle: float = 0.0
) -> np.ndarray:
    """Return (20, 2) float points on an ellipse."""
    points = CIRCLE * radii
    if angle:
        c, s = np.cos(angle), np.sin(angle)
        points = points @ np.array([[c, s], [-s, c]])
    return points + center
