# Copyright (c) onestage_pose contributors.
import cv2
from benchmark.plot import plot_times
from benchmark.timing import Case


def test_times_of_all_models_are_drawn(tmp_path):
    seconds = {
        Case(name, dtype, number): [0.1 * number]
        for name in ('gcm', 'two-stage')
        for dtype in ('float32', 'bfloat16')
        for number in (1, 8)
    }
    plot_times(seconds, tmp_path / 'people.png')
    assert cv2.imread(str(tmp_path / 'people.png')).std() > 0
