# Copyright (c) onestage_pose contributors.
"""Images and results in buckets, on a server of S3's protocol; needs moto and s3fs."""

from onestage_pose.bulk.destination import Folder
from onestage_pose.bulk.job import Job
from onestage_pose.bulk.sources import open_source
from onestage_pose.bulk.worker import Worker, WorkerOptions
from onestage_pose.utils.errors import OutputError

import pytest

from tests.test_bulk.conftest import NUMBER

s3fs = pytest.importorskip('s3fs')
moto_server = pytest.importorskip('moto.server')
pq = pytest.importorskip('pyarrow.parquet')


@pytest.fixture(scope='module')
def storage():
    """The client of a server on the loopback address, with an empty bucket."""
    server = moto_server.ThreadedMotoServer('127.0.0.1', 0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        host, port = server.get_host_and_port()
        patch.setenv('AWS_ENDPOINT_URL', f'http://{host}:{port}')
        patch.setenv('AWS_ACCESS_KEY_ID', 'test')
        patch.setenv('AWS_SECRET_ACCESS_KEY', 'test')
        patch.setenv('AWS_DEFAULT_REGION', 'us-east-1')
        s3fs.S3FileSystem.clear_instance_cache()
        storage = s3fs.S3FileSystem()
        storage.mkdir('bucket')
        yield storage
        s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def do(job, options):
    """Do what is missing in this process; the numbers of the partitions."""
    worker = Worker(options, 0)
    done = [worker(each).number for each in job.missing]
    job.finish()
    return done


def read_rows(place, **options):
    """Rows without the folder of their image, which its error names too."""
    rows = pq.read_table(place, **options).to_pylist()
    for row in rows:
        row['image'] = row['image'].rpartition('/')[2]
        row['error'] = row['error'] and row['error'].rpartition('/')[2]
    return rows


def test_a_bucket_holds_what_a_folder_would_and_resumes(
    storage, images, tiny, tmp_path
):
    storage.put(f'{images}/', 'bucket/images/', recursive=True)
    found = {}
    for source, folder in (
        (str(images), str(tmp_path / 'out')),
        ('s3://bucket/images', 's3://bucket/out'),
    ):
        options = WorkerOptions(
            folder, model=tiny[0], checkpoint=tiny[1], bbox_thr=0.0, batch_size=1
        )
        job = Job(open_source(source), options, partition_size=3)
        found[folder] = do(job, options)

    expected = read_rows(tmp_path / 'out')
    read = dict(filesystem=storage)
    assert read_rows('bucket/out', **read) == expected
    assert len({row['image'] for row in expected}) == NUMBER

    # a job that was killed: one partition is not there, and the manifest says so
    storage.rm('bucket/out/part-000001.parquet')
    manifest = storage.cat('bucket/out/_manifest.json')
    storage.pipe('bucket/out/_manifest.json', manifest.replace(b'true', b'false'))
    again = Job(open_source('s3://bucket/images'), options)

    assert do(again, options) == [1]
    assert read_rows('bucket/out', **read) == expected


def test_a_bucket_that_does_not_exist_is_named_and_not_made(storage):
    with pytest.raises(OutputError, match='s3://bucked/out/a could not be written'):
        Folder('s3://bucked/out').write('a', b'')

    assert storage.ls('') == ['bucket']
