# Copyright (c) onestage_pose contributors.
"""The package as its users meet it, each time in a fresh process."""

import subprocess
import sys

import onestage_pose

import pytest

HEAVY = ('matplotlib', 'mmcv', 'mmengine', 'mmpose', 'numpy', 'pycocotools', 'torch')
PREDICT = """
import numpy as np
import onestage_pose
from mmpose.apis import inference_bottomup
model = onestage_pose.load_model('nano', device='cpu')
image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
print(len(inference_bottomup(model, image)), 'image')
"""
INFERENCER = """
import numpy as np
import onestage_pose
from mmpose.apis import MMPoseInferencer
inferencer = MMPoseInferencer(pose2d='nano', device='cpu')
image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
print(len(next(inferencer(image, return_vis=True))['predictions']), 'image')
"""


def run_python(program, *options):
    """Run a program in a fresh process; return what it printed on both streams."""
    done = subprocess.run(
        [sys.executable, *options, '-c', program],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def last_line(bare_program_server, tmp_path):
    """The last line that a program prints in a process that knows torch alone."""

    def run(program):
        log = tmp_path / 'program.log'
        status, printed = bare_program_server.run('-c', program, log=log)
        assert status == 0, printed
        return printed.splitlines()[-1]

    return run


@pytest.fixture(scope='module')
def printed_by_predict():
    return run_python(PREDICT)


def test_import_is_light():
    program = (
        'import sys, onestage_pose; onestage_pose.list_models();'
        f'print(*(name for name in {HEAVY} if name in sys.modules))'
    )

    assert run_python(program) == '\n'


def test_version_is_at_the_top():
    assert onestage_pose.__version__.count('.') == 2


@pytest.mark.parametrize('name', ['load_model', 'list_models'])
def test_what_users_want_is_at_the_top(name):
    assert callable(getattr(onestage_pose, name))
    assert name in dir(onestage_pose)


@pytest.mark.parametrize('name', ['apis', 'models', 'ops', 'utils'])
def test_rooms_need_no_import_of_their_own(name):
    assert getattr(onestage_pose, name).__name__ == f'onestage_pose.{name}'


def test_unknown_name_is_an_error():
    with pytest.raises(AttributeError, match="no attribute 'load_modle'"):
        onestage_pose.load_modle  # noqa: B018


@pytest.mark.parametrize('way', ['predict', 'inferencer'])
def test_prediction_prints_no_warning(way, printed_by_predict):
    printed = printed_by_predict if way == 'predict' else run_python(INFERENCER)

    assert printed.splitlines()[-1] == '1 image'
    for word in ('warn', 'deprecated', 'pkg_resources', 'scope', 'does not exist'):
        assert word not in printed.lower(), printed


def test_prediction_says_what_serves(printed_by_predict):
    assert printed_by_predict.count('OpenMMLab: ') == 1
    assert printed_by_predict.count('nms and RoIAlign by') == 1


REGISTRIES = """
{first}
{second}
import mmengine.registry, mmdet.registry, mmpose.registry
print(
    mmdet.registry.MODELS.get('KeypointRCNN').__name__,
    mmpose.registry.MODELS.get('mmdet.KeypointRCNN').__name__,
    mmpose.registry.DATASETS.get('PersonKeypointsDataset').__name__,
    mmpose.registry.TRANSFORMS.get('PackKeypointRCNNInputs').__name__,
    mmpose.registry.METRICS.get('KeypointCocoMetric').__name__,
    mmpose.registry.KEYPOINT_CODECS.get('RoIHeatmap').__name__,
    mmpose.registry.HOOKS.get('ExactResumeHook').__name__,
    mmpose.registry.OPTIM_WRAPPERS.get('Bfloat16OptimWrapper').__name__,
    mmdet.registry.OPTIM_WRAPPERS.get('Bfloat16OptimWrapper').__name__,
    mmengine.registry.OPTIM_WRAPPERS.get('Bfloat16OptimWrapper').__name__,
    onestage_pose.ops.backend(),
)
"""
OURS = 'import onestage_pose'
ASKED = """
import mmdet.registry, mmpose.registry
for registry, name in ((mmdet.registry.MODELS, 'MaskRCNN'),
                       (mmpose.registry.METRICS, 'CocoMetric')):
    try:
        registry.get(name)
    except ImportError:
        pass  # without this package: mmcv's operators, or xtcocotools, are missing
"""
CUSTOM = """
import sys
from mmengine.config import Config
Config.fromstring("custom_imports = dict(imports=['onestage_pose'])", '.py')
onestage_pose = sys.modules['onestage_pose']
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    'first, second',
    [
        (OURS, ''),
        (OURS, 'import mmpose.apis'),
        ('import mmpose.registry, mmdet.registry', OURS),
        ('import mmdet, mmpose, mmcv', OURS),
        (ASKED, OURS),
        (CUSTOM, ''),
        ('import mmengine.runner, mmpose.registry', CUSTOM),
    ],
    ids=[
        'alone',
        'before mmpose',
        'after the registries',
        'after mmdet and mmpose',
        'after a registry was asked',
        'custom_imports',
        'custom_imports after the registries',
    ],
)
def test_registries_know_the_project_whatever_comes_first(first, second, last_line):
    printed = last_line(REGISTRIES.format(first=first, second=second))

    names = printed.split()
    assert names[:2] == ['KeypointRCNN', 'KeypointRCNN']
    assert len(names) == 11


@pytest.mark.slow
@pytest.mark.parametrize(
    'program',
    [
        'from mmpose.apis import init_model\n'
        'f = onestage_pose.apis.get_model_files()\n'
        'model = init_model(str(f.config), str(f.weights), device="cpu")',
        'from mmengine.config import Config\n'
        'from mmengine.registry import init_default_scope\n'
        'from mmpose.registry import MODELS\n'
        'init_default_scope("mmpose")\n'
        'cfg = Config.fromfile(onestage_pose.apis.get_model_files().config)\n'
        'model = MODELS.build(cfg.model)',
        'from mmengine.config import Config\n'
        'from mmengine.runner import Runner\n'
        'import tempfile\n'
        'cfg = Config.fromfile(onestage_pose.apis.get_model_files().config)\n'
        'cfg.work_dir = tempfile.mkdtemp()\n'
        'model = Runner.from_cfg(cfg).model',
    ],
    ids=['init_model', 'MODELS.build', 'Runner.from_cfg'],
)
def test_model_is_built(program, last_line):
    program = f'import onestage_pose\n{program}\nprint(type(model).__name__)'

    assert last_line(program) == 'KeypointRCNN'


@pytest.mark.slow
@pytest.mark.parametrize(
    'room',
    ['apis', 'checkpoints.loading', 'cli', 'codecs', 'datasets', 'deployment',
     'engine', 'evaluation', 'models', 'ops', 'utils', 'zoo.loading'],
)  # fmt: skip
def test_any_room_may_come_first(room, last_line):
    assert last_line(f'import onestage_pose.{room}; print("ok")') == 'ok'


@pytest.mark.slow
def test_backend_that_writes_whole_files_is_there(last_line):
    program = (
        'import onestage_pose; from mmengine.fileio import get_file_backend;'
        'print(get_file_backend(backend_args=dict(backend="atomic")).name)'
    )

    assert last_line(program) == 'AtomicBackend'
