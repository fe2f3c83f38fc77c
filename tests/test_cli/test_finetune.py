# Copyright (c) onestage_pose contributors.
"""``onestage-pose finetune``: from annotations to a model, in one command."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

from onestage_pose import PosePredictor
from onestage_pose.cli import finetune
from onestage_pose.cli.main import main
from onestage_pose.cli.parsers import add_finetune_arguments, parse
from onestage_pose.data_tools.evaluation import evaluate
from onestage_pose.data_tools.fine_tuning.verdict import draw_sheet
from onestage_pose.engine.hooks import PreemptionHook
from onestage_pose.utils.errors import AnnotationError, PreemptedError, UsageError
from onestage_pose.utils.onnx_format import check_onnx
from onestage_pose.zoo import get_model_files

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub, MMLogger

from tests.kites import NAMES, write_kites
from tests.kites_and_bars import BAR_ID, KITE_ID, write_kites_and_bars
from tests.test_data_tools.conftest import write_image
from tests.tool_runs import clear_global_state, run_tool


def run(*words):
    clear_global_state()
    finetune.run(parse(add_finetune_arguments, [str(word) for word in words]))


@pytest.fixture
def untrained(monkeypatch):
    """Everything but training and what follows it."""
    monkeypatch.setattr(finetune, 'train', lambda out: {})
    monkeypatch.setattr(finetune, 'conclude', lambda *args: None)


@pytest.fixture
def data(tmp_path):
    return write_kites(tmp_path / 'data')


def test_it_says_what_it_understood_and_writes_what_trains(
    data, tmp_path, untrained, capsys
):
    run(data, '--out', tmp_path / 'out')

    told = capsys.readouterr().out
    assert re.search(
        '5 images with 5 instances to train on, 1 with 1 to validate', told
    )
    assert 'no instance' not in told
    assert 'Keypoints: 4: tip, left_corner, right_corner, tail.' in told
    assert 'Left and right: left_corner - right_corner; images are mirrored' in told
    assert "0 by COCO's names, 4 are 0.05" in told
    assert 'output channels kept: none; new: tip, left_corner' in told
    cfg = Config.fromfile(tmp_path / 'out/config.py')
    assert cfg.model.roi_head.keypoint_head.num_keypoints == 4
    assert (tmp_path / 'out/start.pth').is_file()
    parts = [
        json.loads((tmp_path / f'out/annotations/{name}.json').read_text())
        for name in ('train', 'val')
    ]
    ids = [{image['id'] for image in part['images']} for part in parts]
    assert ids[0] | ids[1] == set(range(6)) and not ids[0] & ids[1]


def test_a_keypoint_that_is_never_labelled_is_named(data, tmp_path, untrained, capsys):
    file = data / 'annotations.json'
    content = json.loads(file.read_text())
    for each in content['annotations']:
        each['keypoints'][9:] = [0, 0, 0]
    file.write_text(json.dumps(content))

    run(data, '--out', tmp_path / 'out')

    told = capsys.readouterr().out
    assert 'Warning: never labelled in training, so not learned: tail.' in told


def test_images_without_instances_are_counted(data, tmp_path, untrained, capsys):
    path = data / 'annotations.json'
    content = json.loads(path.read_text())
    val = path.with_name('val.json')
    val.write_text(json.dumps(content))
    del content['annotations'][2:]
    path.write_text(json.dumps(content))

    run(path, '--val', val, '--out', tmp_path / 'out')

    assert '4 of the training images have no instance' in capsys.readouterr().out


def test_people_keep_their_channels(tmp_path, untrained, capsys):
    names = ['nose', 'left_shoulder', 'right_shoulder', 'tail']
    data = write_kites(tmp_path / 'data', name='person', keypoints=names)

    run(data, '--out', tmp_path / 'out', '--epochs', 2)

    told = capsys.readouterr().out
    assert 'kept: nose, left_shoulder, right_shoulder; new: tail' in told
    head = Config.fromfile(tmp_path / 'out/config.py').model.roi_head.keypoint_head
    assert head.prior_channels == [0, 5, 6, None]
    assert 'each image 2 times' in told or 'each image 2.4 times' in told


@pytest.mark.parametrize('number', [1, 2, 133])
def test_any_number_of_keypoints_makes_a_model(number, tmp_path, untrained):
    names = [f'p{place}' for place in range(number)]
    data = write_kites(tmp_path / 'data', 2, keypoints=names, skeleton=[])
    out = tmp_path / 'out'

    run(data, '--out', out)

    predictor = PosePredictor(out / 'config.py', out / 'start.pth', bbox_thr=0.0)
    (result,) = predictor(data / 'images/0.png')
    assert result.keypoints.shape == (len(result), number, 2) and len(result)
    truth = dict(
        boxes=result.boxes[:1],
        keypoints=result.keypoints[:1],
        labelled=np.ones((1, number), bool),
    )
    assert draw_sheet([result], [truth]).shape[2] == 3


def test_nothing_of_the_users_is_written_over(data, tmp_path, untrained):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/thesis.tex').touch()

    with pytest.raises(UsageError, match='not empty'):
        run(data, '--out', tmp_path / 'out')

    assert [each.name for each in (tmp_path / 'out').iterdir()] == ['thesis.tex']


def test_the_same_command_goes_on_and_another_is_refused(
    data, tmp_path, untrained, capsys
):
    run(data, '--out', tmp_path / 'out')
    config = tmp_path / 'out/config.py'
    config.write_text(config.read_text() + '# edited\n')

    run(data, '--out', tmp_path / 'out')

    assert 'resuming the interrupted run' in capsys.readouterr().out
    assert config.read_text().endswith('# edited\n')
    with pytest.raises(UsageError, match='holds another run, of seed=0 and not 1'):
        run(data, '--out', tmp_path / 'out', '--seed', 1)


def test_what_a_tool_exported_is_converted_once(tmp_path, untrained, capsys):
    root, out = tmp_path / 'yolo', tmp_path / 'out'
    for split in ('train', 'val'):
        write_image(root / f'images/{split}/{split}.jpg')
        (root / f'labels/{split}').mkdir(parents=True)
        label = '0 0.5 0.5 0.4 0.4 0.5 0.5 2 0.4 0.4 1'
        (root / f'labels/{split}/{split}.txt').write_text(label)
    (root / 'data.yaml').write_text(
        'train: images/train\nval: images/val\nkpt_shape: [2, 3]\nflip_idx: [1, 0]\n'
        'kpt_names: {0: [a, b]}\nnames: [cat]\n'
    )

    run(root, '--out', out)

    told = capsys.readouterr().out
    assert f'Converted: {root} (yolo_pose)' in told
    assert '1 images with 1 instances to train on, 1 with 1 to validate on' in told
    assert 'Left and right: a - b; images are mirrored' in told
    cfg = Config.fromfile(out / 'config.py')
    assert Path(cfg.val_dataloader.dataset.ann_file) == out / 'data/val.json'
    run(root, '--out', out)
    told = capsys.readouterr().out
    assert 'resuming the interrupted run' in told and 'Converted' not in told


def test_a_run_inside_of_what_is_converted_is_refused(tmp_path, untrained):
    (tmp_path / 'a.json').write_text('{"shapes": [], "imagePath": "a.png"}')

    with pytest.raises(UsageError, match='is converted: give a folder elsewhere'):
        run(tmp_path, '--out', tmp_path / 'out')


def test_missing_images_are_counted_before_anything_is_built(data, tmp_path):
    (data / 'images/3.png').unlink()

    with pytest.raises(
        UsageError, match=r'1 of \d images .* do not exist, first .*3.png'
    ):
        run(data, '--out', tmp_path / 'out')

    assert not (tmp_path / 'out/config.py').exists()


def test_validation_without_labels_is_refused(data, tmp_path):
    other = write_kites(tmp_path / 'other', 2)
    file = other / 'annotations.json'
    content = json.loads(file.read_text())
    for each in content['annotations']:
        each['keypoints'] = [0] * 12
    file.write_text(json.dumps(content))

    with pytest.raises(AnnotationError, match='no keypoint is labelled'):
        run(data, '--val', other, '--out', tmp_path / 'out')


def test_validation_data_of_another_order_are_refused(data, tmp_path):
    other = write_kites(tmp_path / 'other', 2, keypoints=NAMES[::-1])

    with pytest.raises(AnnotationError, match='another order.*tail, right_.*tip, left'):
        run(data, '--val', other, '--out', tmp_path / 'out')


@pytest.mark.slow
def test_the_whole_walk(tmp_path, capsys):
    """Thirty images of four keypoints, two commands, and no file of the user's."""
    data, out = write_kites(tmp_path / 'data', 30), tmp_path / 'out'

    run(data, '--out', out, '--epochs', 12)
    told = capsys.readouterr().out

    assert float(re.search(r'median error ([\d.]+) px', told).group(1)) < 3
    predictor = PosePredictor(out / 'config.py', out / 'model.pth')
    assert predictor.names == tuple(NAMES)
    truth = json.loads((out / 'annotations/val.json').read_text())
    folder = data / 'images'
    for image, ann in zip(truth['images'], truth['annotations']):
        (result,) = predictor(folder / image['file_name'])
        points = np.array(ann['keypoints']).reshape(-1, 3)[:, :2]
        assert np.median(np.linalg.norm(result.keypoints[0] - points, axis=1)) < 5
    assert (out / 'model.onnx').is_file() and (out / 'validation.jpg').is_file()

    # the second command: predictions, by the words that the first one printed
    assert f'onestage-pose predict IMAGES {out}/config.py {out}/model.pth' in told
    # the config is an ordinary one
    run_tool(
        'train', out / 'config.py', '--work-dir', tmp_path / 'again',
        '--cfg-options', 'train_cfg.max_iters=2', 'param_scheduler=[]',
    )  # fmt: skip
    assert (tmp_path / 'again/last_checkpoint').is_file()


@pytest.mark.slow
def test_a_killed_run_goes_on_and_a_finished_one_says_so(
    data, tmp_path, monkeypatch, capsys
):
    out, words = tmp_path / 'out', ('--epochs', 1, '--batch-size', 2)
    with monkeypatch.context() as patched:
        patched.setattr(finetune, 'conclude', lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(data, '--out', out, *words)

    run(data, '--out', out, *words)
    told = capsys.readouterr().out
    assert 'resuming the interrupted run' in told and 'Validation: keypoint AP' in told

    run(data, '--out', out, *words)
    assert 'this run is finished' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('num_images', 'name'), [(9, 'iter_20.pth'), (10, 'best_coco_AP_iter_8.pth')]
)
def test_few_validation_images_choose_no_checkpoint(tmp_path, num_images, name):
    for each in ('iter_20.pth', 'best_coco_AP_iter_8.pth'):
        (tmp_path / each).touch()
    (tmp_path / 'last_checkpoint').write_text('/moved/iter_20.pth')

    chosen, _ = finetune._choose_checkpoint(tmp_path, [0.1, 0.5, 0.2], num_images)

    assert chosen.name == name


def test_the_last_words_of_a_stopped_run_are_of_this_command(tmp_path, monkeypatch):
    hook = PreemptionHook()
    runner = SimpleNamespace(
        hooks=[hook],
        logger=MMLogger.get_instance('finetune'),
        register_hook=lambda hook: None,
        train=lambda: None,
        message_hub=MessageHub.get_instance('finetune'),
    )
    monkeypatch.setattr(finetune, 'build_training', lambda args: runner)
    (tmp_path / 'training').mkdir()

    finetune.train(tmp_path)

    with pytest.raises(PreemptedError, match='is saved; the same command continues'):
        hook._end(7)


@pytest.mark.parametrize(('epochs', 'warned'), [(1, True), (50, False)])
def test_a_training_that_is_too_short_is_named(
    data, tmp_path, untrained, capsys, epochs, warned
):
    run(data, '--out', tmp_path / 'out', '--epochs', epochs)

    told = capsys.readouterr().out
    assert ('hardly teach new keypoints' in told) == warned
    assert re.search(r'iterations \(\d+ by default\) of', told)


@pytest.mark.slow
def test_minutes_choose_the_iterations(data, tmp_path, monkeypatch, untrained, capsys):
    monkeypatch.setattr(finetune, 'measure_seconds', lambda config: 0.5)

    run(data, '--out', tmp_path / 'out', '--minutes', 2)

    assert 'Schedule: 240 iterations' in capsys.readouterr().out
    assert not (tmp_path / 'out/timing.py').exists()


@pytest.mark.slow
def test_people_of_five_keypoints(shared_dir, tmp_path, capsys):
    """COCO's people reduced to five keypoints start from what nano knows of them."""
    wanted = ['nose', 'left_shoulder', 'right_shoulder', 'left_hip', 'right_hip']
    pool = shared_dir / 'data/coco_pool'
    content = json.loads((pool / 'annotations/person_keypoints_val.json').read_text())
    names = content['categories'][0]['keypoints']
    places = [names.index(name) for name in wanted]
    images = content['images'][:12]
    ids = {image['id'] for image in images}
    people = [each for each in content['annotations'] if each['image_id'] in ids]
    for person in people:
        points = np.array(person['keypoints']).reshape(-1, 3)[places]
        person['keypoints'] = points.ravel().tolist()
        person['num_keypoints'] = int((points[:, 2] > 0).sum())
    category = dict(content['categories'][0], keypoints=wanted, skeleton=[])
    file = tmp_path / 'people.json'
    file.write_text(
        json.dumps(dict(images=images, annotations=people, categories=[category]))
    )

    run(file, '--images', pool / 'images/val', '--out', tmp_path / 'out', '--epochs', 2)

    told = capsys.readouterr().out
    assert 'kept: nose, left_shoulder, right_shoulder, left_hip, right_hip' in told
    assert float(re.search(r'keypoint AP ([\d.]+), ', told).group(1)) > 0.1


class TestCategories:
    @pytest.fixture
    def data(self, tmp_path):
        return write_kites_and_bars(tmp_path / 'data', 6)

    def test_all_are_trained_each_with_its_keypoints(
        self, data, tmp_path, untrained, capsys
    ):
        run(data, '--out', tmp_path / 'out')

        told = capsys.readouterr().out
        assert "Category 'bar':\nKeypoints: 2: left_end, right_end." in told
        assert "Category 'kite':\nKeypoints: 4: tip, left_corner" in told
        cfg = Config.fromfile(tmp_path / 'out/config.py')
        [bar, kite] = cfg.val_dataloader.dataset.metainfo.categories
        assert [(each.name, each.id) for each in (bar, kite)] == [
            ('bar', BAR_ID),
            ('kite', KITE_ID),
        ]
        model = cfg.model.roi_head
        assert (model.bbox_head.num_classes, model.keypoint_head.num_keypoints) == (
            2,
            6,
        )

    def test_the_box_branch_starts_from_that_of_one_category(
        self, data, tmp_path, untrained
    ):
        run(data, '--out', tmp_path / 'out')

        start = load_weights(tmp_path / 'out/start.pth')
        one = load_weights(get_model_files('nano').weights)
        head = 'roi_head.bbox_head.fc_'
        torch.testing.assert_close(
            start[f'{head}reg.bias'], one[f'{head}reg.bias'].repeat(2)
        )
        # both together are as likely as people were
        both, person = start[f'{head}cls.bias'].exp(), one[f'{head}cls.bias'].exp()
        torch.testing.assert_close(both[:2].sum(), person[0])
        torch.testing.assert_close(both[2], person[1])

    def test_one_can_be_chosen(self, data, tmp_path, untrained, capsys):
        run(data, '--out', tmp_path / 'out', '--category', 'kite')

        assert 'Category' not in capsys.readouterr().out
        cfg = Config.fromfile(tmp_path / 'out/config.py')
        assert cfg.model.roi_head.keypoint_head.num_keypoints == 4

    def test_names_for_all_of_them_are_refused(self, data, tmp_path, untrained):
        with pytest.raises(UsageError, match='choose one with --category'):
            run(data, '--out', tmp_path / 'out', '--keypoints', 'a,b')

    @pytest.mark.slow
    def test_from_the_file_to_a_model_and_a_report_of_each(
        self, data, tmp_path, capsys, monkeypatch
    ):
        out, found = tmp_path / 'out', tmp_path / 'found.json'
        monkeypatch.setattr(finetune, 'train', train_in_this_process)
        run(data, '--out', out, '--epochs', 1, '--batch-size', 5)
        told = capsys.readouterr().out
        main(
            [
                'evaluate',
                f'{data}/annotations.json',
                f'{out}/config.py',
                f'{out}/model.pth',
                f'--html={tmp_path}/page.html',
                f'--json={tmp_path}/numbers.json',
                f'--markdown={tmp_path}/all.md',
                f'--save-results={found}',
            ]
        )
        by_file = evaluate(data / 'annotations.json', results=found)

        # trained and evaluated
        assert re.search(r'\| kite/tip +\|', told)
        # drawn and exported
        assert (out / 'validation.jpg').is_file()
        graph = check_onnx((out / 'model.onnx').read_bytes(), 'model.onnx')
        assert [each.name for each in graph.categories] == ['bar', 'kite']
        # what is written is what was found
        for name in ('bar', 'kite'):
            assert (tmp_path / f'page_{name}.html').is_file()
            by_model = json.loads((tmp_path / f'numbers_{name}.json').read_text())
            for key in ('average_precision', 'keypoint_errors', 'people'):
                assert by_model[key] == by_file[name].values[key]
        table = (tmp_path / 'all.md').read_text()
        assert re.findall('## (.*)', table) == ['bar', 'kite']


def train_in_this_process(out, train=finetune.train):
    """Train without workers, which take longer to start than a few steps do."""
    config = out / 'config.py'
    text = re.sub(r'num_workers=\d', 'num_workers=0', config.read_text())
    config.write_text(
        text.replace('persistent_workers=True', 'persistent_workers=False')
    )
    return train(out)


def load_weights(path):
    saved = torch.load(path, weights_only=False, map_location='cpu')
    weights = saved.get('state_dict', saved)
    return {name: each.float() for name, each in weights.items()}
