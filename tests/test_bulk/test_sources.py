# Copyright (c) onestage_pose contributors.
"""The list of images, and how it is divided."""

import zipfile

from onestage_pose.bulk.sources import open_source
from onestage_pose.datasets import LoadPoseImage
from onestage_pose.utils.errors import ImageError, UsageError

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.test_bulk.conftest import BROKEN, NUMBER


def names(source, size=1000):
    return [item.name for each in source.partitions(size) for item in each.items()]


def write_table(path, table, **options):
    pq.write_table(pa.table(table), path, **options)
    return str(path)


@pytest.fixture(scope='module')
def contents(images):
    return [path.read_bytes() for path in sorted(images.iterdir())]


def test_a_folder_is_in_the_order_of_its_names(images):
    assert names(open_source(str(images))) == sorted(map(str, images.iterdir()))


def test_a_pattern(images):
    assert names(open_source(f'{images}/*3.png')) == [f'{images}/000003.png']


def test_other_files_are_named(images, tmp_path):
    (tmp_path / 'a.png').write_bytes(b'')
    (tmp_path / 'notes.md').write_bytes(b'')

    source = open_source(str(tmp_path))

    assert (len(source), source.left_out) == (1, ['notes.md'])


def test_a_list_is_relative_to_its_folder(tmp_path):
    (tmp_path / 'all.txt').write_text('b.jpg\n\n/images/a.jpg\r\ns3://bucket/c.jpg\n')

    found = names(open_source(str(tmp_path / 'all.txt')))

    assert found == [f'{tmp_path}/b.jpg', '/images/a.jpg', 's3://bucket/c.jpg']


def test_storage_is_listed_and_read_by_fsspec(contents):
    storage = fsspec.filesystem('memory')
    for number, content in enumerate(contents[:2]):
        storage.pipe(f'/stored/{number}.png', content)
    storage.pipe('/stored/deep/2.png', contents[2])

    [flat] = open_source('memory://stored').partitions(9)
    [deep] = open_source('memory://stored', recursive=True).partitions(9)

    assert (len(flat), len(deep)) == (2, 3)
    first = next(flat.items()).load(LoadPoseImage())
    assert first['img'].shape == (64, 80, 3)


def test_images_in_an_archive(images, tmp_path, contents):
    path = tmp_path / 'images.zip'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('in/1.png', contents[1])

    [part] = open_source(f'zip://in/*.png::{path}').partitions(9)

    [item] = part.items()
    assert item.load(LoadPoseImage())['img'].shape == (64, 80, 3)


@pytest.mark.parametrize('is_hugging_face', [False, True])
def test_parquet_of_bytes(tmp_path, contents, is_hugging_face):
    """Of Hugging Face's files each image has a path beside it."""
    column = contents
    if is_hugging_face:
        column = [dict(bytes=each, path=f'{n}.png') for n, each in enumerate(contents)]
    path = write_table(
        tmp_path / 'a.parquet', dict(image=column, caption=['x'] * NUMBER)
    )

    source = open_source(path)
    items = [item for each in source.partitions(3) for item in each.items()]

    assert [each.content for each in items] == contents
    expected = '{}.png' if is_hugging_face else f'{path}#{{}}'
    assert [each.name for each in items] == [expected.format(n) for n in range(NUMBER)]
    with pytest.raises(ImageError, match='truncated'):
        items[BROKEN].load(LoadPoseImage())


def test_parquet_of_paths_with_names(tmp_path):
    path = write_table(tmp_path / 'a.parquet', dict(path=['/x/1.jpg'], id=[5]))

    [item] = open_source(path, name_column='id').partitions(9)[0].items()

    assert (item.name, item.path) == ('5', '/x/1.jpg')


def test_a_row_without_an_image_is_an_error_of_its_own(tmp_path):
    path = write_table(tmp_path / 'a.parquet', dict(path=['/x/1.jpg', None]))

    _, item = open_source(path).partitions(9)[0].items()

    with pytest.raises(ImageError, match='row 1 has no image'):
        item.load(LoadPoseImage())


@pytest.mark.parametrize('size', [1, 2, 3, 4, 7, 100])
def test_partitions_have_each_row_once_and_in_order(tmp_path, size):
    """Of files whose rows are in groups of three."""
    expected = [f'/x/{number}.jpg' for number in range(17)]
    write_table(tmp_path / 'a.parquet', dict(p=expected[:10]), row_group_size=3)
    write_table(tmp_path / 'b.parquet', dict(p=expected[10:]), row_group_size=3)

    parts = open_source(str(tmp_path)).partitions(size)

    assert [each.number for each in parts] == list(range(len(parts)))
    assert max(map(len, parts)) <= size
    found = [[item.path for item in each.items()] for each in parts]
    assert sum(found, []) == expected
    assert [expected[each.start :][: len(each)] for each in parts] == found


def test_row_groups_are_kept_whole(tmp_path):
    path = write_table(tmp_path / 'a.parquet', dict(p=['x'] * 10), row_group_size=3)

    assert [len(each) for each in open_source(path).partitions(4)] == [3, 3, 4]


def test_the_digest_is_of_the_names_in_their_order(tmp_path):
    (tmp_path / 'a.txt').write_text('/1.jpg\n/2.jpg\n')
    (tmp_path / 'b.txt').write_text('/2.jpg\n/1.jpg\n')
    one, other = (open_source(str(tmp_path / name)) for name in ('a.txt', 'b.txt'))

    assert one.digest() == open_source(str(tmp_path / 'a.txt')).digest()
    assert one.digest() != other.digest()


@pytest.mark.parametrize(
    ('make', 'options', 'message'),
    [
        (lambda d: d / 'nothing', {}, 'there is no folder or file'),
        (lambda d: d, {}, 'holds no image'),
        (lambda d: 'memory://nothing-there', {}, 'cannot be read'),
        (lambda d: 'nothing://a', {}, 'nothing'),
        (
            lambda d: write_table(d / 'a.parquet', dict(a=[b''], b=[b''])),
            {},
            '--column',
        ),
        (lambda d: write_table(d / 'a.parquet', dict(a=[1])), {}, '--column'),
        (
            lambda d: write_table(d / 'a.parquet', dict(image=[b''])),
            dict(column='imag'),
            'image',
        ),
        (
            lambda d: write_table(d / 'a.parquet', dict(image=[b''])),
            dict(name_column='id'),
            "no column 'id'",
        ),
        (
            lambda d: write_table(
                d / 'a.parquet', dict(image=pa.array([], pa.binary()))
            ),
            {},
            'no row',
        ),
    ],
)
def test_what_cannot_be_listed_is_said_at_once(tmp_path, make, options, message):
    with pytest.raises(UsageError, match=message):
        open_source(str(make(tmp_path)), **options)


def test_a_parquet_file_that_is_none(tmp_path):
    (tmp_path / 'a.parquet').write_bytes(b'no')

    with pytest.raises(UsageError, match='is not a Parquet file'):
        open_source(str(tmp_path / 'a.parquet'))


def test_files_of_two_schemas_are_refused(tmp_path):
    write_table(tmp_path / 'a.parquet', dict(image=[b'']))
    write_table(tmp_path / 'b.parquet', dict(image=['x']))

    with pytest.raises(UsageError, match='b.parquet: the column image is string'):
        open_source(str(tmp_path))
