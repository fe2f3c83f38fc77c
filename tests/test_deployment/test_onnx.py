# Copyright (c) onestage_pose contributors.
"""The exported graph in ONNX Runtime beside the model in PyTorch."""

import io
import json
import os
import re
import subprocess
import sys
import tracemalloc

from onestage_pose.apis import load_model
from onestage_pose.cli import export
from onestage_pose.deployment import (
    OnnxKeypointRCNN,
    check_outputs,
    compare_with_onnx,
    export_onnx,
)
from onestage_pose.deployment.onnx_contract import INPUTS, OUTPUTS
from onestage_pose.utils.errors import UsageError
from onestage_pose.utils.onnx_format import check_onnx

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpose.apis import inference_bottomup, init_model
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from PIL import Image

from tests.kites_and_bars import BAR_ID, KITE_ID
from tests.model_factory import PYRAMID, build, tiny_config
from tests.parity_run import ParityRun
from tests.small_disk import small_disk
from tests.test_apis.tiny_model import (
    picture,
    write_tiny_model,
    write_tiny_of_categories,
)
from tests.tool_runs import REPOSITORY, load_tool, run_tool

pytest.importorskip('onnx', reason='onnx is not installed')
onnxruntime = pytest.importorskip('onnxruntime', reason='onnxruntime is not installed')

SIZES = [(96, 128), (128, 96), (64, 200), (150, 150), (33, 47), (200, 63), (320, 320)]
OPTIONS = {
    'as it is': {},
    'bicubic, peak': {'roi_head.codec.score_mode': 'peak'},
    'argmax': {'roi_head.codec.decode_mode': 'argmax'},
    'quarter': {'roi_head.codec.decode_mode': 'quarter'},
    'dark': {'roi_head.codec.decode_mode': 'dark'},
    'expected OKS': {
        'roi_head.codec.decode_mode': 'expected_oks',
        'roi_head.codec.score_mode': 'expected_oks',
    },
    'all levels': {
        'roi_head.keypoint_roi_extractor.featmap_strides': [4, 8, 16, 32],
        'roi_head.keypoint_roi_extractor.zero_extend': False,
        'roi_head.box_scale': 1.0,
    },
    'flip test': {'test_cfg.flip_test': True},
    'no limit': {'test_cfg.rcnn.max_per_img': -1},
    'rescored': {'test_cfg.rescore_thr': 0.1},
    'RPN from stride 8': {
        'rpn_head.anchor_generator.strides': [8, 16, 32, 64],
        # random weights rank by so little that runtimes differ on whom to leave out
        'test_cfg.rpn.nms_pre': 1000,
        'test_cfg.rpn.max_per_img': 1000,
    },
    'image pyramid': {key.replace('__', '.'): PYRAMID[key] for key in PYRAMID},
    'swapped channels': {'data_preprocessor.bgr_to_rgb': True},
}


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    """Files of several sizes."""
    folder = tmp_path_factory.mktemp('pictures')
    files = []
    for seed, (height, width) in enumerate(SIZES):
        files.append(folder / f'{seed}.png')
        cv2.imwrite(str(files[-1]), picture(height, width, seed))
    return files


def tiny(folder, options=None, **kwargs):
    """A model of random weights that finds people everywhere."""
    config, checkpoint = write_tiny_model(folder, **kwargs)
    options = {f'model.{key}': value for key, value in (options or {}).items()}
    return init_model(config, checkpoint, device='cpu', cfg_options=options)


def assert_agrees(model, onnx_file, pictures, people=True):
    found = list(compare_with_onnx(model, onnx_file, pictures))
    assert len(found) == len(pictures)
    for each in found:
        assert (each.people[0] > 0) == people, each
        assert max(each.bboxes, each.keypoints) < 0.1, each
        assert each.scores < 1e-3, each


def run_onnx(onnx_file, images):
    """Outputs by name of images (H, W, 3) of one size."""
    session = onnxruntime.InferenceSession(
        str(onnx_file), providers=['CPUExecutionProvider']
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(image=as_batch(images)))))


def as_batch(images):
    return np.stack(images).transpose(0, 3, 1, 2).astype(np.float32)


def assert_batch_agrees(onnx_file, images):
    """Return the people of a batch, which are those of each image alone."""
    together = run_onnx(onnx_file, images)
    check_outputs(together, len(images), together['keypoints'].shape[1])
    for index, image in enumerate(images):
        alone = run_onnx(onnx_file, [image])
        mine = together['image_indices'] == index
        for name, values in alone.items():
            if name != 'image_indices':
                np.testing.assert_allclose(
                    together[name][mine], values, rtol=1e-4, atol=2e-3, err_msg=name
                )
    return together


@pytest.mark.parametrize('name', OPTIONS)
def test_people_are_pytorchs_on_pictures_of_any_size(tmp_path, pictures, name):
    model = tiny(tmp_path, OPTIONS[name])
    export_onnx(model, tmp_path / 'm.onnx')
    assert_agrees(model, tmp_path / 'm.onnx', pictures)


@pytest.mark.parametrize('flip_test', [False, True])
def test_presence_and_visibility_are_two_more_outputs(tmp_path, pictures, flip_test):
    options = dict(rescore_thr=0.0, rescore_by_presence=True, flip_test=flip_test)
    model = tiny(
        tmp_path,
        {f'test_cfg.{name}': value for name, value in options.items()},
        visibility_branch=dict(channels=8),
    )
    export_onnx(model, tmp_path / 'm.onnx')
    session = onnxruntime.InferenceSession(str(tmp_path / 'm.onnx'))
    names = [output.name for output in session.get_outputs()]
    assert names[5:7] == ['keypoint_presence', 'keypoints_visible']
    assert_agrees(model, tmp_path / 'm.onnx', pictures)


@pytest.mark.parametrize('flip_test', [False, True])
def test_nobody(tmp_path, pictures, flip_test):
    model = tiny(tmp_path, {'test_cfg.flip_test': flip_test}, score_thr=1.01)
    export_onnx(model, tmp_path / 'm.onnx')
    assert_agrees(model, tmp_path / 'm.onnx', pictures, people=False)


@pytest.fixture(scope='module')
def of_categories(tmp_path_factory):
    """A model of kites and bars, and its graph."""
    folder = tmp_path_factory.mktemp('categories')
    options = {'model.test_cfg.flip_test': True, 'model.test_cfg.rescore_thr': -1.0}
    files = write_tiny_of_categories(folder)
    model = init_model(*files, device='cpu', cfg_options=options)
    export_onnx(model, folder / 'm.onnx')
    return model, folder / 'm.onnx'


class TestCategories:
    def test_each_instance_has_its_own_keypoints(self, of_categories, pictures):
        assert_agrees(*of_categories, pictures[:3])

    def test_images_of_a_batch_have_the_people_that_they_have_alone(
        self, of_categories
    ):
        images = [picture(96, 128, seed) for seed in range(3)]

        people = assert_batch_agrees(of_categories[1], images)

        assert set(people['image_indices'].tolist()) == {0, 1, 2}
        assert set(people['labels'].tolist()) == {0, 1}

    def test_labels_and_places_are_in_the_file(self, of_categories):
        _, file = of_categories
        categories = check_onnx(file.read_bytes(), 'm.onnx').categories

        assert categories == [('kite', KITE_ID, 0, 4), ('bar', BAR_ID, 4, 6)]

    def test_the_demo_draws_them(self, of_categories, pictures, tmp_path):
        demo = load_tool('../demo/onnx_demo')
        model = demo.PoseModel(of_categories[1])
        image = cv2.imread(str(pictures[0]))
        people = model(image)

        drawn = demo.draw(image, people, model, 0.0)

        assert set(people['labels'].tolist()) <= {0, 1} and (drawn != image).any()
        other = people['labels'][:, None] != [0, 0, 0, 0, 1, 1]
        assert not people['keypoint_scores'][other].any()


def test_unknown_weights_are_refused_before_the_export(tmp_path):
    with pytest.raises(ValueError, match='int8'):
        export_onnx(None, tmp_path / 'm.onnx', weights='int8')


def test_several_classes():
    model = build(tiny_config(roi_head__bbox_head__num_classes=3)).eval()
    image = torch.from_numpy(picture(96, 128)).permute(2, 0, 1)[None].float()
    people = OnnxKeypointRCNN(model)(image)
    assert len(set(people.labels.tolist())) > 1


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(cascade=True), 'CascadeKeypointRoIHead'),
        (dict(mask=True), 'a mask branch'),
        (dict(test_cfg__amp_dtype='bfloat16'), 'model.test_cfg.amp_dtype'),
        (
            dict(test_cfg__pose_nms=dict(type='oks_nms', thr=0.9)),
            'model.test_cfg.pose_nms',
        ),
        (
            dict(test_cfg__rcnn__nms=dict(type='soft_nms', iou_threshold=0.5)),
            'model.test_cfg.rcnn.nms',
        ),
    ],
)
def test_what_the_graph_does_not_cover_is_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        OnnxKeypointRCNN(build(tiny_config(**changes)))


@pytest.mark.parametrize(
    'resize', [dict(scale=(640, 480)), dict(scale_factor=0.5, keep_ratio=True)]
)
def test_a_resize_that_the_demo_cannot_do_is_refused_at_once(tmp_path, resize):
    model = tiny(tmp_path)
    pipeline = [dict(type='LoadPoseImage'), dict(type='PoseResize', **resize)]
    model.cfg.test_dataloader.dataset.pipeline = pipeline
    with pytest.raises(ValueError, match=r'PoseResize .*keep_ratio=True'):
        export_onnx(model, tmp_path / 'm.onnx')
    assert not (tmp_path / 'm.onnx').exists()


class TestTool:
    TOOL = 'deployment/export_onnx'

    def test_exports_and_checks(self, tmp_path, pictures, capsys):
        model = write_tiny_model(tmp_path)
        out = tmp_path / 'm.onnx'
        run_tool(self.TOOL, *model, out, '--check', pictures[0].parent)
        told = capsys.readouterr().out
        assert f'{len(pictures)} images agree within 0.1 px' in told
        assert re.search(r'PyTorch \d+ ms and the graph \d+ \(medians\)', told)

    def test_float16_is_judged_by_the_share_of_keypoints(
        self, tmp_path, pictures, capsys, monkeypatch
    ):
        model, out = tiny(tmp_path), tmp_path / 'm.onnx'
        export_onnx(model, out)
        tool = load_tool(self.TOOL)

        tool.check(model, out, pictures[:1], 'float16')

        assert '100.0% of the keypoints are within 0.1 px' in capsys.readouterr().out
        [found] = compare_with_onnx(model, out, pictures[:1])
        far = [found._replace(keypoints=9.0, close=0.9)]
        monkeypatch.setattr(export, 'compare', lambda *args: far)
        with pytest.raises(UsageError, match='90.0% of the keypoints.* use float32'):
            tool.check(model, out, pictures[:1], 'float16')

    def test_disagreement_is_an_error(self, tmp_path, pictures):
        out = tmp_path / 'm.onnx'
        export_onnx(tiny(tmp_path), out)
        tool = load_tool(self.TOOL)
        other = tiny(tmp_path, {'test_cfg.rcnn.max_per_img': 1})
        with pytest.raises(UsageError, match=r'graph differs.*\(1, 3\) people'):
            tool.check(other, out, pictures)

    @pytest.mark.parametrize(
        ('words', 'message'),
        [
            (['{config}', '{checkpoint}', 'm.pth'], 'suffix .onnx'),
            (['{config}', '{checkpoint}', '{exists}'], '--force'),
            (['no.py', '{checkpoint}', '{new}'], 'no.py does not exist'),
            (['{config}', 'no.pth', '{new}'], 'no.pth does not exist'),
            (
                ['{config}', '{checkpoint}', '{new}', '--check', 'no'],
                'no folder or file no',
            ),
        ],
    )
    def test_what_cannot_be_used_is_said(self, tmp_path, words, message):
        config, checkpoint = write_tiny_model(tmp_path)
        exists, new = tmp_path / 'there.onnx', tmp_path / 'new.onnx'
        exists.touch()
        names = dict(config=config, checkpoint=checkpoint, exists=exists, new=new)
        with pytest.raises(UsageError, match=message):
            run_tool(self.TOOL, *(word.format(**names) for word in words))
        assert not new.exists()

    def test_an_option_the_graph_lacks_is_said_in_one_line(self, tmp_path):
        model = write_tiny_model(tmp_path)
        option = '--cfg-options', 'model.test_cfg.output_heatmaps=True'
        with pytest.raises(UsageError, match='output_heatmaps'):
            run_tool(self.TOOL, *model, tmp_path / 'm.onnx', *option)


class TestNano:
    """The model that comes with the package, and the demo without PyTorch."""

    @pytest.fixture(scope='class')
    def nano(self):
        return load_model('nano', device='cpu')

    @pytest.fixture(scope='class')
    def onnx_file(self, nano, tmp_path_factory):
        path = tmp_path_factory.mktemp('nano') / 'nano.onnx'
        export_onnx(nano, path)
        return path

    @pytest.fixture(scope='class')
    def photograph(self):
        from matplotlib import cbook

        return cbook.get_sample_data('grace_hopper.jpg', asfileobj=False)

    def test_metadata_say_how_to_use_it(self, onnx_file):
        session = onnxruntime.InferenceSession(
            str(onnx_file), providers=['CPUExecutionProvider']
        )
        meta = session.get_modelmeta().custom_metadata_map
        dataset = json.loads(meta['dataset_meta'])
        assert dataset['keypoint_names'][:2] == ['nose', 'left_eye']
        assert [0, 1] in dataset['skeleton']
        assert set(json.loads(meta['resize'])) == {'longer', 'shorter'}

    @pytest.mark.parametrize('key', ['bboxes', 'keypoints', 'keypoint_scores'])
    def test_results_of_another_form_are_refused(self, onnx_file, monkeypatch, key):
        monkeypatch.syspath_prepend(str(REPOSITORY / 'demo'))
        import onnx_demo

        model = onnx_demo.PoseModel(onnx_file)
        people = dict(
            scores=np.ones(2, np.float32),
            bboxes=np.ones((2, 4), np.float32),
            keypoints=np.ones((2, 17, 2), np.float32),
            keypoint_scores=np.ones((2, 17), np.float32),
        )
        model._check(people)
        for wrong in (people[key][:, 1:], people[key] * np.float32('nan')):
            with pytest.raises(ValueError, match=f'the model gives {key} of shape'):
                model._check({**people, key: wrong})

    def test_demo_runs_without_the_packages_of_the_project(
        self, onnx_file, photograph, tmp_path
    ):
        program = (
            'import runpy, sys\n'
            'for name in ("torch", "mmengine", "mmcv", "mmpose", "onestage_pose"):\n'
            '    sys.modules[name] = None\n'
            'demo = sys.argv[1]; sys.argv = sys.argv[1:]\n'
            'runpy.run_path(demo, run_name="__main__")'
        )
        script = REPOSITORY / 'demo' / 'onnx_demo.py'
        words = script, onnx_file, photograph, '--out-dir', tmp_path

        done = subprocess.run(
            [sys.executable, '-c', program, *map(str, words)],
            capture_output=True,
            text=True,
        )

        assert done.returncode == 0, done.stderr
        assert ': 1 person in ' in done.stdout
        assert (tmp_path / 'grace_hopper.png').is_file()

    @pytest.mark.parametrize(
        ('key', 'value', 'message'),
        [
            ('resize', '{"longer": 1e9, "shorter": 1e9}', "'resize'"),
            ('dataset_meta', '{"keypoint_names": ["a"], "skeleton": []}', 'keypoints'),
        ],
    )
    def test_a_changed_file_is_refused_in_one_line(
        self, onnx_file, photograph, tmp_path, monkeypatch, key, value, message
    ):
        import onnx

        graph = onnx.load(str(onnx_file))
        for entry in graph.metadata_props:
            entry.value = value if entry.key == key else entry.value
        onnx.save(graph, str(tmp_path / 'changed.onnx'))
        monkeypatch.syspath_prepend(str(REPOSITORY / 'demo'))
        import onnx_demo

        words = str(tmp_path / 'changed.onnx'), photograph, '--out-dir', str(tmp_path)
        monkeypatch.setattr('sys.argv', ['onnx_demo.py', *words])
        # pytest's own stream cannot be changed
        monkeypatch.setattr('sys.stdout', io.TextIOWrapper(io.BytesIO()))

        with pytest.raises(SystemExit, match=f'(?s)Error: .*{message}'):
            onnx_demo.main()

        assert not (tmp_path / 'grace_hopper.png').exists()

    def test_the_graph_declares_what_the_contract_says(self, onnx_file):
        session = onnxruntime.InferenceSession(
            str(onnx_file), providers=['CPUExecutionProvider']
        )
        types = dict(float32='tensor(float)', int64='tensor(int64)')
        free = dict(B='batch', H='height', W='width', N='people')

        def declare(specs):
            return {
                name: (types[dtype], [free.get(dim, dim) for dim in dims])
                for name, (dtype, dims) in specs.items()
            }

        for specs, found in (
            (INPUTS, session.get_inputs()),
            (OUTPUTS, session.get_outputs()),
        ):
            assert [each.name for each in found] == list(specs)
            for each in found:
                kind, dims = declare(specs)[each.name]
                assert each.type == kind
                # of the others the graph says no number
                assert len(each.shape) == len(dims)
                given = zip(each.shape, dims)
                assert all(a == b for a, b in given if b in free.values())

    def test_an_image_without_people_may_be_within_a_batch(self, onnx_file, photograph):
        image = cv2.resize(cv2.imread(photograph), (352, 416))

        people = assert_batch_agrees(
            onnx_file, [image, np.zeros_like(image), image[:, ::-1]]
        )

        assert set(people['image_indices'].tolist()) == {0, 2}

    @pytest.fixture(scope='class')
    @staticmethod
    def float16_file(nano, tmp_path_factory):
        path = tmp_path_factory.mktemp('nano') / 'float16.onnx'
        export_onnx(nano, path, weights='float16')
        return path

    def test_float16_halves_the_file_and_agrees(
        self, nano, onnx_file, float16_file, photograph
    ):
        [found] = compare_with_onnx(nano, float16_file, [photograph])

        ratio = float16_file.stat().st_size / onnx_file.stat().st_size
        assert 0.5 < ratio < 0.52
        assert check_onnx(float16_file.read_bytes(), 'm.onnx').keypoint_names
        # a head of float32 would be exact to 0.001 px
        assert 0.001 < found.bboxes < 0.1
        assert found.close > 0.98
        assert found.scores < 0.005

    def test_openvino_gives_the_same_people(self, onnx_file, photograph):
        openvino = pytest.importorskip('openvino', reason='openvino is not installed')
        image = cv2.resize(cv2.imread(photograph), (352, 416))
        images = [image, np.zeros_like(image), image[:, ::-1]]
        model = openvino.Core().compile_model(
            str(onnx_file), 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'}
        )

        results = model([as_batch(images)])

        expected = run_onnx(onnx_file, images)
        found = {name: results[name] for name in expected}
        check_outputs(found, 3, 17)
        for name, values in expected.items():
            np.testing.assert_allclose(
                found[name], values, rtol=1e-4, atol=5e-3, err_msg=name
            )

    def test_agrees_on_a_photograph(self, nano, onnx_file, photograph):
        assert_agrees(nano, onnx_file, [photograph])

    def test_demo_finds_what_mmposes_inference_finds(
        self, nano, onnx_file, photograph, monkeypatch
    ):
        monkeypatch.syspath_prepend(str(REPOSITORY / 'demo'))
        import onnx_demo

        img = cv2.imread(photograph)
        model = onnx_demo.PoseModel(onnx_file)
        found = model(img)
        expected = inference_bottomup(nano, img)[0].pred_instances
        # the pictures are resized by other code, to within a grey level
        np.testing.assert_allclose(
            found['bboxes'][0], expected.bboxes[0], atol=2, err_msg='box'
        )
        far = np.abs(found['keypoints'][0] - expected.keypoints[0]).max(-1)
        assert np.median(far) < 1
        drawn = onnx_demo.draw(img, found, model, 0.3)
        assert drawn.shape == img.shape and (drawn != img).any()

    def test_the_code_of_the_page_finds_the_same_people(
        self, nano, onnx_file, photograph, tmp_path, monkeypatch
    ):
        page = (REPOSITORY / 'docs/how_to/export_onnx.md').read_text()
        [code] = re.findall(r'(?s)## Resize\n.*?```python\n(.*?)```', page)
        (tmp_path / 'nano.onnx').symlink_to(onnx_file)
        Image.open(photograph).save(tmp_path / 'image.png')
        monkeypatch.chdir(tmp_path)
        found = {}

        exec(code.replace('image.jpg', 'image.png'), found)

        expected = inference_bottomup(nano, 'image.png')[0].pred_instances
        for name, values in (
            ('boxes', expected.bboxes),
            ('keypoints', expected.keypoints),
        ):
            np.testing.assert_allclose(found[name], values, atol=0.01, err_msg=name)

    @pytest.mark.slow
    def test_agrees_on_real_pictures_of_many_sizes(self, nano, onnx_file, shared_dir):
        pictures = real_pictures(shared_dir, 40)
        found = list(compare_with_onnx(nano, onnx_file, pictures))
        for each in found:
            assert max(each.bboxes, each.keypoints) < 0.1, each
        assert len({each.size for each in found}) >= 10
        assert sum(each.people[0] for each in found) >= 40


def real_pictures(shared_dir, number):
    return sorted((shared_dir / 'data/coco_pool/images/val').iterdir())[:number]


@pytest.mark.slow
@pytest.mark.parametrize('arch', ['gcm', 'baseline'])
def test_resnet50_agrees_on_real_pictures(arch, shared_dir, tmp_path):
    # with the weights of the golden values: random ones of this depth overflow
    [golden] = (shared_dir / 'parity').glob(f'{arch}_r50_*.npz')
    run = ParityRun(golden)
    model = run.model.eval()
    model.roi_head.test_cfg.update(score_thr=0.0, max_per_img=8)
    model.cfg = Config.fromfile(run.config_path)
    model.cfg.test_dataloader.dataset.pipeline[1].scale = (640, 384)
    model.dataset_meta = parse_pose_metainfo(
        dict(from_file='configs/_base_/datasets/coco.py')
    )
    export_onnx(model, tmp_path / 'm.onnx')
    pictures = real_pictures(shared_dir, 20)
    found = list(compare_with_onnx(model, tmp_path / 'm.onnx', pictures))
    assert [each.people for each in found] == 20 * [(8, 8)]
    assert max(each.bboxes for each in found) < 0.1
    assert max(each.scores for each in found) < 1e-3
    # made-up weights: of two pixels of the same height either may be the maximum
    hops = [each.keypoints for each in found if each.keypoints >= 0.1]
    assert len(hops) <= 1 and max(hops, default=0) < 1.5


class TestDemoOutputs:
    @pytest.fixture
    def demo(self, monkeypatch):
        monkeypatch.syspath_prepend(str(REPOSITORY / 'demo'))
        import onnx_demo

        return onnx_demo

    @pytest.mark.parametrize('option', ['--bbox-thr', '--score-thr'])
    def test_the_lowest_score_has_the_name_of_predict_and_the_old_one(
        self, demo, monkeypatch, option
    ):
        words = ['onnx_demo.py', 'nano.onnx', 'a.jpg', option, '0.7']
        monkeypatch.setattr('sys.argv', words)

        assert demo.parse_args().bbox_thr == 0.7

    def test_people_are_printed_as_numbers(self, demo, capsys):
        people = dict(
            scores=np.float32([0.75]),
            bboxes=np.float32([[1.4, 2, 30.5, 40]]),
            keypoints=np.float32([[[5, 6.25], [7, 8]]]),
            keypoint_scores=np.float32([[0.5, 1]]),
        )

        demo.print_people(people, ('nose', 'left_eye'))

        assert capsys.readouterr().out.splitlines() == [
            '  score 0.75, box [1.4, 2.0, 30.5, 40.0]',
            '    nose 5.0 6.2 0.50',
            '    left_eye 7.0 8.0 1.00',
        ]

    def test_a_drawing_is_named_after_its_picture(self, demo, tmp_path):
        pictures = [tmp_path / 'a.jpg', tmp_path / 'b.jpg']
        assert demo.plan(pictures, tmp_path) == [tmp_path / 'a.png', tmp_path / 'b.png']

    def test_a_picture_is_not_written_over(self, demo, tmp_path):
        (tmp_path / 'a.png').touch()
        with pytest.raises(SystemExit, match=r'a\.png is one of the images'):
            demo.plan([tmp_path / 'a.png'], tmp_path)

    def test_nor_one_drawing_over_another(self, demo, tmp_path):
        with pytest.raises(SystemExit, match=r'a\.png would be drawn of several'):
            demo.plan([tmp_path / 'x/a.jpg', tmp_path / 'y/a.jpg'], tmp_path)

    @pytest.mark.parametrize('name', ['a.png', 'caf\udce9.png', f'{251 * "a"}.png'])
    def test_a_file_of_any_name_is_read_and_written(self, demo, tmp_path, name):
        image = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)

        demo.write(tmp_path / name, image)

        assert os.listdir(tmp_path) == [name]
        np.testing.assert_array_equal(demo.read(tmp_path / name), image)

    @pytest.mark.parametrize('content', [b'', b'no image'])
    def test_what_is_no_image_is_an_error(self, demo, tmp_path, content):
        (tmp_path / 'a.png').write_bytes(content)

        with pytest.raises(ValueError, match='a.png: this image cannot be decoded'):
            demo.read(tmp_path / 'a.png')

    def test_another_format_is_not_decoded_whatever_its_name_is(self, demo, tmp_path):
        image = np.zeros((64, 64, 3), np.uint8)
        jpeg_2000 = cv2.imencode('.jp2', image)[1].tobytes()
        (tmp_path / 'a.jpg').write_bytes(jpeg_2000)

        with pytest.raises(ValueError, match='a.jpg: .*by its first bytes'):
            demo.read(tmp_path / 'a.jpg')

    def test_an_option_limits_the_pixels(self, demo, tmp_path):
        cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((8, 9, 3), np.uint8))

        with pytest.raises(ValueError, match=r'a.png: .* 9 x 8 pixels.*--max-pixels'):
            demo.read(tmp_path / 'a.png', max_pixels=71)

    def test_resize_smooths_as_pillow_does(self, demo):
        image = np.random.default_rng(0).integers(0, 256, (50, 37, 3), np.uint8)

        for size in ((20, 11), (90, 64), (37, 50), (1, 3)):
            expected = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
            found = demo.resize(image, *size)
            np.testing.assert_allclose(found, np.asarray(expected), atol=1)

    def test_an_image_of_any_shape_is_resized_in_little_memory(self, demo):
        # all weights at once would be 2.8 GB
        image = np.zeros((1, 500_000, 3), np.uint8)

        tracemalloc.start()
        resized = demo.resize(image, 1400, 1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert resized.shape == (1, 1400, 3)
        assert peak < 50e6

    def test_a_full_disk_leaves_no_torn_drawing(self, demo, tmp_path):
        image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)

        with pytest.raises(OSError), small_disk(1000):
            demo.write(tmp_path / 'a.png', image)

        assert os.listdir(tmp_path) == []
