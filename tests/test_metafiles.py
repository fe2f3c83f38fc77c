# Copyright (c) onestage_pose contributors.
"""model-index.yml and the metafiles lead `mim` and mmengine to every config."""

import pytest
from mmengine.config.utils import _get_cfg_metainfo
from mmengine.fileio import load

from tests.tool_runs import REPOSITORY

METAFILES = load(REPOSITORY / 'model-index.yml')['Import']
MODELS = [
    (metafile, model)
    for metafile in METAFILES
    for model in load(REPOSITORY / metafile)['Models']
]
CONFIGS = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ('configs/**/*.py', 'projects/*/configs/**/*.py')
    for path in REPOSITORY.glob(pattern)
    if '_base_' not in path.parts
)


def test_every_config_is_listed_once():
    assert sorted(model['Config'] for _, model in MODELS) == CONFIGS


def test_every_family_has_a_metafile():
    families = {'/'.join(config.split('/')[:2]) for config in CONFIGS}
    assert METAFILES == [f'{family}/metafile.yml' for family in sorted(families)]


@pytest.mark.parametrize(('metafile', 'model'), MODELS, ids=lambda v: '')
class TestModel:
    def test_is_named_after_its_config(self, metafile, model):
        assert model['Config'].endswith(f'/{model["Name"]}.py')
        assert model['Config'].startswith(metafile.removesuffix('metafile.yml'))

    def test_belongs_to_a_collection_of_its_file(self, metafile, model):
        collections = load(REPOSITORY / metafile)['Collections']
        assert model['In Collection'] in {each['Name'] for each in collections}

    def test_claims_no_results_or_weights_that_are_not_there(self, metafile, model):
        assert not {'Results', 'Weights'} & model.keys()


@pytest.mark.parametrize('metafile', METAFILES)
def test_documents_of_collections_exist(metafile):
    for collection in load(REPOSITORY / metafile)['Collections']:
        assert (REPOSITORY / metafile).parent.joinpath(collection['README']).is_file()


def test_mmengine_finds_a_config_through_them(tmp_path):
    (tmp_path / '.mim').symlink_to(REPOSITORY)
    path = 'gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_3x_coco.py'
    assert _get_cfg_metainfo(str(tmp_path), path)['Config'] == f'configs/{path}'
