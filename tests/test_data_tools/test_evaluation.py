# Copyright (c) onestage_pose contributors.
"""A model or a file of results, compared with annotations, by one command."""

import json
from pathlib import Path

from onestage_pose.apis import PosePredictor
from onestage_pose.cli.main import main
from onestage_pose.data_tools.evaluation import (
    evaluate,
    find_images,
    read_metric_options,
)
from onestage_pose.utils.errors import AnnotationError, UsageError

import cv2
import pytest

from tests.kites_and_bars import KITE_ID, METAINFO, write_kites_and_bars
from tests.test_apis.tiny_model import (
    picture,
    write_tiny_model,
    write_tiny_of_categories,
)
from tests.test_evaluation.people import NAMES, SIGMAS, Scene

_METAINFO = """
dataset_info = dict(
    dataset_name='toy',
    keypoint_info={{{entries}}},
    skeleton_info={{}},
    joint_weights=[1.0] * 5,
    sigmas={sigmas},
)
"""
_SWAPS = dict(zip(NAMES, ('', 'right_hand', 'left_hand', 'right_foot', 'left_foot')))


@pytest.fixture
def toy(tmp_path):
    """A folder of a data set of five keypoints, and results for it."""
    scene = Scene(2, 1)
    scene.move(0, 1, scene.place(0, 2))
    scene.move(0, 2, scene.place(0, 1))
    write(tmp_path, scene)
    (tmp_path / 'results.json').write_text(json.dumps(scene.found))
    entries = ', '.join(
        f'{number}: dict(name={name!r}, id={number}, swap={_SWAPS[name]!r})'
        for number, name in enumerate(NAMES)
    )
    text = _METAINFO.format(entries=entries, sigmas=SIGMAS.tolist())
    (tmp_path / 'toy.py').write_text(text)
    return tmp_path


def write(folder, scene, size=(200, 640)):
    (folder / 'annotations').mkdir()
    (folder / 'images/val').mkdir(parents=True)
    path = folder / 'annotations/people_val.json'
    path.write_text(json.dumps(scene.content))
    for image in scene.content['images']:
        image_file = str(folder / 'images/val' / image['file_name'])
        cv2.imwrite(image_file, picture(*size))
    return path


def test_results_give_numbers_and_a_page(toy, capsys):
    main(
        [
            'evaluate',
            f'{toy}/annotations/people_val.json',
            f'--results={toy}/results.json',
            f'--metainfo={toy}/toy.py',
            f'--html={toy}/page.html',
            f'--json={toy}/numbers.json',
        ]
    )

    values = json.loads((toy / 'numbers.json').read_text())
    assert values['keypoint_errors']['inversion'] == 2
    assert values['without']['inversion']['AP'] == pytest.approx(1)
    assert values['source']['results'] == 'results.json'
    # the pictures are found beside the annotations
    assert (toy / 'page.html').read_text().count('data:image/jpeg') == 2
    assert 'results: results.json' in (toy / 'page.html').read_text()
    assert 'page.html' in capsys.readouterr().out


def test_results_need_no_images(toy):
    for path in (toy / 'images/val').iterdir():
        path.unlink()
    ann_file = toy / 'annotations/people_val.json'

    found = evaluate(
        ann_file, results=toy / 'results.json', metainfo=str(toy / 'toy.py')
    )

    assert found.values['people']['true'] == 3


def test_results_without_anybody_are_named_in_the_warning(toy, log):
    (toy / 'results.json').write_text('[]')

    found = evaluate(toy / 'annotations/people_val.json', results=toy / 'results.json')

    assert found.values['average_precision']['AP'] == 0
    assert 'results.json has nobody in 2 images' in log.getvalue()


def test_keypoints_of_the_only_category_are_taken(toy):
    ann_file = toy / 'annotations/people_val.json'

    found = evaluate(ann_file, results=toy / 'results.json')

    *keypoints, _ = found.values['per_keypoint']
    assert [row['name'] for row in keypoints] == list(NAMES)
    # left and right are paired, by name
    assert found.values['keypoint_errors']['inversion'] == 2


def test_other_keypoints_than_cocos_without_names_name_the_option(toy):
    path = toy / 'annotations/people_val.json'
    content = json.loads(path.read_text())
    del content['categories'][0]['keypoints']
    path.write_text(json.dumps(content))

    with pytest.raises(AnnotationError, match='--metainfo FILE'):
        evaluate(toy / 'annotations/people_val.json', results=toy / 'results.json')


def test_model_and_its_written_results_give_the_same(tmp_path, capsys):
    scene = Scene(1, 1)
    for ann in scene.truth:
        ann['keypoints'] = (ann['keypoints'] * 4)[:51]
    names = scene.content['categories'][0].pop('keypoints')
    assert names
    path = write(tmp_path, _Without17Names(scene), size=(200, 640))
    model = write_tiny_model(tmp_path)
    common = [f'--html={tmp_path}/page.html', f'--json={tmp_path}/numbers.json']
    written = f'{tmp_path}/found.json'

    main(['evaluate', str(path), *model, *common, f'--save-results={written}'])
    by_model = json.loads((tmp_path / 'numbers.json').read_text())
    main(['evaluate', str(path), *common, f'--results={written}'])
    by_file = json.loads((tmp_path / 'numbers.json').read_text())

    assert by_model['people']['found'] == 6
    assert by_model['source']['checkpoint'] == 'tiny.pth'
    for key in ('people', 'per_keypoint', 'recall', 'average_precision'):
        assert by_model[key] == by_file[key]


def test_a_model_is_evaluated_on_the_first_images(tmp_path):
    scene = Scene(1, 1)
    for ann in scene.truth:
        ann['keypoints'] = (ann['keypoints'] * 4)[:51]
    path = write(tmp_path, _Without17Names(scene), size=(200, 640))
    model = PosePredictor(*write_tiny_model(tmp_path), bbox_thr=0.0)

    found = evaluate(path, model, num_images=1)

    assert found.values['source']['images'] == 1
    assert found.values['people']['true'] == 1


def test_an_image_of_another_size_than_annotated_is_named(tmp_path):
    scene = Scene(1)
    for ann in scene.truth:
        ann['keypoints'] = (ann['keypoints'] * 4)[:51]
    path = write(tmp_path, _Without17Names(scene), size=(50, 70))
    model = PosePredictor(*write_tiny_model(tmp_path), bbox_thr=0.0)

    with pytest.raises(AnnotationError, match='1.png: .* 70x50 .* says 640x200'):
        evaluate(path, model)


def test_a_file_without_images_is_refused(tmp_path):
    path = write(tmp_path, Scene(1))
    path.write_text(json.dumps(dict(json.loads(path.read_text()), images=[])))

    with pytest.raises(AnnotationError, match='images is empty'):
        evaluate(path, results=tmp_path / 'results.json')


class _Without17Names:
    """A scene whose file names no keypoints."""

    def __init__(self, scene):
        self.content = dict(scene.content, categories=[dict(id=1, name='person')])


def test_a_model_needs_the_images(tmp_path):
    path = write(tmp_path, Scene(1))
    (tmp_path / 'images/val/1.png').unlink()

    with pytest.raises(UsageError, match='give their folder by --images DIR'):
        find_images(path, None, is_needed=True)


@pytest.mark.parametrize(
    'folder', ['annotations', '.', 'images', 'val2017', 'images/val2017']
)
def test_images_are_found_beside_their_annotations(tmp_path, folder):
    annotations = tmp_path / 'annotations'
    annotations.mkdir()
    ann_file = annotations / 'person_keypoints_val2017.json'
    ann_file.write_text(json.dumps(Scene(1).content))
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / folder / '1.png').touch()

    found = find_images(ann_file, None, is_needed=True)

    assert found.resolve() == (tmp_path / folder).resolve()


def test_ap_is_measured_as_the_config_says():
    config = dict(
        test_evaluator=[
            dict(type='PersonBoxMetric'),
            dict(type='CocoMetric', score_mode='bbox_rle', ann_file=Path('a.json')),
        ]
    )

    assert read_metric_options(config) == dict(score_mode='bbox_rle')


def test_without_a_metric_scores_are_taken_as_they_are():
    assert read_metric_options({}) == dict(score_mode='bbox', nms_mode='none')


def test_another_order_of_categories_than_the_models_is_refused(tmp_path):
    data = write_kites_and_bars(tmp_path / 'data', 1)
    predictor = PosePredictor(*write_tiny_of_categories(tmp_path), bbox_thr=0.0)
    path = tmp_path / 'other.py'
    other = dict(METAINFO, categories=METAINFO['categories'][::-1])
    path.write_text(f'dataset_info = {other!r}')

    with pytest.raises(UsageError, match=r'kite \(4\), bar \(2\).* bar \(2\), kite'):
        evaluate(data / 'annotations.json', predictor, metainfo=str(path))


def test_results_are_read_by_the_keypoints_of_their_category(tmp_path):
    data = write_kites_and_bars(tmp_path / 'data', 2)
    ann_file = data / 'annotations.json'
    truth = json.loads(ann_file.read_text())['annotations']
    results = [dict(each, score=0.9) for each in truth]
    path = tmp_path / 'results.json'
    path.write_text(json.dumps(results))

    found = evaluate(ann_file, results=path)

    assert {
        name: each.values['average_precision']['AP'] for name, each in found.items()
    } == dict(kite=1.0, bar=1.0)


def test_results_of_the_other_categorys_keypoints_are_refused(tmp_path):
    ann_file = write_kites_and_bars(tmp_path / 'data', 2) / 'annotations.json'
    results = json.loads(ann_file.read_text())['annotations']
    for each in results:
        each.update(score=0.9, category_id=KITE_ID)
    path = tmp_path / 'results.json'
    path.write_text(json.dumps(results))

    with pytest.raises(AnnotationError, match='6 numbers .* where 12 are expected'):
        evaluate(ann_file, results=path)
