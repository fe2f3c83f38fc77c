# Copyright (c) onestage_pose contributors.
"""A checkpoint of the original programs gives the originals' answers.

Every ``ARCH_BACKBONE_IMAGE.npz`` in the folder that ``--parity-dir`` gives is checked,
and the worst value of each bound printed at the end. docs/explanation/parity.md has
the table.
"""

from __future__ import annotations

import math

from onestage_pose.models.utils.precision import tensor_float32

import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch.nn.attention import SDPBackend, sdpa_kernel
from torchvision.ops import box_iou

from tests.parity_run import ParityRun

pytestmark = pytest.mark.slow

ARRAYS = (
    *('p2', 'p3', 'p4', 'p5', 'p6'),
    *('rpn_logits_p3', 'rpn_deltas_p4'),
    *('roi_cls', 'roi_deltas'),
    *('kpt_roi_feats', 'kpt_logits'),
)
# Under this fraction of the largest gradient in its layer a gradient is rounding: a
# constant added to all logits of a heatmap does not change its softmax, so that of
# the last bias is 0.
NO_GRADIENT = 1e-6
# The golden files' convolutions are reproduced bit for bit with this many, on a CPU
# with AVX-512.
THREADS = 2
# by what the test's name ends with
DEVICES = dict(cpu='')
if torch.cuda.is_available():
    DEVICES['cuda'] = '-cuda'


def pytest_generate_tests(metafunc):
    folder = metafunc.config.getoption('--parity-dir')
    if folder is None:
        skip = pytest.mark.skip(reason='needs golden values: give --parity-dir DIR')
        files = [pytest.param(None, marks=skip, id='no-parity-dir')]
    else:
        files = [
            pytest.param((path, device), id=f'{path.stem}{suffix}')
            for device, suffix in DEVICES.items()
            for path in sorted(folder.glob('*.npz'))
        ]
    metafunc.parametrize('run', files, indirect=True, scope='module')


@pytest.fixture(scope='module')
def run(request):
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    path, device = request.param
    with tensor_float32(False, device):
        yield ParityRun(path, device)
    torch.set_num_threads(before)


@pytest.fixture
def judge(run, record_property):
    """Asserts a bound, and keeps the value for the report at the end."""

    def judge(what, worst, bound):
        file = run.path.stem + DEVICES[run.device.type]
        record_property('parity', (file, what, worst, bound))
        assert worst <= bound, f'{what}: {worst:.3g} is over {bound:.3g}'

    return judge


def greatest(difference):
    """The largest absolute value, 0 of none; infinite where one is not finite."""
    worst = difference.abs().max().item() if difference.numel() else 0.0
    return worst if math.isfinite(worst) else math.inf


def worst_but(values, share):
    """The largest value when ``share`` of them, the worst, are left aside."""
    values = values.flatten().sort(descending=True).values
    return greatest(values[int(share * len(values)) :])


def test_config_is_the_one_of_the_files_name(run):
    family, backbone = run.config_path.stem.split('_')[:2]
    assert family.startswith('gcm-') == (run.arch == 'gcm')
    assert backbone.split('-')[0] == run.backbone


def test_batch_is_padded_alike(run):
    assert tuple(run.inputs.shape) == tuple(run.golden['padded_shape'].tolist())


@pytest.mark.parametrize('name', ARRAYS)
def test_array(run, judge, name):
    ours, golden = run.arrays[name], run.golden[name]
    assert ours.shape == golden.shape
    worst = greatest(ours - golden) / golden.std().item()
    judge(f'{name}: max / std', worst, 1e-3)


class TestDecoding:
    def test_keypoints(self, run, judge):
        keypoints, _ = run.decoded
        distance = (keypoints - run.golden['kpt_pred'][..., :2]).norm(dim=-1)
        judge('decoded keypoints, 99.9%: px', worst_but(distance, 0.001), 0.02)

    def test_scores(self, run, judge):
        _, scores = run.decoded
        worst = greatest(scores - run.golden['kpt_pred'][..., 2])
        judge('decoded keypoints: score', worst, 1e-3)


class TestDetection:
    @pytest.fixture
    def people(self, run):
        """Golden people and ours, matched one to one by their boxes."""
        overlap = box_iou(run.detections.boxes, run.golden['det_boxes']).numpy()
        ours, golden = linear_sum_assignment(overlap, maximize=True)
        same = overlap[ours, golden] > 0.9
        return torch.from_numpy(ours[same]), torch.from_numpy(golden[same])

    def test_same_people(self, run, judge, people):
        most = max(len(run.detections.boxes), len(run.golden['det_boxes']))
        judge('detection: share of other people', 1 - len(people[0]) / most, 0.02)

    def test_boxes(self, run, judge, people):
        ours, golden = run.detections.boxes[people[0]], run.golden['det_boxes']
        judge('detection: box, px', greatest(ours - golden[people[1]]), 0.05)

    def test_scores(self, run, judge, people):
        ours, golden = run.detections.scores[people[0]], run.golden['det_scores']
        judge('detection: score', greatest(ours - golden[people[1]]), 1e-3)

    def test_keypoints(self, run, judge, people):
        ours, golden = run.detections.keypoints[people[0]], run.golden['det_keypoints']
        distance = (ours - golden[people[1]][..., :2]).norm(dim=-1)
        judge('detection: keypoints, 99%: px', worst_but(distance, 0.01), 0.05)


class TestTraining:
    def test_loss(self, run, judge):
        loss, _ = run.training
        golden = run.golden['loss_keypoint'].item()
        judge('loss_keypoint: relative', abs(loss / golden - 1), 1e-4)

    def test_same_parameters_have_gradients(self, run):
        _, norms = run.training
        assert set(norms) == set(run.golden_gradients)

    @pytest.mark.parametrize(
        ('precision', 'bound'),
        # which activations float32 rounds to 0 differs from CPU to CPU
        [('float64', 2e-3), ('float32', 1e-2)],
    )
    def test_gradient_norms(self, run, judge, precision, bound):
        if precision == 'float64':
            _, norms = run.training_in_float64
        else:
            _, norms = run.training
        worst = max(
            gradient_deviation(run.golden_gradients, norms, name)
            for name in run.golden_gradients
        )
        judge(f'gradient norm, {precision}: relative', worst, bound)


class TestOtherWays:
    """What is computed in two ways keeps these bounds in both."""

    @pytest.mark.parametrize('backend', ['MATH', 'FLASH_ATTENTION'])
    def test_attention(self, run, judge, backend):
        if run.arch == 'baseline':
            pytest.skip('the baseline has no attention')
        other = run.afresh()
        with sdpa_kernel(getattr(SDPBackend, backend)):
            logits = other.arrays['kpt_logits']
        golden = run.golden['kpt_logits']
        worst = greatest(logits - golden) / golden.std().item()
        judge(f'kpt_logits, {backend}: max / std', worst, 1e-3)

    def test_decoding_people_one_by_one(self, run, judge):
        codec = run.model.roi_head.codec
        people = zip(run.keypoint_logits.split(1), run.keypoint_boxes.split(1))
        keypoints, scores = (
            torch.cat(each).cpu()
            for each in zip(*(codec.decode(*each) for each in people))
        )
        golden = run.golden['kpt_pred']
        distance = (keypoints - golden[..., :2]).norm(dim=-1)
        judge('decoded singly, 99.9%: px', worst_but(distance, 0.001), 0.02)
        judge('decoded singly: score', greatest(scores - golden[..., 2]), 1e-3)

    def test_bfloat16(self, run, judge):
        # none of the bounds of float32: eight bits hold a number to 0.4%
        other = run.afresh()
        with torch.autocast(run.device.type, dtype=torch.bfloat16):
            arrays, loss = other.arrays, other.loss
        worst = max(
            greatest(arrays[name].float() - run.golden[name])
            / run.golden[name].std().item()
            for name in ARRAYS
        )
        judge('bfloat16, arrays: max / std', worst, 0.1)
        golden = run.golden['loss_keypoint'].item()
        judge('bfloat16, loss_keypoint: relative', abs(loss / golden - 1), 2e-3)


def gradient_deviation(golden, ours, name):
    """Relative deviation of one parameter's norm, 0 where both are but rounding."""
    layer = name.rpartition('.')[0]
    of_layer = [norm for key, norm in golden.items() if key.rpartition('.')[0] == layer]
    floor = NO_GRADIENT * max(of_layer)
    if golden[name] <= floor:
        return 0.0 if ours[name] <= floor else math.inf
    return abs(ours[name] / golden[name] - 1)
