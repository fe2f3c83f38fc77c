# Copyright (c) onestage_pose contributors.
"""What does not exist is named before a command, and PyTorch, is imported."""

from onestage_pose.cli.main import build_parser
from onestage_pose.cli.named_files import check_named_files
from onestage_pose.utils.errors import UsageError

import pytest

from tests.faults import fault_of


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('a.json', 'a.jpg', 'a.mp4', 'a.pth', 'config.py'):
        (tmp_path / name).touch()
    (tmp_path / 'images').mkdir()


def check(words):
    check_named_files(build_parser().parse_args(words.split()))


@pytest.mark.parametrize(
    'words',
    [
        'predict a.jpg',
        'predict images',
        'predict *.jpg',
        'predict https://example.org/a.jpg',
        'predict webcam:1',
        'predict 0',
        'predict a.jpg NANO',
        'predict a.jpg config.py a.pth',
        'predict a.jpg config.py https://example.org/a.pth',
        'track a.mp4 nano --json tracks.jsonl',
        'bulk s3://images out',
        'serve nano',
        'web nano',
        'convert a.pth b.pth',
        'export nano out.onnx',
        'export config.py a.pth out.onnx --check images',
        'train config.py --resume',
        'test config.py a.pth',
        'evaluate a.json --results a.json --images images',
        'evaluate a.json nano',
        'finetune a.json --val images',
        'convert-data images out',
        'check-data a.json a.json',
        'models',
    ],
)
def test_what_exists_passes(words):
    assert fault_of(check, words) is None


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ('predict b.jpg', 'no folder or file b.jpg. Did you mean a.jpg'),
        ('predict nowhere/b.jpg', 'nowhere does not exist either'),
        ('predict a.jpg nanoo', 'nanoo: give .* Did you mean nano'),
        ('predict a.jpg b.jpg', 'b.jpg is no config. Give one input: .* quotes'),
        ('predict a.jpg nano a.pth', 'nano is a published .* leave out a.pth'),
        ('predict a.jpg confg.py a.pth', 'config confg.py does .* mean config.py'),
        ('predict a.jpg config.py b.pth', 'checkpoint: b.pth does .* mean a.pth'),
        ('track b.mp4', 'no folder or file b.mp4. Did you mean a.mp4'),
        ('bulk image out', 'no folder or file image. Did you mean images'),
        ('serve nanoo', 'Did you mean nano'),
        ('web nanoo', 'Did you mean nano'),
        ('convert b.pth c.pth', 'SRC: b.pth does not exist. Did you mean a.pth'),
        ('convert a.pth c.pth --config b.py', '--config: b.py does not exist'),
        ('export nanoo out.onnx', 'Did you mean nano'),
        ('export confg.py a.pth out.onnx', 'config confg.py does not exist'),
        ('export nano out.onnx --check image', '--check: image does not exist'),
        ('train confg.py', 'config confg.py does not exist. Did you mean config.py'),
        ('train config.py --resume b.pth', '--resume: b.pth does not exist'),
        ('test nanoo', 'Did you mean nano'),
        ('evaluate b.json', 'ANN_FILE: b.json does not exist. Did you mean a.json'),
        ('evaluate images', 'ANN_FILE: images is a folder; give the file in it'),
        ('evaluate a.json --results b.json', '--results: b.json does not exist'),
        ('evaluate a.json --images image', '--images: there is no folder image'),
        ('finetune data', 'DATA: data does not exist'),
        ('finetune a.json --val b.json', '--val: b.json does not exist'),
        ('finetune a.json --val-images a', '--val-images: there is no folder a'),
        ('convert-data b.json out', 'SRC: b.json does not exist'),
        ('check-data b.json', 'DATA: b.json does not exist'),
        ('check-data a.json b.json', 'OTHER: b.json does not exist'),
    ],
)
def test_what_does_not_exist_is_named(words, message):
    with pytest.raises(UsageError, match=message):
        check(words)
