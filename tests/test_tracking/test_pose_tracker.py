# Copyright (c) onestage_pose contributors.
"""People keep their numbers while they walk, weaken, cross, leave and return."""

import json

from onestage_pose.tracking import PoseTracker
from onestage_pose.utils.errors import UsageError

import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from tests.kites_and_bars import METAINFO
from tests.test_tracking.conftest import META, POSE, make_frame


def ids_of(results):
    return [result.ids.tolist() for result in results]


def walk(frames, start=100.0, speed=60.0, fps=30, score=0.8):
    """Somebody who walks to the right, in pixels a second."""
    return [
        make_frame(n / fps, [(start + speed * n / fps, 100, score)])
        for n in range(frames)
    ]


@pytest.mark.parametrize('speed', [0, 60, 200])
@pytest.mark.parametrize('fps', [10, 30, 120])
def test_a_walker_keeps_the_number(follow, speed, fps):
    assert ids_of(follow(walk(20, speed=speed, fps=fps))) == 20 * [[1]]


def test_numbers_are_in_the_order_of_those_who_come(follow):
    both = [(100, 100, 0.5), (300, 100, 0.9)]
    third = [*both, (500, 100, 0.95)]
    frames = [make_frame(n / 30, both if n < 3 else third) for n in range(6)]

    found = follow(frames)

    assert ids_of(found)[-1] == [1, 2, 3]
    assert found[-1].boxes[:, 0].tolist() == [80, 280, 480]


def test_who_is_followed_may_be_weak(follow):
    frames = walk(10)
    frames[4:7] = walk(10, score=0.15)[4:7]

    assert ids_of(follow(frames, bbox_thr=0.3)) == 10 * [[1]]


def test_who_is_weak_is_not_followed(follow):
    assert ids_of(follow(walk(5, score=0.25), bbox_thr=0.3)) == 5 * [[]]


def test_one_frame_does_not_make_a_person(follow):
    frames = [make_frame(n / 30, [(100, 100, 0.8)] * (n == 2)) for n in range(5)]

    assert ids_of(follow(frames)) == 5 * [[]]


def test_two_frames_make_a_person_and_the_first_frame_at_once(follow):
    late = [(400, 100, 0.8)]
    frames = [make_frame(n / 30, [(100, 100, 0.8)] + late * (n >= 2)) for n in range(5)]

    assert ids_of(follow(frames)) == [[1], [1], [1], [1, 2], [1, 2]]


@pytest.mark.parametrize('fps', [5, 30])
@pytest.mark.parametrize(('gap', 'number'), [(0.8, 1), (1.3, 2)])
def test_who_returns_within_a_second_keeps_the_number(follow, fps, gap, number):
    """Whatever the frame rate is: time counts."""
    there = [(100, 100, 0.8)]
    times = np.arange(0, 3.5, 1 / fps)
    frames = [make_frame(t, there * (not 1 < t < 1 + gap)) for t in times]

    assert ids_of(follow(frames))[-1] == [number]


def test_max_gap_is_a_choice(follow):
    frames = [make_frame(t, [(100, 100, 0.8)] * (t < 1 or t > 3)) for t in range(6)]

    assert ids_of(follow(frames, max_gap=5))[-1] == [1]


def test_who_walks_on_unseen_is_found_ahead(follow):
    """At the place where the walk leads, over twice a person's width away."""
    frames = walk(40, speed=300)
    for n in range(20, 32):
        frames[n] = make_frame(n / 30, [])

    assert ids_of(follow(frames))[-1] == [1]


@pytest.mark.parametrize('seed', range(4))
def test_frames_of_unequal_distance(follow, seed):
    """A walker whose frames come at random times."""
    times = np.cumsum(np.random.default_rng(seed).uniform(0.01, 0.12, 40))
    frames = [make_frame(t, [(100 + 150 * t, 100, 0.8)]) for t in times]

    assert ids_of(follow(frames)) == 40 * [[1]]


def test_poses_tell_apart_whom_boxes_do_not(follow):
    """Two people in one place, who change places in the list."""
    one, other = (200, 100, 0.8, POSE), (206, 100, 0.8, POSE[::-1])
    frames = [
        make_frame(n / 30, [one, other] if n % 2 else [other, one]) for n in range(8)
    ]

    found = follow(frames)

    first = [result.keypoints[result.ids == 1][0] for result in found]
    assert all(np.array_equal(each, first[0]) for each in first)


@pytest.mark.parametrize('sigmas', [None, []])
def test_without_sigmas_boxes_are_enough(sigmas):
    pytest.importorskip('lap')
    tracker = PoseTracker(dict(sigmas=sigmas))

    assert ids_of(map(tracker, walk(5))) == 5 * [[1]]


@pytest.mark.parametrize('seed', range(2))
def test_a_crowd_keeps_its_numbers(follow, seed):
    """Twelve people who walk their own ways, seen in a random order, one in ten not."""
    random = np.random.default_rng(seed)
    begin = np.stack(np.meshgrid([80, 240, 400, 560], [80, 240, 400]), -1).reshape(
        -1, 2
    )
    speeds = random.uniform(-50, 50, begin.shape)
    truth, frames = [], []
    for n in range(25):
        order = random.permutation(12)
        seen = order[(random.uniform(size=12) > 0.1) | (n < 1)]
        places = (begin + speeds * n / 30)[seen]
        scores = random.uniform(0.35, 0.9, len(seen))
        truth.append(seen)
        frames.append(make_frame(n / 30, [(*p, s) for p, s in zip(places, scores)]))

    found = follow(frames)

    places = [(begin + speeds * n / 30)[truth[0]] for n in range(25)]
    off = [
        np.abs(result.boxes[:, :2] + [20, 50] - place[result.ids - 1]).max()
        for result, place in zip(found, places)
    ]
    # the first frame gives the numbers in its order
    assert max(off) < 0.01
    assert sum(map(len, found)) == sum(map(len, truth))


def test_nobody_at_all(follow):
    frames = [make_frame(n / 30, []) for n in range(3)]

    assert ids_of(follow(frames)) == 3 * [[]]


def test_what_belongs_to_a_person_stays_together(follow):
    frames = [
        make_frame(n / 30, [(100, 100, 0.5), (300, 100, 0.9)][:: 1 if n % 2 else -1])
        for n in range(4)
    ]
    for frame in frames:
        frame.keypoint_presence = frame.scores[:, None] * np.ones(17, np.float32)

    found = follow(frames)

    assert all(
        np.array_equal(result.keypoint_presence[:, 0], result.scores)
        for result in found
    )


def test_smoothing_moves_keypoints_and_no_box(follow):
    random = np.random.default_rng(0)
    frames = walk(30, speed=0)
    for frame in frames:
        frame.keypoints = frame.keypoints + random.normal(0, 2, frame.keypoints.shape)

    plain, smooth = follow(frames), follow(frames, smooth=1)

    def shake(results):
        return np.diff([r.keypoints for r in results], 2, axis=0).std()

    assert shake(smooth) < 0.5 * shake(plain)
    assert np.array_equal(smooth[-1].boxes, plain[-1].boxes)


def test_a_saved_state_goes_on_as_if_nothing_had_been(follow):
    frames = walk(12)
    frames[6] = make_frame(6 / 30, [])
    whole, first = PoseTracker(META), PoseTracker(META)
    expected = [whole(frame) for frame in frames]
    for frame in frames[:7]:
        first(frame)

    second = PoseTracker(META)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    found = [second(frame) for frame in frames[7:]]

    assert ids_of(found) == ids_of(expected[7:])
    assert all(
        np.array_equal(one.keypoints, other.keypoints)
        for one, other in zip(found, expected[7:])
    )


def test_memory_does_not_grow_with_the_video(follow):
    """Neither with frames, nor with people who have come and gone."""

    def size(frames):
        tracker = PoseTracker(META, max_gap=0.1)
        for n in range(frames):
            place = 100 + 200 * (n // 5 % 3), 100, 0.8
            tracker(make_frame(n / 30, [place, (50, 300, 0.8)]))
        return len(json.dumps(tracker.state_dict()))

    assert size(93) < 1.1 * size(33)


def test_frames_come_in_order(follow):
    frames = walk(3)

    with pytest.raises(UsageError, match='in order'):
        follow([frames[0], frames[2], frames[1]])


def test_an_image_is_no_frame(follow):
    with pytest.raises(UsageError, match='frames of one video'):
        follow([make_frame(None, [])])


@pytest.mark.parametrize(
    'options', [dict(smooth=-1), dict(bbox_thr=2), dict(max_gap='1'), dict(smoth=1)]
)
def test_an_option_that_means_nothing(follow, options):
    with pytest.raises(UsageError, match=next(iter(options))):
        follow([], **options)


def test_without_lap_it_says_what_to_install(follow, monkeypatch):
    from mmdet.models.trackers import byte_tracker

    monkeypatch.setattr(byte_tracker, 'lap', None)

    with pytest.raises(UsageError, match=r'onestage_pose\[track\]'):
        follow([])


def test_several_categories_are_refused():
    meta = parse_pose_metainfo(METAINFO)

    with pytest.raises(UsageError, match=r'kite, bar; give it result\.of_category'):
        PoseTracker(meta)
