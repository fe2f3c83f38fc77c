# Copyright (c) onestage_pose contributors.
"""Joint angles of the ways people stand, walk, sit and move.

Angles are in degrees. ``flex`` swings a limb forward, ``abd`` away from the
body's middle plane, ``twist`` turns it inward about its own axis; ``elbow``
and ``knee`` bend the hinge. Index 0 is the person's left side, 1 the right.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


def _pair(value: float) -> list[float]:
    return [value, value]


@dataclass
class Pose:
    """Joint angles in degrees; pairs are (left, right)."""

    lean: float = 0.0  # pelvis pitch, forward positive
    roll: float = 0.0  # pelvis roll, toward the person's right positive
    bend: float = 0.0  # spine pitch, forward positive
    side: float = 0.0  # spine roll
    spin: float = 0.0  # spine twist, toward the person's left positive
    nod: float = 0.0  # head pitch, downward positive
    look: float = 0.0  # head yaw, toward the person's left positive
    tilt: float = 0.0  # head roll
    arm_flex: list[float] = field(default_factory=lambda: _pair(0.0))
    arm_abd: list[float] = field(default_factory=lambda: _pair(8.0))
    arm_twist: list[float] = field(default_factory=lambda: _pair(15.0))
    elbow: list[float] = field(default_factory=lambda: _pair(15.0))
    leg_flex: list[float] = field(default_factory=lambda: _pair(0.0))
    leg_abd: list[float] = field(default_factory=lambda: _pair(4.0))
    leg_twist: list[float] = field(default_factory=lambda: _pair(-8.0))
    knee: list[float] = field(default_factory=lambda: _pair(3.0))
    ankle: list[float] = field(default_factory=lambda: _pair(0.0))
    lift: float = 0.0  # height of the lowest foot above the ground, body heights
    seat: bool = False  # whether something to sit on is drawn


def _stand(rng: np.random.Generator) -> Pose:
    u = rng.uniform(-1, 1, 8)
    return Pose(
        roll=3 * u[0],
        side=-3 * u[0],
        arm_flex=[8 * u[1], 8 * u[2]],
        arm_abd=[9 + 5 * u[3], 9 + 5 * u[4]],
        elbow=[16 + 12 * u[5], 16 + 12 * u[6]],
        leg_abd=_pair(5 + 4 * u[7]),
    )


def _hips(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    for side in (0, 1) if rng.random() < 0.6 else (int(rng.integers(2)),):
        pose.arm_abd[side] = rng.uniform(42, 52)
        pose.arm_flex[side] = rng.uniform(-25, -10)
        pose.arm_twist[side] = rng.uniform(70, 85)
        pose.elbow[side] = rng.uniform(85, 105)
    return pose


def _crossed(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    pose.arm_flex = [32 + 6 * rng.random(), 26 + 6 * rng.random()]
    pose.arm_abd = [10.0, 10.0]
    pose.arm_twist = [65.0, 70.0]
    pose.elbow = [105.0, 100.0]
    return pose


def _walk(rng: np.random.Generator) -> Pose:
    s = 1.0 if rng.random() < 0.5 else -1.0
    a = rng.uniform(18, 32)
    front, back = (0, 1) if s > 0 else (1, 0)
    pose = Pose(lean=rng.uniform(0, 6), spin=-6 * s)
    pose.leg_flex[front], pose.leg_flex[back] = a, -a * 0.8
    pose.knee[front], pose.knee[back] = rng.uniform(4, 14), rng.uniform(12, 40)
    pose.ankle[back] = rng.uniform(5, 25)
    swing = a * rng.uniform(0.8, 1.2)
    pose.arm_flex[front], pose.arm_flex[back] = -swing, swing
    pose.elbow = [rng.uniform(15, 40), rng.uniform(15, 40)]
    return pose


def _run(rng: np.random.Generator) -> Pose:
    s = 1.0 if rng.random() < 0.5 else -1.0
    front, back = (0, 1) if s > 0 else (1, 0)
    pose = Pose(lean=rng.uniform(8, 18), spin=-12 * s, lift=rng.uniform(0, 0.06))
    pose.leg_flex[front], pose.leg_flex[back] = (
        rng.uniform(45, 80),
        rng.uniform(-35, -12),
    )
    pose.knee[front], pose.knee[back] = rng.uniform(60, 100), rng.uniform(25, 95)
    pose.ankle[back] = 30.0
    pose.arm_flex[front], pose.arm_flex[back] = (
        rng.uniform(-60, -30),
        rng.uniform(25, 50),
    )
    pose.arm_twist = [25.0, 25.0]
    pose.elbow = [rng.uniform(75, 105), rng.uniform(75, 105)]
    return pose


def _sit(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    pose.seat = True
    pose.lean = rng.uniform(-10, 12)
    pose.bend = rng.uniform(0, 20)
    for side in (0, 1):
        pose.leg_flex[side] = rng.uniform(78, 92) + pose.lean
        pose.knee[side] = rng.uniform(75, 100)
        pose.leg_abd[side] = rng.uniform(2, 16)
        pose.arm_flex[side] = rng.uniform(15, 40)
        pose.elbow[side] = rng.uniform(30, 80)
        pose.arm_twist[side] = rng.uniform(0, 30)
    return pose


def _squat(rng: np.random.Generator) -> Pose:
    f = rng.uniform(85, 115)
    pose = Pose(lean=rng.uniform(15, 30), bend=rng.uniform(5, 20), nod=-15)
    pose.leg_flex = _pair(f)
    pose.knee = _pair(rng.uniform(105, 130))
    pose.leg_abd = _pair(rng.uniform(10, 28))
    pose.ankle = _pair(-18.0)
    pose.arm_flex = [rng.uniform(40, 80), rng.uniform(40, 80)]
    pose.elbow = [rng.uniform(15, 60), rng.uniform(15, 60)]
    return pose


def _arms_up(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    for side in (0, 1):
        pose.arm_abd[side] = rng.uniform(115, 165)
        pose.arm_flex[side] = rng.uniform(-10, 15)
        pose.arm_twist[side] = rng.uniform(-80, -60)
        pose.elbow[side] = rng.uniform(5, 60)
    return pose


def _wave(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    side = int(rng.integers(2))
    pose.arm_abd[side] = rng.uniform(80, 130)
    pose.arm_twist[side] = -80.0
    pose.elbow[side] = rng.uniform(50, 95)
    return pose


def _point(rng: np.random.Generator) -> Pose:
    pose = _stand(rng) if rng.random() < 0.6 else _walk(rng)
    side = int(rng.integers(2))
    pose.arm_flex[side] = rng.uniform(60, 110)
    pose.arm_abd[side] = rng.uniform(0, 60)
    pose.elbow[side] = rng.uniform(0, 20)
    return pose


def _hold(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    for side in (0, 1):
        pose.arm_flex[side] = rng.uniform(5, 35)
        pose.elbow[side] = rng.uniform(75, 120)
        pose.arm_twist[side] = rng.uniform(15, 45)
    pose.nod = rng.uniform(5, 25)
    return pose


def _bend_over(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    pose.lean = rng.uniform(20, 50)
    pose.bend = rng.uniform(20, 45)
    pose.nod = rng.uniform(-25, 15)
    for side in (0, 1):
        pose.leg_flex[side] = pose.lean + rng.uniform(-4, 12)
        pose.knee[side] = rng.uniform(4, 30)
        pose.arm_flex[side] = pose.lean + pose.bend + rng.uniform(-15, 25)
        pose.elbow[side] = rng.uniform(5, 40)
    return pose


def _star(rng: np.random.Generator) -> Pose:
    pose = Pose(lift=rng.uniform(0.02, 0.12))
    for side in (0, 1):
        pose.arm_abd[side] = rng.uniform(95, 150)
        pose.elbow[side] = rng.uniform(0, 20)
        pose.leg_abd[side] = rng.uniform(15, 35)
        pose.knee[side] = rng.uniform(0, 25)
        pose.ankle[side] = 25.0
    return pose


def _kick(rng: np.random.Generator) -> Pose:
    side = int(rng.integers(2))
    other = 1 - side
    pose = Pose(lean=rng.uniform(-15, 0), spin=10)
    pose.leg_flex[side] = rng.uniform(40, 85)
    pose.knee[side] = rng.uniform(5, 35)
    pose.ankle[side] = 25.0
    pose.knee[other] = 12.0
    pose.leg_flex[other] = pose.lean + 6
    pose.arm_abd = [rng.uniform(35, 80), rng.uniform(35, 80)]
    pose.arm_flex[other] = rng.uniform(10, 40)
    pose.elbow = [25.0, 25.0]
    return pose


def _lunge(rng: np.random.Generator) -> Pose:
    front = int(rng.integers(2))
    back = 1 - front
    pose = Pose(lean=rng.uniform(0, 15))
    pose.leg_flex[front] = rng.uniform(60, 85)
    pose.knee[front] = pose.leg_flex[front] + rng.uniform(-5, 10)
    pose.leg_flex[back] = rng.uniform(-40, -15)
    pose.knee[back] = rng.uniform(20, 75)
    pose.ankle[back] = 20.0
    for side in (0, 1):
        pose.arm_flex[side] = rng.uniform(-20, 60)
        pose.arm_abd[side] = rng.uniform(8, 60)
        pose.elbow[side] = rng.uniform(15, 90)
    return pose


def _dance(rng: np.random.Generator) -> Pose:
    pose = _walk(rng) if rng.random() < 0.5 else _stand(rng)
    pose.side = rng.uniform(-18, 18)
    pose.roll = rng.uniform(-8, 8)
    for side in (0, 1):
        pose.arm_flex[side] = rng.uniform(-30, 100)
        pose.arm_abd[side] = rng.uniform(10, 120)
        pose.arm_twist[side] = rng.uniform(-60, 60)
        pose.elbow[side] = rng.uniform(10, 110)
        pose.leg_abd[side] += rng.uniform(0, 14)
    return pose


POSES = {
    'stand': (_stand, 3.0),
    'hips': (_hips, 1.2),
    'crossed': (_crossed, 0.6),
    'walk': (_walk, 2.6),
    'run': (_run, 1.6),
    'sit': (_sit, 1.6),
    'squat': (_squat, 0.6),
    'arms_up': (_arms_up, 1.2),
    'wave': (_wave, 1.2),
    'point': (_point, 1.2),
    'hold': (_hold, 1.2),
    'bend_over': (_bend_over, 0.8),
    'star': (_star, 0.6),
    'kick': (_kick, 0.6),
    'lunge': (_lunge, 0.8),
    'dance': (_dance, 1.2),
}
_NAMES = tuple(POSES)
_CUMULATIVE = np.cumsum([weight for _, weight in POSES.values()])
_CUMULATIVE = _CUMULATIVE / _CUMULATIVE[-1]


def sample_pose(rng: np.random.Generator, name: str | None = None) -> Pose:
    """Draw a random pose, of the kind ``name`` (a key of ``POSES``) where given."""
    if name is None:
        index = min(int(np.searchsorted(_CUMULATIVE, rng.random())), len(_NAMES) - 1)
        name = _NAMES[index]
    pose = POSES[name][0](rng)
    u = rng.normal(size=5)
    pose.look += 18 * u[0]
    pose.nod += 7 * u[1]
    pose.tilt += 5 * u[2]
    pose.bend += 3 * u[3]
    pose.spin += 5 * u[4]
    return pose
