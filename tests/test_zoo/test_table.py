# Copyright (c) onestage_pose contributors.
"""The table of published models."""

import re

from onestage_pose.utils import get_config_path
from onestage_pose.utils.errors import UsageError
from onestage_pose.zoo import get_model_info, list_models
from onestage_pose.zoo.table import MODELS

import measured
import pytest
from torchvision.models.detection import KeypointRCNN_ResNet50_FPN_Weights

DOWNLOADED = [name for name, model in MODELS.items() if model.url]


@pytest.mark.parametrize('name', list_models())
class TestModel:
    def test_has_a_config(self, name):
        assert get_config_path(get_model_info(name).config).is_file()

    def test_comes_with_the_package_or_has_an_address(self, name):
        model = get_model_info(name)

        assert (model.weights is None) != (model.url is None)

    def test_has_a_hash_in_the_name_of_its_file(self, name):
        digest = get_model_info(name).digest

        assert re.fullmatch('md5|sha256', digest.kind)
        assert digest.value[:8] in get_model_info(name).file_name


@pytest.mark.parametrize('name', DOWNLOADED)
def test_a_name_is_that_of_the_config(name):
    assert get_config_path(get_model_info(name).config).stem == name


@pytest.mark.parametrize('name', list_models())
def test_the_figures_are_those_of_the_documentation(name):
    model = get_model_info(name)

    images = model.evaluated_on.replace('COCO ', '')
    row = f'| `{name}` | {model.keypoint_ap} | {model.box_ap} | {images} |'
    assert row in measured.model_table()


def test_the_figures_of_nano_are_those_that_were_measured():
    nano = get_model_info('nano')

    test = measured.read('nano')['test']
    found = [round(100 * test[name], 1) for name in ('coco/AP', 'bbox/AP')]
    assert found == [nano.keypoint_ap, nano.box_ap]


@pytest.mark.parametrize('name', ['COCO_V1', 'COCO_LEGACY'])
def test_the_figures_of_torchvision_are_its_own(name):
    weights = KeypointRCNN_ResNet50_FPN_Weights[name]
    figures = weights.meta['_metrics']['COCO-val2017']

    (model,) = (each for each in MODELS.values() if each.url == weights.url)
    assert (model.keypoint_ap, model.box_ap) == (figures['kp_map'], figures['box_map'])


def test_case_does_not_matter():
    assert get_model_info('Nano') is MODELS['nano']


def test_an_unknown_name_suggests_the_nearest_first():
    message = "no published model .*; the models are 'keypoint-rcnn_r50_fpn_3x"

    with pytest.raises(UsageError, match=message):
        get_model_info('keypoint-rcnn_r50_3x')
