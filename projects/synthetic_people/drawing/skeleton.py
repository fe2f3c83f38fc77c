# Copyright (c) onestage_pose contributors.
"""A stick model of a person in three dimensions, posed and projected.

Body frame: x to the person's left, y up, z forward, the standing body is one
unit tall. Camera frame: x right, y up, z toward the camera.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .poses import Pose


@dataclass
class Body:
    """Proportions in body heights; ``head`` is the radius of the head."""

    head: float
    shoulder: float
    hip: float
    upper_arm: float
    forearm: float
    thigh: float
    shin: float
    spine: float
    neck: float
    girth: float


def sample_body(rng: np.random.Generator) -> Body:
    """Draw random proportions; one person in six is a child."""
    u = rng.uniform(-1, 1, 6)
    child = rng.random() < 0.17
    head = (0.098 if child else 0.079) + 0.005 * u[0]
    legs = (0.43 if child else 0.475) + 0.015 * u[1]
    return Body(
        head=head,
        shoulder=(0.1 if child else 0.112) + 0.012 * u[2],
        hip=0.06 + 0.007 * u[3],
        upper_arm=0.163 + 0.01 * u[4],
        forearm=0.142 + 0.008 * u[4],
        thigh=legs * 0.51,
        shin=legs * 0.49,
        spine=0.29 + 0.01 * u[1] - (0.02 if child else 0.0),
        neck=0.045,
        girth=1.0 + 0.16 * u[5],
    )


def rot_x(degrees: float) -> np.ndarray:
    """Turn about x; positive leans what points up toward +z."""
    a = math.radians(degrees)
    c, s = math.cos(a), math.sin(a)
    return np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]])


def rot_y(degrees: float) -> np.ndarray:
    """Turn about y; positive turns what points to +z toward +x."""
    a = math.radians(degrees)
    c, s = math.cos(a), math.sin(a)
    return np.array([[c, 0, s], [0, 1.0, 0], [-s, 0, c]])


def rot_z(degrees: float) -> np.ndarray:
    """Turn about z; positive turns what points down toward +x."""
    a = math.radians(degrees)
    c, s = math.cos(a), math.sin(a)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


# Rows of the joint array; each pair is (left, right).
PELVIS, WAIST, NECK, HEAD = range(4)
SHOULDER, ELBOW, WRIST, HAND = (4, 5), (6, 7), (8, 9), (10, 11)
HIP, KNEE, ANKLE, HEEL, TOE = (12, 13), (14, 15), (16, 17), (18, 19), (20, 21)
NUM_JOINTS = 22


@dataclass
class Skeleton:
    """A posed body.

    Attributes:
        joints (np.ndarray): (22, 3) float64, rows as named by the constants above.
        frames (dict[str, np.ndarray]): Orientation matrices of 'pelvis', 'chest' and
            'head', whose columns are the part's left, up and forward directions.
    """

    joints: np.ndarray
    frames: dict[str, np.ndarray]


def pose_body(body: Body, pose: Pose) -> Skeleton:
    """Bend ``body`` into ``pose``; the lowest point stands on y = lift."""
    j = np.zeros((NUM_JOINTS, 3))
    pelvis = rot_x(pose.lean) @ rot_z(pose.roll)
    mid = pelvis @ rot_x(pose.bend * 0.5) @ rot_z(pose.side * 0.5)
    chest = mid @ rot_y(pose.spin) @ rot_x(pose.bend * 0.5) @ rot_z(pose.side * 0.5)
    head = (
        chest
        @ rot_x(-0.6 * (pose.bend + pose.lean) + pose.nod)
        @ rot_y(float(np.clip(pose.look, -60, 60)))
        @ rot_z(pose.tilt)
    )
    up = np.array([0.0, 1.0, 0.0])
    j[WAIST] = mid @ (up * body.spine * 0.4)
    j[NECK] = j[WAIST] + chest @ (up * body.spine * 0.68)
    j[HEAD] = (
        j[NECK] + chest @ (up * body.neck) + head @ np.array([0, body.head, 0.012])
    )
    down = -up
    for side, sign in ((0, 1.0), (1, -1.0)):
        j[SHOULDER[side]] = j[WAIST] + chest @ np.array(
            [sign * body.shoulder, body.spine * 0.55, 0.0]
        )
        arm = (
            chest
            @ rot_z(sign * pose.arm_abd[side])
            @ rot_x(-pose.arm_flex[side])
            @ rot_y(-sign * pose.arm_twist[side])
        )
        j[ELBOW[side]] = j[SHOULDER[side]] + arm @ (down * body.upper_arm)
        fore = arm @ rot_x(-pose.elbow[side])
        j[WRIST[side]] = j[ELBOW[side]] + fore @ (down * body.forearm)
        j[HAND[side]] = j[WRIST[side]] + fore @ (down * 0.045)

        j[HIP[side]] = pelvis @ np.array([sign * body.hip, 0.0, 0.0])
        leg = (
            pelvis
            @ rot_z(sign * pose.leg_abd[side])
            @ rot_x(-pose.leg_flex[side])
            @ rot_y(-sign * pose.leg_twist[side])
        )
        j[KNEE[side]] = j[HIP[side]] + leg @ (down * body.thigh)
        shin = leg @ rot_x(pose.knee[side])
        j[ANKLE[side]] = j[KNEE[side]] + shin @ (down * body.shin)
        foot = shin @ rot_x(pose.ankle[side])
        j[HEEL[side]] = j[ANKLE[side]] + foot @ np.array([0.0, -0.026, -0.018])
        j[TOE[side]] = j[ANKLE[side]] + foot @ np.array([sign * 0.012, -0.03, 0.085])
    lowest = min(j[row, 1] for row in (*HEEL, *TOE)) - 0.014
    j[:, 1] += pose.lift - lowest
    return Skeleton(j, {'pelvis': pelvis, 'chest': chest, 'head': head})


class Camera:
    """Turns the body by ``yaw`` degrees and looks at it from a distance.

    ``yaw`` 0 is a front view, 180 a back view; positive turns the person's
    front toward the image's right. ``pitch`` looks down for positive values.
    ``distance`` is in body heights.
    """

    def __init__(self, yaw: float, pitch: float, distance: float) -> None:
        self.rotation = rot_x(pitch) @ rot_y(yaw)
        self.distance = distance

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Project (..., 3) body points around the body's middle.

        Returns:
            tuple[np.ndarray, np.ndarray, np.ndarray]: Xy (..., 2) in body heights, x
            right and y down from the point of the ground under the body; depth (...,)
            toward the camera; scale (...,), by which a length at that depth is
            multiplied.
        """
        center = np.array([0.0, 0.5, 0.0])
        turned = (points - center) @ self.rotation.T
        scale = self.distance / (self.distance - turned[..., 2])
        xy = turned[..., :2] * scale[..., None]
        xy = np.stack([xy[..., 0], -0.5 - xy[..., 1]], -1)
        return xy, turned[..., 2], scale
