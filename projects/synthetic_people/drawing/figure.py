# Copyright (c) onestage_pose contributors.
"""One person, from joint angles to filled outlines and keypoints."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from .canvas import CIRCLE, Canvas
from .colors import shade
from .head import Head
from .outfit import Outfit
from .poses import Pose
from .shapes import tubes
from .skeleton import (
    ANKLE,
    ELBOW,
    HAND,
    HEAD,
    HEEL,
    HIP,
    KNEE,
    NECK,
    PELVIS,
    SHOULDER,
    TOE,
    WAIST,
    WRIST,
    Body,
    Camera,
    pose_body,
)
from .torso import Torso

# What a pixel of a person belongs to. A person's ids are STRIDE * n + part.
STRIDE = 16
TRUNK, HIPS, FACE, SKIRT, LONG_HAIR = 1, 2, 3, 12, 13
UPPER_ARM, FOREARM, THIGH, SHIN = (4, 5), (6, 7), (8, 9), (10, 11)

# What hides the far shoulder and hip.
OWN_TRUNK = (TRUNK, HIPS, SKIRT)

# COCO's order: the joint of each body keypoint, and the parts at whose pixels
# it counts as seen.
BODY_JOINTS = [*SHOULDER, *ELBOW, *WRIST, *HIP, *KNEE, *ANKLE]
_SEEN_ON = [
    *[{FACE}] * 5,
    *[{TRUNK, part} for part in UPPER_ARM],
    *[set(pair) for pair in zip(UPPER_ARM, FOREARM)],
    *[{part} for part in FOREARM],
    *[{TRUNK, HIPS, SKIRT, part} for part in THIGH],
    *[{SKIRT, *pair} for pair in zip(THIGH, SHIN)],
    *[{part} for part in SHIN],
]
# (17, STRIDE) bool
SEEN_ON = np.array([[part in parts for part in range(STRIDE)] for parts in _SEEN_ON])

# Rows of the limb table, each a (left, right) pair: ends, radii, swelling.
_LIMBS = (
    (SHOULDER, ELBOW, 0.033, 0.027, 0.14),
    (ELBOW, WRIST, 0.028, 0.020, 0.16),
    (WRIST, HAND, 0.020, 0.024, 0.10),
    (HIP, KNEE, 0.057, 0.037, 0.08),
    (KNEE, ANKLE, 0.037, 0.024, 0.20),
    (HEEL, TOE, 0.026, 0.020, 0.05),
)
_A = np.array([limb[0] for limb in _LIMBS])  # (6, 2)
_B = np.array([limb[1] for limb in _LIMBS])
_RA = np.array([limb[2] for limb in _LIMBS])[:, None]
_RB = np.array([limb[3] for limb in _LIMBS])[:, None]
_BULGE = np.array([limb[4] for limb in _LIMBS])[:, None]
_ARM, _FORE, _HAND, _THIGH, _SHIN, _FOOT = range(6)
_EASE = 0.007  # how far cloth stands off the skin, body heights


class Figure:
    """A posed and dressed person seen by a camera, at unit height.

    Lengths are body heights; x points right and y down from the point of the
    ground under the person.

    Attributes:
        box: (4,) float64 x1, y1, x2, y2 around the drawn person.
        yaw (float): Degrees, 0 for a front view.
    """

    def __init__(
        self, body: Body, pose: Pose, outfit: Outfit, camera: Camera, yaw: float
    ) -> None:
        self.body, self.pose, self.outfit, self.camera = body, pose, outfit, camera
        self.yaw = yaw
        self.skeleton = pose_body(body, pose)
        xy, self.depth, self.scale = camera.project(self.skeleton.joints)
        self.xy = xy
        thick = np.full(len(xy), 0.035)
        thick[HEAD] = body.head * 1.15
        thick[[PELVIS, WAIST, *HIP]] = 0.06
        self.box = np.concatenate(
            [(xy - thick[:, None]).min(0), (xy + thick[:, None]).max(0)]
        )

    def draw(
        self,
        canvas: Canvas,
        origin: np.ndarray,
        height: float,
        number: int,
        light: np.ndarray,
    ) -> Placed:
        """Draw the person with its standing height of ``height`` pixels.

        Args:
            canvas (Canvas): What to draw on.
            origin (np.ndarray): (2,) image point of the ground under the person.
            height (float): Pixels.
            number (int): The person's number from 1; its ids are from ``STRIDE *
                number`` on.
            light (np.ndarray): (2,) unit vector toward the light in the image.

        Returns:
            Placed: the person's keypoints.
        """
        placed = Placed(self, canvas, origin, height, number, light)
        placed.paint()
        return placed


class Placed:
    """A figure at a place of an image.

    Attributes:
        keypoints: (17, 2) float64, image coordinates, pixel-index convention.
        state: (17,) int, 2 where the person's own shape lets the keypoint be seen, 1
            where it turns away slightly or is covered by hair, 0 where it turns away by
            a clear margin.
        far: (17,) bool, shoulders and hips behind the own trunk.
        number (int): The person's number from 1.
    """

    def __init__(
        self,
        figure: Figure,
        canvas: Canvas,
        origin: np.ndarray,
        height: float,
        number: int,
        light: np.ndarray,
    ) -> None:
        self.figure, self.canvas, self.number = figure, canvas, number
        self.height, self.light = height, light
        self.xy = origin + figure.xy * height
        self.head = Head(
            canvas,
            figure.outfit,
            self.xy[HEAD],
            figure.body.head * figure.scale[HEAD] * height,
            figure.camera.rotation @ figure.skeleton.frames['head'],
            light,
            STRIDE * number,
        )
        self.torso = self._make_torso(origin)
        face, face_state = self.head.keypoints()
        self.keypoints = np.concatenate([face, self.xy[BODY_JOINTS]])
        self.state = np.concatenate([face_state, np.full(12, 2)])
        self.far = np.zeros(17, bool)
        for pair, rows, width in (
            (SHOULDER, (5, 6), figure.body.shoulder),
            (HIP, (11, 12), figure.body.hip),
        ):
            half = (figure.depth[pair[0]] - figure.depth[pair[1]]) / 2
            self.far[rows[0]] = half < -0.8 * width
            self.far[rows[1]] = half > 0.8 * width

    def _make_torso(self, origin: np.ndarray) -> Torso:
        figure = self.figure
        body, frames = figure.body, figure.skeleton.frames
        joints = figure.skeleton.joints
        pelvis, chest = frames['pelvis'], frames['chest']
        g, waist = body.girth, joints[WAIST]
        levels = (
            (joints[PELVIS] + pelvis @ (0, -0.05, 0), pelvis, body.hip + 0.024, 0.05),
            (
                joints[PELVIS] + pelvis @ (0, 0.02, 0),
                pelvis,
                body.hip + 0.034,
                0.058 * g,
            ),
            (waist, (pelvis + chest) / 2, 0.081 * g, 0.052 * g),
            (
                waist + chest @ (0, body.spine * 0.38, 0),
                chest,
                body.shoulder * 0.86,
                0.062 * g,
            ),
            (
                waist + chest @ (0, body.spine * 0.6, 0),
                chest,
                body.shoulder * 0.98,
                0.048,
            ),
            (waist + chest @ (0, body.spine * 0.72, 0), chest, 0.042, 0.032),
        )
        center = np.stack([level[0] for level in levels])
        side = np.stack([level[1][:, 0] * level[2] for level in levels])
        front = np.stack([level[1][:, 2] * level[3] for level in levels])
        xy, _, scale = figure.camera.project(center)
        turn = figure.camera.rotation[:2] * np.array([[1.0], [-1.0]])
        to_image = turn.T[None] * (scale * self.height)[:, None, None]
        view = figure.camera.rotation[2]
        return Torso(
            self.canvas,
            figure.outfit,
            origin + xy * self.height,
            np.einsum('rc,rcd->rd', side, to_image),
            np.einsum('rc,rcd->rd', front, to_image),
            math.atan2(float(view @ chest[:, 0]), float(view @ chest[:, 2])),
            self.light,
        )

    def _limbs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return skin and cloth outlines, each (3 tones, 6 limbs, 2 sides, P, 2)."""
        figure, outfit = self.figure, self.figure.outfit
        h = self.height
        girth = math.sqrt(figure.body.girth)
        a, b = self.xy[_A], self.xy[_B]
        ra = _RA * girth * figure.scale[_A] * h
        rb = _RB * girth * figure.scale[_B] * h
        cover = np.array(
            [
                min(outfit.sleeve, 1.0),
                max(outfit.sleeve - 1.0, 0.0),
                0.0,
                min(outfit.leg, 1.0),
                max(outfit.leg - 1.0, 0.0) * 0.96,
                0.0,
            ]
        )[:, None]
        ease = _EASE * h * figure.scale[_A]
        cloth_b = a + (b - a) * cover[..., None]
        cloth_ra = ra + ease * 0.6
        cloth_rb = ra + (rb - ra) * cover + ease * 1.25
        # Row 5 of the cloth is the sock, which comes up from the ankle.
        s = outfit.sock_height
        ankle, knee = b[_SHIN], a[_SHIN]
        cloth_a = a.copy()
        cloth_a[_FOOT], cloth_b[_FOOT] = ankle, ankle + (knee - ankle) * s
        cloth_ra[_FOOT] = rb[_SHIN] + 0.003 * h
        cloth_rb[_FOOT] = rb[_SHIN] + (ra[_SHIN] - rb[_SHIN]) * s + 0.004 * h
        bulge = np.broadcast_to(_BULGE, ra.shape)
        cloth_bulge = np.where(cover > 0, bulge, 0.0)
        both = tubes(
            np.concatenate([a, cloth_a]).reshape(-1, 2),
            np.concatenate([b, cloth_b]).reshape(-1, 2),
            np.concatenate([ra, cloth_ra]).reshape(-1),
            np.concatenate([rb, cloth_rb]).reshape(-1),
            np.concatenate([bulge, cloth_bulge]).reshape(-1),
            self.light,
        )
        both = both.reshape(3, 2, 6, 2, *both.shape[2:])
        return both[:, 0], both[:, 1]

    def paint(self) -> None:
        """Draw the person, from its far parts to its near ones."""
        figure, outfit = self.figure, self.figure.outfit
        depth = figure.depth
        skin, cloth = self._limbs()
        base = STRIDE * self.number
        items: list[tuple[float, Callable[[], None]]] = []

        def arm(side: int) -> None:
            id_ = base + UPPER_ARM[side]
            self._tube(skin, _ARM, side, outfit.skin, id_)
            if outfit.sleeve:
                self._tube(cloth, _ARM, side, outfit.top, id_)

        def forearm(side: int) -> None:
            id_ = base + FOREARM[side]
            self._tube(skin, _HAND, side, outfit.skin, id_)
            self._tube(skin, _FORE, side, outfit.skin, id_)
            if outfit.sleeve > 1:
                self._tube(cloth, _FORE, side, outfit.top, id_)

        def thigh(side: int) -> None:
            id_ = base + THIGH[side]
            self._tube(skin, _THIGH, side, outfit.skin, id_)
            if outfit.leg:
                self._tube(cloth, _THIGH, side, outfit.bottom, id_)

        def shin(side: int) -> None:
            id_ = base + SHIN[side]
            self._tube(skin, _FOOT, side, outfit.shoe, id_)
            self._tube(skin, _SHIN, side, outfit.skin, id_)
            if outfit.leg > 1:
                self._tube(cloth, _SHIN, side, outfit.bottom, id_)
            else:
                self._tube(cloth, _FOOT, side, outfit.sock, id_)

        def mean(*rows: int) -> float:
            return float(sum(depth[row] for row in rows)) / len(rows)

        for side in (0, 1):
            # Cloth hangs over the legs' upper ends and under the arms', which
            # the small shifts bring about where the depths are close.
            items += [
                (
                    mean(SHOULDER[side], ELBOW[side]) + 0.02,
                    lambda side=side: arm(side),
                ),
                (
                    mean(ELBOW[side], WRIST[side]) + 0.025,
                    lambda side=side: forearm(side),
                ),
                (mean(HIP[side], KNEE[side]) - 0.07, lambda side=side: thigh(side)),
                (mean(KNEE[side], ANKLE[side]) - 0.072, lambda side=side: shin(side)),
            ]
        trunk_depth = mean(WAIST, NECK)
        items += [
            (mean(*HIP) - 0.08, lambda: self.torso.draw_hips(base + HIPS)),
            (mean(NECK, HEAD) - 0.03, lambda: self._neck(base + TRUNK)),
            (trunk_depth, lambda: self.torso.draw_top(base + TRUNK)),
            (mean(HEAD) + 0.03, self.head.draw),
        ]
        if outfit.skirt:
            front_leg = max(mean(*pair) for pair in zip(HIP, KNEE))
            items.append((front_leg - 0.065, lambda: self._skirt(base + SKIRT)))
        if outfit.hair_style in ('long', 'tail'):
            back = self.head.rotation[2, 2]  # how far the face is turned to us
            items.append(
                (
                    mean(NECK) - 0.075 * back,
                    lambda: self.head.draw_long_hair(base + LONG_HAIR),
                )
            )
        if figure.pose.seat:
            items.append((mean(*HIP) - 0.085, self._seat))
        for _, paint in sorted(items, key=lambda item: item[0]):
            paint()

    def _tube(
        self, outlines: np.ndarray, limb: int, side: int, color: tuple, id_: int
    ) -> None:
        canvas = self.canvas
        canvas.polygon(outlines[0, limb, side], shade(color, 0.72, (40, 20, 30)), id_)
        canvas.polygon(outlines[1, limb, side], color)
        canvas.polygon(outlines[2, limb, side], shade(color, 1.08))

    def _neck(self, id_: int) -> None:
        outfit, radius = self.figure.outfit, 0.034 * self.height
        ends = self.xy[[NECK]], self.xy[[HEAD]]
        r = np.array([radius])
        outlines = tubes(*ends, r, r * 0.95, r * 0, self.light)
        self.canvas.polygon(outlines[0, 0], shade(outfit.skin, 0.68, (40, 20, 30)), id_)
        self.canvas.polygon(outlines[1, 0], shade(outfit.skin, 0.85, (40, 20, 30)))

    def _skirt(self, id_: int) -> None:
        figure, h = self.figure, self.height
        length = figure.outfit.skirt
        circles = []
        for side in (0, 1):
            hip, knee = self.xy[HIP[side]], self.xy[KNEE[side]]
            end = hip + (knee - hip) * min(length, 1.0)
            if length > 1:
                end = end + (self.xy[ANKLE[side]] - knee) * (length - 1)
            circles += [hip + CIRCLE * 0.068 * h, end + CIRCLE * (0.058, 0.03) * h]
        points = np.concatenate(circles)
        hull = cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)
        center = hull.mean(0)
        color = figure.outfit.bottom
        inner = center + (hull - center) * 0.86 + self.light * 0.008 * h
        self.canvas.polygon(hull, shade(color, 0.74, (40, 20, 30)), id_)
        self.canvas.polygon(inner, color)
        waist = (self.xy[HIP[0]] + self.xy[HIP[1]]) / 2
        hem = (circles[1].mean(0), circles[3].mean(0))
        for t in (0.15, 0.4, 0.65, 0.88):
            foot = hem[0] + (hem[1] - hem[0]) * t
            fold = np.stack([waist + (foot - waist) * 0.35, foot])
            self.canvas.line(fold, shade(color, 0.86, (40, 20, 30)), 0.008 * h)

    def _seat(self) -> None:
        """Draw a box or a stool to sit on; it belongs to nobody."""
        figure, h = self.figure, self.height
        joints = figure.skeleton.joints
        top = float(joints[list(HIP), 1].min()) - 0.055
        x, z, deep = 0.13, 0.13, -0.06
        corners = np.array(
            [
                [sx * x, y, deep + sz * z]
                for y in (top, 0.0)
                for sx, sz in ((-1, -1), (1, -1), (1, 1), (-1, 1))
            ]
        )
        xy, _, _ = figure.camera.project(corners)
        points = self.xy[PELVIS] + (xy - figure.xy[PELVIS]) * h
        hull = cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)
        color = figure.outfit.accent
        self.canvas.polygon(hull, shade(color, 0.6), 0)
        self.canvas.polygon(points[:4], shade(color, 1.08))
        middle = hull.mean(0)
        self.canvas.polygon(
            middle + (hull - middle) * (0.9, 0.84) + (0, 0.02 * h), shade(color, 0.72)
        )
