# Copyright (c) onestage_pose contributors.
"""Files and folders of the command line are checked before the work begins."""

import os
from pathlib import Path
from typing import Any

from onestage_pose.cli.files import (
    check_annotation_files,
    check_checkpoint_path,
    check_writable,
    find_images,
)
from onestage_pose.utils.errors import UsageError

import pytest
from mmengine.config import Config


def test_unwritable_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()

    with pytest.raises(UsageError, match='cannot write to .*file/below.*--work-dir'):
        check_writable(str(tmp_path / 'file' / 'below'))


@pytest.mark.skipif(os.geteuid() == 0, reason='nothing is forbidden to root')
def test_forbidden_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / 'locked').mkdir(mode=0o500)

    with pytest.raises(UsageError, match='no permission'):
        check_writable(str(tmp_path / 'locked'))


def test_checkpoint_path_is_checked(tmp_path: Path) -> None:
    (tmp_path / 'epoch_1.pth').touch()

    with pytest.raises(UsageError, match='--resume: .*Did you mean epoch_1.pth'):
        check_checkpoint_path(str(tmp_path / 'epoch1.pth'), '--resume')


def test_address_is_not_looked_for_on_the_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_for = []
    monkeypatch.setattr(os.path, 'isfile', looked_for.append)

    check_checkpoint_path('https://somewhere.example/a.pth', 'load_from')

    assert looked_for == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images, and what is none."""
    for name in ('b.png', 'a.jpg', 'c.WEBP', 'notes.txt', '.hidden.png'):
        (tmp_path / name).touch()
    (tmp_path / 'within.png').mkdir()
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


class TestFindImages:
    def test_all_images_come_by_name(self, folder: Path) -> None:
        assert names(find_images(folder)) == ['a.jpg', 'b.png', 'c.WEBP']

    def test_a_broken_link_is_not_left_out(self, folder: Path) -> None:
        (folder / 'ab.png').symlink_to(folder / 'moved.png')

        assert names(find_images(folder, 2)) == ['a.jpg', 'ab.png']

    def test_first_ones_are_taken(self, folder: Path) -> None:
        assert names(find_images(folder, 2)) == ['a.jpg', 'b.png']

    def test_other_files_are_named(
        self, folder: Path, capsys: pytest.CaptureFixture
    ) -> None:
        find_images(folder)

        told = capsys.readouterr().out
        assert 'holds 3 images and 1 other file, left out (notes.txt)' in told

    def test_an_image_stands_for_itself(self, folder: Path) -> None:
        assert find_images(folder / 'a.jpg') == [folder / 'a.jpg']

    def test_another_file_is_refused(self, folder: Path) -> None:
        with pytest.raises(UsageError, match='--check: .*notes.txt is not an image'):
            find_images(folder / 'notes.txt', option='--check')

    def test_folder_without_images_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / 'notes.txt').touch()

        with pytest.raises(UsageError, match='holds no image and 1 other file'):
            find_images(tmp_path)

    def test_missing_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match='--check: there is no folder or file'):
            find_images(tmp_path / 'nowhere', option='--check')


def data(**dataset: Any) -> Config:
    return Config(dict(train_dataloader=dict(dataset=dataset)))


class TestAnnotationFiles:
    LOADERS = ('train_dataloader', 'val_dataloader')

    def test_missing_one_is_named_with_its_key(self, tmp_path: Path) -> None:
        cfg = data(data_root=str(tmp_path), ann_file='annotations/a.json')

        with pytest.raises(
            UsageError, match='train_dataloader.dataset.ann_file: .*/annotations/a.json'
        ):
            check_annotation_files(cfg, self.LOADERS)

    def test_existing_one_is_not_named(self, tmp_path: Path) -> None:
        (tmp_path / 'a.json').touch()
        cfg = data(data_root=str(tmp_path), ann_file='a.json')

        self.assert_only_the_next_is_named(cfg)

    def assert_only_the_next_is_named(self, cfg: Config) -> None:
        cfg.val_dataloader = dict(dataset=dict(ann_file='gone.json'))
        with pytest.raises(UsageError, match='^val_dataloader.dataset.ann_file: gone'):
            check_annotation_files(cfg, self.LOADERS)

    def test_missing_one_of_several_data_sets_is_named(self, tmp_path: Path) -> None:
        parts = [dict(type='Synthetic'), dict(ann_file=str(tmp_path / 'b.json'))]
        cfg = data(dataset=dict(type='Both', datasets=parts))

        with pytest.raises(UsageError, match='dataset.dataset.datasets.1.ann_file'):
            check_annotation_files(cfg, self.LOADERS)

    @pytest.mark.parametrize(
        'dataset',
        [
            dict(ann_file=''),
            dict(ann_file='s3://bucket/a.json'),
            dict(ann_file='a.json', data_root='https://somewhere.example'),
            dict(ann_file='a.json', backend_args=dict(backend='petrel')),
        ],
    )
    def test_what_is_not_on_the_disk_is_not_looked_for(self, dataset: dict) -> None:
        self.assert_only_the_next_is_named(data(**dataset))
