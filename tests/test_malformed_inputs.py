# Copyright (c) onestage_pose contributors.
"""Every input of malformed_inputs.py has the outcome that is written there.

That is: it is used, or an error names it before the work begins; nothing of it is
run, nothing is written elsewhere, and the good inputs beside it are done.
"""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import re
from pathlib import Path
from typing import Any

import onestage_pose  # noqa: F401
from onestage_pose.cli.run import run_tool
from onestage_pose.datasets import LoadPoseMasks, PersonKeypointsDataset
from onestage_pose.evaluation import KeypointCocoMetric

import cv2
import numpy as np
import pytest
from mmengine.logging import MMLogger
from mmpose.apis import Pose2DInferencer

from tests import malformed_inputs as inputs
from tests.detectron2_arrays import narrow_arrays, narrow_config
from tests.test_apis.tiny_model import picture, write_tiny_model
from tests.tool_runs import REPOSITORY, clear_global_state, load_tool
from tests.toy_pose import ToyModel, write_config


def parametrize(cases: Any) -> Any:
    return pytest.mark.parametrize('case', cases, ids=lambda case: case.name)


def used(cases: Any) -> list:
    return [case for case in cases if case.error is None]


def refused(cases: Any) -> list:
    return [case for case in cases if case.error is not None]


def message_of(tool: Any, *words: Any) -> str:
    """What a tool says when it refuses, with status 1 and in place of a traceback."""
    clear_global_state()
    with pytest.raises(SystemExit) as exit_:
        run_tool(lambda argv: tool([str(word) for word in words]))
    assert isinstance(exit_.value.code, str), 'the tool ended well'
    return exit_.value.code


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file()}


@pytest.fixture(scope='module')
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return write_tiny_model(tmp_path_factory.mktemp('tiny'))


def test_the_table_of_the_docs_is_this_one() -> None:
    docs = (REPOSITORY / 'docs/reference/malformed_inputs.md').read_text()

    assert inputs.table() in docs


class TestPicture:
    @pytest.fixture(scope='class')
    def draw(self, tiny: tuple[str, str]) -> Any:
        spec = importlib.util.spec_from_file_location(
            'image_demo', REPOSITORY / 'demo/image_demo.py'
        )
        demo = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(demo)
        options = ('--device', 'cpu', '--save-predictions', '--out-dir')
        return lambda folder, out: ([folder, *tiny, *options, out], demo.main)

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Good pictures before and behind the one that is tried."""
        folder = tmp_path / 'pictures'
        folder.mkdir()
        for name in ('a', 'z'):
            cv2.imwrite(str(folder / f'{name}.png'), picture())
        return folder

    def outputs(self, *names: str) -> set[str]:
        drawn = {f'visualizations/{name}' for name in names}
        return drawn | {f'predictions/{Path(name).stem}.json' for name in names}

    @parametrize(used(inputs.PICTURES))
    def test_is_drawn(self, draw: Any, folder: Path, case: inputs.Case) -> None:
        suffix, content = case.make()
        (folder / f'it{suffix}').write_bytes(content)
        out = folder.parent / 'out'
        words, main = draw(folder, out)

        main(list(map(str, words)))

        assert files(out) == self.outputs('a.png', f'it{suffix}', 'z.png')
        people = json.loads((out / 'predictions/it.json').read_text())
        numbers = [np.array(person['keypoints']) for person in people]
        assert all(np.isfinite(keypoints).all() for keypoints in numbers)

    @parametrize(refused(inputs.PICTURES))
    def test_is_named(self, draw: Any, folder: Path, case: inputs.Case) -> None:
        suffix, content = case.make()
        (folder / f'it{suffix}').write_bytes(content)
        out = folder.parent / 'out'
        words, main = draw(folder, out)

        message = message_of(main, *words)

        assert f'it{suffix}' in message
        assert case.error in message
        assert files(out) == self.outputs('a.png', 'z.png')


class TestAnnotationFile:
    @pytest.fixture
    def coco(self, tmp_path: Path) -> dict:
        (tmp_path / 'images').mkdir()
        images = [
            dict(id=i, file_name=f'{i}.png', width=120, height=80) for i in (1, 2)
        ]
        people = [
            dict(
                id=i,
                image_id=i,
                category_id=1,
                iscrowd=0,
                bbox=[10, 10, 60, 60],
                area=2000,
                keypoints=[20.0, 20.0, 2] * 17,
            )
            for i in (1, 2)
        ]
        for record in images:
            blank = np.zeros((80, 120, 3), np.uint8)
            cv2.imwrite(str(tmp_path / 'images' / record['file_name']), blank)
        categories = [dict(id=1, name='person')]
        return dict(images=images, annotations=people, categories=categories)

    def build(
        self, folder: Path, coco: dict, case: inputs.Case, test_mode: bool = False
    ) -> Any:
        content = case.make(coco)
        if content is None:
            content = json.dumps(coco)
        if isinstance(content, str):
            content = content.encode()
        (folder / 'people.json').write_bytes(content)
        return PersonKeypointsDataset(
            data_root=str(folder),
            ann_file='people.json',
            data_prefix=dict(img='images/'),
            test_mode=test_mode,
        )

    @parametrize(
        case
        for case in refused(inputs.ANNOTATIONS)
        # nothing has to be left to test on
        if 'nothing is left' not in case.outcome and '"annotations"' not in case.name
    )
    def test_is_named_in_testing_too(
        self, tmp_path: Path, coco: dict, case: inputs.Case
    ) -> None:
        message = message_of(
            lambda argv: self.build(tmp_path, coco, case, test_mode=True)
        )

        assert_matches(case, message)
        assert '\n' not in message
        assert len(message) < 1500

    @parametrize(used(inputs.ANNOTATIONS))
    def test_is_measured_where_it_is_used(
        self, tmp_path: Path, coco: dict, case: inputs.Case
    ) -> None:
        dataset = self.build(tmp_path, coco, case, test_mode=True)
        samples = [sample_of(info) for info in dataset]
        metric = KeypointCocoMetric(score_mode='bbox', nms_mode='none')
        metric.dataset_meta = dataset.metainfo

        metric.process(None, samples)

        assert metric.evaluate(len(samples))['coco/AP'] == 1.0

    @parametrize(refused(inputs.ANNOTATIONS))
    def test_is_named(self, tmp_path: Path, coco: dict, case: inputs.Case) -> None:
        with pytest.raises((ValueError, FileNotFoundError), match=case.error) as error:
            self.build(tmp_path, coco, case)

        assert str(tmp_path / 'people.json') in str(error.value)

    @parametrize(used(inputs.ANNOTATIONS))
    def test_is_used(self, tmp_path: Path, coco: dict, case: inputs.Case) -> None:
        log = io.StringIO()
        handler = logging.StreamHandler(log)
        logger = MMLogger.get_current_instance()
        logger.addHandler(handler)

        dataset = self.build(tmp_path, coco, case)

        logger.removeHandler(handler)
        pictures = {info['img_id']: info for info in dataset}
        if 'left out' in case.outcome:
            assert list(pictures) == [2]
            assert '1 boxes without area' in log.getvalue()
        elif 'clipped' in case.outcome:
            assert pictures[1]['bbox'].tolist() == [[0, 0, 120, 80]]
        elif 'kept' in case.outcome:
            assert pictures[1]['keypoints'][0, 2, 0] == 5000
        else:
            assert pictures[1]['bbox'].tolist() == [[10, 10, 70, 70]]
        if 'said in the log' in case.outcome:
            assert 'people have no "area" or 0; 0.53' in log.getvalue()
            assert pictures[1]['area'][0] == pytest.approx(0.53 * 3600)


class TestMetainfo:
    @parametrize(inputs.METAINFO)
    def test_is_named(self, tmp_path: Path, case: inputs.Case) -> None:
        info = dict(
            dataset_name='face',
            keypoint_info={
                0: dict(name='nose', id=0, swap=''),
                1: dict(name='left_eye', id=1, swap='right_eye'),
                2: dict(name='right_eye', id=2, swap='left_eye'),
            },
            skeleton_info={0: dict(link=('left_eye', 'nose'), id=0)},
            joint_weights=[1.0, 1.0, 1.0],
            sigmas=[0.026, 0.025, 0.025],
        )
        case.make(info)
        file = tmp_path / 'face.py'
        file.write_text(f'dataset_info = {info!r}')
        metainfo = dict(from_file=str(file))

        message = message_of(
            lambda argv: PersonKeypointsDataset(metainfo=metainfo, lazy_init=True)
        )

        assert message.startswith(f'Error: {file}: ')
        assert_matches(case, message)


class TestOutline:
    def draw(self, case: inputs.Case) -> np.ndarray:
        outline = case.make([[10, 10, 40, 10, 40, 40, 10, 40]])
        results = dict(segmentation=[outline], id=[5], img_path='a.jpg')
        drawn = LoadPoseMasks().transform(results | dict(img_shape=(80, 120)))
        return drawn['gt_masks'].masks[0]

    @parametrize(refused(inputs.OUTLINES))
    def test_is_named(self, case: inputs.Case) -> None:
        message = message_of(lambda argv: self.draw(case))

        assert message.startswith('Error: a.jpg: annotation id=5 has segmentation=')
        assert_matches(case, message)

    @parametrize(used(inputs.OUTLINES))
    def test_is_drawn(self, case: inputs.Case) -> None:
        assert self.draw(case).sum() == 30 * 30


class TestConfig:
    @parametrize(inputs.CONFIGS)
    def test_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: inputs.Case
    ) -> None:
        monkeypatch.chdir(tmp_path)
        config = write_config(tmp_path)
        made = case.make()
        words = [config, *made]
        if isinstance(made, str):
            words = [made]
            if '\n' in made:
                words = [tmp_path / 'config.py']
                words[0].write_text(made)

        message = message_of(load_tool('train').main, *words)

        assert_matches(case, message)
        assert not list((tmp_path / 'work').glob('*.pth'))


class TestCheckpoint:
    @pytest.fixture
    def weights(self, tmp_path: Path, case: inputs.Case) -> Path:
        path = tmp_path / 'weights.pth'
        case.make(path, ToyModel().state_dict())
        return path

    @parametrize(refused(inputs.CHECKPOINTS))
    def test_is_named(self, tmp_path: Path, weights: Path, case: inputs.Case) -> None:
        config = write_config(tmp_path)

        message = message_of(load_tool('test').main, config, weights)

        assert_matches(case, message)
        assert not inputs.mark_of(weights).exists()

    @parametrize(used(inputs.CHECKPOINTS))
    def test_is_used(self, tmp_path: Path, weights: Path, case: inputs.Case) -> None:
        config, out = write_config(tmp_path), tmp_path / 'out.json'
        clear_global_state()

        load_tool('test').main([str(config), str(weights), '--out', str(out)])

        assert json.loads(out.read_text())['coco/pictures'] == 5
        assert not inputs.mark_of(weights).exists()


class TestDetectron2File:
    @parametrize(inputs.DETECTRON2_FILES)
    def test_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: inputs.Case
    ) -> None:
        monkeypatch.chdir(tmp_path)
        config = narrow_config(tmp_path, True)
        theirs, ours = tmp_path / 'theirs.pkl', tmp_path / 'ours.pth'
        case.make(theirs, narrow_arrays(True))
        before = files(tmp_path)
        tool = load_tool('model_converters/detectron2_to_mmpose').main

        message = message_of(tool, theirs, ours, '--config', config)

        assert_matches(case, message)
        assert files(tmp_path) == before


class TestInferencer:
    @pytest.fixture(scope='class')
    def inferencer(self, tiny: tuple[str, str]) -> Pose2DInferencer:
        return Pose2DInferencer(*tiny, device='cpu')

    @pytest.fixture
    def good(self, tmp_path: Path) -> str:
        cv2.imwrite(str(tmp_path / 'good.png'), picture())
        (tmp_path / 'text.jpg').write_text('no picture')
        return str(tmp_path / 'good.png')

    @parametrize(refused(inputs.INFERENCER))
    def test_is_named(
        self, inferencer: Pose2DInferencer, good: str, case: inputs.Case
    ) -> None:
        given = case.make(good)
        results = inferencer(given)

        done = [next(results) for _ in given[:-1]]
        with pytest.raises((ValueError, FileNotFoundError), match=case.error):
            next(results)

        assert len(done) == len(given) - 1

    @parametrize(used(inputs.INFERENCER))
    def test_is_used(
        self, inferencer: Pose2DInferencer, good: str, case: inputs.Case
    ) -> None:
        assert list(inferencer(case.make(good))) == []


def sample_of(info: dict) -> dict:
    """A sample in which a model has found what is annotated."""
    people = info['raw_ann_info']
    keypoints = np.array([ann['keypoints'] for ann in people]).reshape(-1, 17, 3)
    found = dict(
        keypoints=keypoints[..., :2],
        keypoint_scores=np.ones(keypoints.shape[:2]),
        bbox_scores=np.ones(len(people)),
    )
    return dict(
        id=info['id'],
        img_id=info['img_id'],
        ori_shape=(info['height'], info['width']),
        raw_ann_info=people,
        gt_instances={},
        pred_instances=found,
    )


def assert_matches(case: inputs.Case, message: str) -> None:
    assert re.search(case.error, message, re.DOTALL), message
