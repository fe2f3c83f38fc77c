# Copyright (c) onestage_pose contributors.
"""What a labelling tool exported is converted once, before training."""

import json

from onestage_pose.data_tools.fine_tuning import exported
from onestage_pose.data_tools.fine_tuning.exported import convert, find_data
from onestage_pose.utils.errors import UsageError

import pytest
import yaml

from tests.test_data_tools.conftest import write_image

LINE = '0 0.5 0.5 0.4 0.4 0.5 0.5 2 0.4 0.4 1'


@pytest.fixture
def yolo(tmp_path):
    """A data set of one image in each of some splits."""

    def make(*splits):
        root = tmp_path / 'yolo'
        content = dict(kpt_shape=[2, 3], kpt_names={0: ['a', 'b']}, names={0: 'cat'})
        for split in splits:
            write_image(root / f'images/{split}/{split}.jpg')
            labels = root / f'labels/{split}/{split}.txt'
            labels.parent.mkdir(parents=True)
            labels.write_text(LINE)
            content[split] = f'images/{split}'
        (root / 'data.yaml').write_text(yaml.safe_dump(content))
        return root

    return make


@pytest.mark.parametrize(
    ('splits', 'val'),
    [(['train'], None), (['train', 'val', 'test'], 'val'), (['train', 'test'], 'test')],
)
def test_its_splits_are_those_of_the_training(yolo, tmp_path, splits, val, capsys):
    root, folder = yolo(*splits), tmp_path / 'data'

    data = convert(find_data(root), folder, None, None)

    assert data.path == folder / 'train.json'
    assert data.val == (val and folder / f'{val}.json')
    told = capsys.readouterr().out
    assert f'Converted: {root} (yolo_pose) to {", ".join(splits)} in {folder}' in told
    [image] = json.loads(data.path.read_text())['images']
    assert (data.images / image['file_name']).samefile(root / 'images/train/train.jpg')


def test_it_is_converted_again_only_where_it_has_changed(yolo, tmp_path, monkeypatch):
    root = yolo('train')
    first = convert(find_data(root), tmp_path / 'data', None, None)

    with monkeypatch.context() as patched:
        patched.setattr(exported, 'convert_data', None)
        assert convert(find_data(root), tmp_path / 'data', None, None) == first

    (root / 'labels/train/train.txt').write_text(
        f'{LINE}\n0 0.3 0.3 0.2 0.2 {LINE[18:]}'
    )
    again = convert(find_data(root), tmp_path / 'data', None, None)
    assert len(json.loads(again.path.read_text())['annotations']) == 2


def test_splits_without_a_training_one_are_refused(yolo, tmp_path):
    with pytest.raises(UsageError, match='its splits are val, test.*--val'):
        convert(find_data(yolo('val', 'test')), tmp_path / 'data', None, None)


@pytest.mark.parametrize('name', ['', 'notes.json', 'notes.txt'])
def test_what_nobody_reads_is_refused_with_both_ways(tmp_path, name):
    (tmp_path / 'notes.json').write_text('{"shape": []}')
    (tmp_path / 'notes.txt').write_text('x')

    with pytest.raises(UsageError, match='COCO keypoint file.*convert-data.*Known are'):
        find_data(tmp_path / name)
