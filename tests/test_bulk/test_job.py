# Copyright (c) onestage_pose contributors.
"""A job does what is missing, once, and knows when it is another."""

import json

from onestage_pose.bulk import job as job_module
from onestage_pose.bulk.job import Job, choose_partition_size
from onestage_pose.bulk.sources import open_source
from onestage_pose.bulk.worker import WorkerOptions
from onestage_pose.utils.errors import UsageError

import pyarrow.parquet as pq
import pytest

from tests.test_bulk.conftest import BROKEN, NUMBER


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    monkeypatch.setattr(
        job_module,
        'run_in_processes',
        lambda makers, parts: map(makers[0](), parts) if parts else iter(()),
    )


@pytest.fixture
def make_job(tmp_path, tiny, images):
    def make(source=images, partition_size=None, **options):
        config, checkpoint = tiny
        options = dict(bbox_thr=0.0, checkpoint=checkpoint) | options
        folder = str(tmp_path / 'out')
        chosen = WorkerOptions(folder, model=config, **options)
        return Job(open_source(str(source)), chosen, partition_size)

    return make


def finish(job):
    done = [each.number for each in job.run()]
    job.finish()
    return done


def test_only_what_is_missing_is_done_again(make_job, tmp_path):
    assert finish(make_job(partition_size=2)) == [0, 1, 2, 3]
    before = pq.read_table(tmp_path / 'out').to_pylist()
    manifest = tmp_path / 'out/_manifest.json'
    manifest.write_text(manifest.read_text().replace('true', 'false'))
    (tmp_path / 'out/part-000001.parquet').unlink()

    assert finish(make_job()) == [1]

    assert pq.read_table(tmp_path / 'out').to_pylist() == before


def test_a_finished_job_has_nothing_to_do(make_job):
    job = make_job()
    list(job.run())
    job.finish(dict(people=18))

    job = make_job()

    assert job.is_finished and not job.missing
    assert job.found == dict(people=18)


@pytest.mark.parametrize('file_format', ['parquet', 'coco'])
def test_what_an_earlier_run_has_done_is_counted(make_job, file_format):
    job = make_job(partition_size=2, file_format=file_format)
    done = list(job.run())

    counted = make_job(partition_size=2, file_format=file_format).read_done()

    assert [each[:4] for each in counted] == [each[:4] for each in done]
    assert [sum(column) for column in zip(*done)][1:4] == [NUMBER, 1, 3 * (NUMBER - 1)]


@pytest.mark.parametrize('file_format', ['parquet', 'coco'])
def test_a_file_that_is_torn_is_named(make_job, tmp_path, file_format):
    list(make_job(file_format=file_format).run())
    [part] = (tmp_path / 'out').glob('part-*')
    part.write_bytes(part.read_bytes()[:-9])

    with pytest.raises(UsageError, match=rf'{part.name} cannot be read .*: remove it'):
        list(make_job(file_format=file_format).read_done())


@pytest.mark.parametrize(
    ('options', 'name'),
    [
        (dict(bbox_thr=0.5), 'bbox_thr'),
        (dict(flip_test=True), 'flip_test'),
        (dict(cfg_options={'model.test_cfg.rcnn.max_per_img': 1}), 'cfg_options'),
        (dict(file_format='coco'), 'format'),
        (dict(partition_size=3), 'partition_size'),
    ],
)
def test_another_job_in_the_folder_is_refused(make_job, options, name):
    finish(make_job(partition_size=2))

    with pytest.raises(UsageError, match=f'begun with {name}='):
        make_job(**options)


def test_another_list_of_images_is_refused(make_job, images):
    finish(make_job())

    with pytest.raises(UsageError, match='begun with images=7, and now it is 1'):
        make_job(f'{images}/000000.png')


def test_other_weights_under_the_same_name_are_refused(make_job, tiny, tmp_path):
    checkpoint = tmp_path / 'weights.pth'
    checkpoint.write_bytes(open(tiny[1], 'rb').read())
    finish(make_job(checkpoint=str(checkpoint)))
    checkpoint.write_bytes(b'other')

    with pytest.raises(UsageError, match='begun with checkpoint='):
        make_job(checkpoint=str(checkpoint))


def test_coco_results_are_joined(make_job, tmp_path):
    finish(make_job(partition_size=2, file_format='coco'))

    names = {each.name for each in (tmp_path / 'out').iterdir()}
    assert names == {'results.json', 'errors.json', '_manifest.json', '.bulk.lock'}
    results = json.loads((tmp_path / 'out/results.json').read_text())
    ids = [each['image_id'] for each in results]
    assert ids == [n for n in range(NUMBER) for _ in range(3) if n != BROKEN]
    [error] = json.loads((tmp_path / 'out/errors.json').read_text())
    assert error['image'].endswith(f'{BROKEN:06d}.png')


def test_a_job_that_was_ended_before_its_parts_were_removed(make_job, tmp_path):
    finish(make_job(file_format='coco'))
    (tmp_path / 'out/part-000000.json').write_text('{}')

    job = make_job(file_format='coco')
    job.finish()

    assert not (tmp_path / 'out/part-000000.json').exists()


def test_coco_results_need_numbers(make_job, tmp_path, images):
    (tmp_path / 'all.txt').write_text(f'{images}/000001.png\n/x/beach.png\n')

    with pytest.raises(UsageError, match='name of /x/beach.png is no number'):
        make_job(tmp_path / 'all.txt', file_format='coco')


@pytest.mark.parametrize(
    ('images', 'size'),
    [(1, 16), (5000, 20), (10**6, 1000), (10**8, 1000), (10**9, 10_000)],
)
def test_partitions_are_neither_too_many_nor_too_large(images, size):
    assert choose_partition_size(images) == size
