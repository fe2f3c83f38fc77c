# Copyright (c) onestage_pose contributors.
from onestage_pose.evaluation.analysis import analyse

from tests.test_evaluation.people import META, SHAPE, Scene


def test_people_are_counted_over_rising_scores():
    scene = Scene(2, 2)
    # nobody is there; the second of one person
    scene.add_found(2, SHAPE + [420, 60], score=0.55)
    scene.add_found(2, SHAPE + [2, 0], score=0.35)

    people = analyse(scene.images, META, score_thr=0.4).values['people']

    rows = {row.pop('score_thr'): row for row in people['by_score_thr']}
    assert list(rows) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert rows[0.3] == dict(matched=4, false=1, doubles=1)
    assert rows[0.4] == dict(matched=4, false=1, doubles=0)
    assert rows[0.6] == dict(matched=4, false=0, doubles=0)
    assert people['false_over_score_thr'] == 1
    assert people['doubles_over_score_thr'] == 0
