# Copyright (c) onestage_pose contributors.
"""A worker writes the people of its images, and of broken ones the reason."""

import io
import json

from onestage_pose.apis import PosePredictor
from onestage_pose.bulk.sources import open_source
from onestage_pose.bulk.worker import Worker, WorkerOptions

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.test_apis.tiny_model import write_tiny_model, write_tiny_of_categories
from tests.test_bulk.conftest import BROKEN, NUMBER


@pytest.fixture(scope='module')
def part(images):
    [part] = open_source(str(images)).partitions(100)
    return part


@pytest.fixture(scope='module')
def expected(images, tiny):
    """What the predictor finds by itself."""
    predictor = PosePredictor(*tiny, bbox_thr=0.0)
    return list(predictor(str(images), on_error='return'))


def make_worker(folder, model, **options):
    config, checkpoint = model
    return Worker(
        WorkerOptions(
            str(folder), model=config, checkpoint=checkpoint, bbox_thr=0.0, **options
        )
    )


@pytest.fixture(scope='module')
def worker(tmp_path_factory, tiny):
    return make_worker(tmp_path_factory.mktemp('out'), tiny)


@pytest.fixture
def rows(worker, part):
    """What is in the partition's file, for the predictor as the test changed it."""

    def rows(**options):
        worker(part, **options)
        return read(worker)

    return rows


def read(worker):
    content = worker.folder.read('part-000000.parquet')
    return pq.read_table(io.BytesIO(content)).to_pylist()


def test_a_summary_counts_images_and_people(worker, part):
    found = worker(part)

    assert found[:4] == (0, NUMBER, 1, 3 * (NUMBER - 1))


def test_a_row_a_person_with_what_the_predictor_finds(rows, expected):
    found = [row for row in rows() if row['error'] is None]

    people = [(result, person) for result in expected for person in range(len(result))]
    assert len(found) == len(people) == 3 * (NUMBER - 1)
    for row, (result, person) in zip(found, people):
        assert row['image'] == result.path
        assert (row['index'], row['person']) == (result.index, person)
        assert (row['height'], row['width']) == (64, 80)
        assert row['score'] == result.scores[person]
        assert row['box'] == result.boxes[person].tolist()
        triples = np.reshape(row['keypoints'], (-1, 3))
        assert (triples[:, :2] == result.keypoints[person]).all()
        assert (triples[:, 2] == result.keypoint_scores[person]).all()


def test_a_broken_image_has_a_row_with_the_reason(rows, part):
    [row] = [row for row in rows() if row['error'] is not None]

    assert row['index'] == BROKEN
    assert row['image'] == part.paths[BROKEN]
    assert 'truncated' in row['error']
    assert row['person'] is row['box'] is row['keypoints'] is row['width'] is None


def test_the_schema_is_the_same_for_every_file_and_names_the_keypoints(worker):
    assert {field.name: str(field.type) for field in worker.schema} == dict(
        image='string',
        index='int64',
        error='string',
        width='int32',
        height='int32',
        person='int32',
        score='float',
        box='fixed_size_list<element: float>[4]',
        keypoints='fixed_size_list<element: float>[51]',
    )
    names = json.loads(worker.schema.metadata[b'keypoint_names'])
    assert tuple(names) == worker.predictor.names


def test_images_one_by_one_are_announced_and_give_the_same(rows):
    places = []

    careful = rows(announce=places.append)

    assert places == [*range(NUMBER), None]
    assert careful == rows()


def test_an_image_that_is_skipped_has_a_row_with_the_reason(rows):
    [skipped] = [row for row in rows(skipped={2: 'it kills'}) if row['index'] == 2]

    assert (skipped['error'], skipped['person']) == ('it kills', None)


def test_a_model_that_fails_on_one_image_fails_on_no_other(rows, worker, monkeypatch):
    whole = rows()
    run_model = worker.predictor._run_model
    seen = []

    def fail_on_third(data, options):
        seen.append(data[0]['data_samples'].img_path)
        if seen[-1].endswith('000002.png'):
            raise RuntimeError('no kernel')
        return run_model(data, options)

    monkeypatch.setattr(worker.predictor, '_run_model', fail_on_third)
    found = rows()

    [failed] = [row for row in found if row['index'] == 2]
    assert 'the model fails on this image (RuntimeError' in failed['error']
    assert [row for row in found if row['index'] != 2] == [
        row for row in whole if row['index'] != 2
    ]


def test_a_model_that_fails_on_every_image_is_raised(rows, worker, monkeypatch):
    def fail(data, options):
        raise RuntimeError('no kernel')

    monkeypatch.setattr(worker.predictor, '_run_model', fail)
    with pytest.raises(RuntimeError, match='no kernel'):
        rows()


def test_an_image_of_nobody_has_a_row(tmp_path, images):
    nobody = make_worker(tmp_path, write_tiny_model(tmp_path, score_thr=2.0))
    nobody(open_source(f'{images}/000000.png').partitions(1)[0])

    [row] = read(nobody)

    assert (row['width'], row['error'], row['person']) == (80, None, None)


def test_presence_has_a_column_of_a_model_that_has_it(tmp_path, images):
    model = write_tiny_model(tmp_path, visibility_branch=dict(channels=8))
    worker = make_worker(tmp_path, model)
    worker(open_source(f'{images}/000000.png').partitions(1)[0])

    for row in read(worker):
        assert len(row['keypoint_presence']) == len(row['keypoints_visible']) == 17


def test_categories_have_a_column(tmp_path, images):
    worker = make_worker(tmp_path, write_tiny_of_categories(tmp_path))
    worker(open_source(f'{images}/000000.png').partitions(1)[0])

    assert {row['category'] for row in read(worker)} <= {'kite', 'bar'}


def test_coco_results_are_those_of_the_predictor(tmp_path, tiny, part, expected):
    worker = make_worker(tmp_path, tiny, file_format='coco')
    worker(part)

    found = json.loads(worker.folder.read('part-000000.json'))

    records = [each for r in expected if r.error is None for each in r.to_coco()]
    assert found['results'] == records
    assert [each['image'] for each in found['errors']] == [part.paths[BROKEN]]
