# Copyright (c) onestage_pose contributors.
"""The operators against references written here, in float64 and plain loops."""

import math

import onestage_pose
from onestage_pose.ops import torchvision_ops

import mmcv.ops
import numpy as np
import pytest
import torch

DEVICES = [
    'cpu',
    pytest.param(
        'cuda',
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU'),
    ),
]
STRIDE = 4
BINS = (3, 2)  # rows, columns
ROIS = torch.tensor(
    [
        # picture, x1, y1, x2, y2, in pixels of a network input of 40 x 32 (w x h)
        [1, 3.3, 5.1, 21.7, 28.9],
        [0, -9.5, -7.2, 13.0, 11.4],  # over the upper left border
        [1, 25.0, 20.0, 55.0, 47.5],  # over the lower right border
        [0, 12.0, 9.0, 12.0, 20.0],  # no width
        [0, 18.0, 9.0, 11.0, 4.0],  # upside down
        [1, 70.0, 60.0, 90.0, 80.0],  # wholly outside
        [0, 0.0, 0.0, 40.0, 32.0],  # the whole picture
        [1, 8.2, 8.4, 9.0, 9.9],  # smaller than a feature pixel
    ]
)

# mmcv itself refuses boxes of negative size, on the CPU.
SOUND_ROIS = ROIS[(ROIS[:, 3] >= ROIS[:, 1]) & (ROIS[:, 4] >= ROIS[:, 2])]


def bilinear(row, column, height, width):
    """(height, width) weights of the pixels around a point, as RoIAlign counts."""
    weights = np.zeros((height, width))
    if not (-1 <= row <= height and -1 <= column <= width):
        return weights
    row = min(max(row, 0), height - 1)
    column = min(max(column, 0), width - 1)
    top, left = int(row), int(column)
    for y, x in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
        weight = (1 - abs(row - y)) * (1 - abs(column - x))
        if weight > 0:
            weights[y, x] += weight
    return weights


def bin_weights(roi, height, width, sampling_ratio, aligned):
    """(rows, columns, height, width): how much each pixel adds to each bin."""
    shift = 0.5 if aligned else 0.0
    x1, y1, x2, y2 = (float(edge) / STRIDE - shift for edge in roi[1:])
    roi_width, roi_height = x2 - x1, y2 - y1
    if not aligned:
        roi_width, roi_height = max(roi_width, 1.0), max(roi_height, 1.0)
    rows, columns = BINS
    bin_height, bin_width = roi_height / rows, roi_width / columns
    samples_y = sampling_ratio or max(math.ceil(bin_height), 0)
    samples_x = sampling_ratio or max(math.ceil(bin_width), 0)
    weights = np.zeros((rows, columns, height, width))
    for i in range(rows):
        for j in range(columns):
            for y in range(samples_y):
                for x in range(samples_x):
                    weights[i, j] += bilinear(
                        y1 + bin_height * (i + (y + 0.5) / samples_y),
                        x1 + bin_width * (j + (x + 0.5) / samples_x),
                        height,
                        width,
                    )
    return weights / max(samples_y * samples_x, 1)


def reference_forward(features, rois, sampling_ratio, aligned):
    """(N, C, rows, columns) float64."""
    features = features.double().cpu().numpy()
    pooled = np.zeros((len(rois), features.shape[1], *BINS))
    for n, roi in enumerate(rois.double().cpu()):
        weights = bin_weights(roi, *features.shape[2:], sampling_ratio, aligned)
        pooled[n] = np.einsum('ijyx,cyx->cij', weights, features[int(roi[0])])
    return torch.from_numpy(pooled)


def reference_backward(grad, rois, feature_shape, sampling_ratio, aligned):
    """(B, C, H, W) float64: the adjoint of :func:`reference_forward`."""
    grad = grad.double().cpu().numpy()
    result = np.zeros(feature_shape)
    for n, roi in enumerate(rois.double().cpu()):
        weights = bin_weights(roi, *feature_shape[2:], sampling_ratio, aligned)
        result[int(roi[0])] += np.einsum('ijyx,cij->cyx', weights, grad[n])
    return torch.from_numpy(result)


def roi_align_options(sampling_ratio, aligned):
    return dict(
        aligned_height=BINS[0],
        aligned_width=BINS[1],
        spatial_scale=1 / STRIDE,
        sampling_ratio=sampling_ratio,
        pool_mode=1,
        aligned=aligned,
    )


def forward(features, rois, sampling_ratio=0, aligned=True, ext=torchvision_ops):
    output = features.new_full((len(rois), features.shape[1], *BINS), torch.nan)
    unused = features.new_zeros(0)
    options = roi_align_options(sampling_ratio, aligned)
    ext.roi_align_forward(features, rois, output, unused, unused, **options)
    return output


def backward(grad, rois, grad_input, sampling_ratio=0, aligned=True,
             ext=torchvision_ops):  # fmt: skip
    unused = grad.new_zeros(0)
    options = roi_align_options(sampling_ratio, aligned)
    ext.roi_align_backward(grad, rois, unused, unused, grad_input, **options)
    return grad_input


def reference_nms(boxes, scores, iou_threshold, offset):
    """Kept indices, best first."""
    boxes = boxes.double().cpu().tolist()
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -float(scores[i])):
        x1, y1, x2, y2 = boxes[i]
        for j in kept:
            u1, v1, u2, v2 = boxes[j]
            width = max(0.0, min(x2, u2) - max(x1, u1) + offset)
            height = max(0.0, min(y2, v2) - max(y1, v1) + offset)
            area_i = (x2 - x1 + offset) * (y2 - y1 + offset)
            area_j = (u2 - u1 + offset) * (v2 - v1 + offset)
            overlap = width * height
            if overlap > iou_threshold * (area_i + area_j - overlap):
                break
        else:
            kept.append(i)
    return kept


def random_boxes(number):
    corner = torch.rand(number, 2) * 40
    boxes = torch.cat([corner, corner + 2 + torch.rand(number, 2) * 30], dim=1)
    return boxes, torch.rand(number)


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling_ratio', [0, 2])
class TestRoIAlign:
    def test_forward_is_the_reference(self, device, aligned, sampling_ratio):
        features = torch.randn(2, 3, 8, 10, device=device)

        pooled = forward(features, ROIS.to(device), sampling_ratio, aligned)

        expected = reference_forward(features, ROIS, sampling_ratio, aligned)
        torch.testing.assert_close(pooled.double().cpu(), expected, atol=1e-5, rtol=0)

    def test_backward_is_the_reference(self, device, aligned, sampling_ratio):
        shape = (2, 3, 8, 10)
        grad = torch.randn(len(ROIS), 3, *BINS, device=device)

        grad_input = backward(
            grad, ROIS.to(device), grad.new_zeros(shape), sampling_ratio, aligned
        )

        expected = reference_backward(grad, ROIS, shape, sampling_ratio, aligned)
        torch.testing.assert_close(
            grad_input.double().cpu(), expected, atol=1e-5, rtol=0
        )

    def test_gradient_through_mmcv_is_that_of_the_forward(
        self, device, aligned, sampling_ratio
    ):
        layer = mmcv.ops.RoIAlign(BINS, 1 / STRIDE, sampling_ratio, aligned=aligned)
        features = torch.randn(2, 1, 8, 10, dtype=torch.float64, device=device)
        rois = SOUND_ROIS.double().to(device)

        assert torch.autograd.gradcheck(
            lambda x: layer(x, rois),
            features.requires_grad_(),
            nondet_tol=1e-9,  # CUDA adds in any order
        )


def random_rois(number, seed=0):
    """(number, 5), many far over the border of a picture of 400 x 320 px."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(number, 2, generator=generator) * 500 - 100
    size = 300 * torch.rand(number, 2, generator=generator) ** 3
    picture = torch.randint(2, (number, 1), generator=generator)
    return torch.cat((picture, corner, corner + size), 1)


def test_a_sample_that_is_rounded_up_to_the_next_pixel():
    # two samples a pixel apart about a power of two: 3.9999998 and, rounded, 5.0
    x1 = np.nextafter(np.float32(16), np.float32(0)).item()
    features, rois = torch.randn(1, 2, 20, 24), torch.tensor([[0, x1, 0, 72, 56]])
    pooled = mmcv.ops.roi_align(features, rois, 7, 0.25, 0, 'avg', True)
    expected = torch.ops.torchvision.roi_align(features, rois, 0.25, 7, 7, 0, True)
    torch.testing.assert_close(pooled, expected, atol=5e-6, rtol=0)


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling_ratio', [0, 1, 2, 5])
class TestRoIAlignOnTheCpu:
    def test_forward_is_torchvisions_to_the_last_digits(self, aligned, sampling_ratio):
        features, rois = torch.randn(2, 5, 80, 100), random_rois(300)

        pooled = forward(features, rois, sampling_ratio, aligned)

        expected = torch.ops.torchvision.roi_align(
            features, rois, 1 / STRIDE, *BINS, sampling_ratio, aligned
        )
        torch.testing.assert_close(pooled, expected, atol=5e-6, rtol=0)

    def test_backward_is_torchvisions_to_the_last_digits(self, aligned, sampling_ratio):
        shape, rois = (2, 5, 80, 100), random_rois(300)
        grad = torch.randn(len(rois), 5, *BINS)

        grad_input = backward(
            grad, rois, grad.new_zeros(shape), sampling_ratio, aligned
        )

        expected = torch.ops.torchvision._roi_align_backward(
            grad, rois, 1 / STRIDE, *BINS, *shape, sampling_ratio, aligned
        )
        torch.testing.assert_close(grad_input, expected, atol=2e-5, rtol=0)

    def test_no_roi_with_an_extent(self, aligned, sampling_ratio):
        rois = torch.tensor([[0.0, 90, 90, 70, 70]])
        features, grad = torch.randn(1, 5, 8, 10), torch.randn(1, 5, *BINS)
        pooled = forward(features, rois, sampling_ratio, aligned)
        spread = backward(grad, rois, torch.zeros(1, 5, 8, 10), sampling_ratio, aligned)
        outside = reference_forward(features, rois, sampling_ratio, aligned)
        torch.testing.assert_close(pooled.double(), outside)
        assert not spread.any()


@pytest.mark.parametrize('device', DEVICES)
class TestRoIAlignTensors:
    def test_backward_adds_to_what_is_there(self, device):
        grad = torch.randn(len(ROIS), 3, *BINS, device=device)
        there = torch.randn(2, 3, 8, 10, device=device)

        total = backward(grad, ROIS.to(device), there.clone())

        alone = backward(grad, ROIS.to(device), torch.zeros_like(there))
        torch.testing.assert_close(total, there + alone)

    @pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
    def test_half_precision_is_float32_rounded_once(self, device, dtype):
        features = torch.randn(2, 3, 8, 10, device=device).to(dtype)
        rois = ROIS.to(device)

        pooled = forward(features, rois)

        assert torch.equal(pooled, forward(features.float(), rois).to(dtype))

    @pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
    def test_half_precision_gradient_is_float32_rounded_once(self, device, dtype):
        grad = torch.randn(len(ROIS), 3, *BINS, device=device).to(dtype)
        rois, shape = ROIS.to(device), (2, 3, 8, 10)

        grad_input = backward(grad, rois, grad.new_zeros(shape))

        in_float32 = backward(grad.float(), rois, torch.zeros(shape, device=device))
        torch.testing.assert_close(grad_input, in_float32.to(dtype))

    @pytest.mark.skipif(
        onestage_pose.ops.backend() == 'mmcv', reason='compiled mmcv has no bfloat16'
    )
    def test_autocast_keeps_the_features_dtype(self, device):
        layer = mmcv.ops.RoIAlign(BINS, 1 / STRIDE)
        features = torch.randn(2, 3, 8, 10, device=device, requires_grad=True)

        with torch.autocast(device, dtype=torch.bfloat16):
            pooled = layer(features.bfloat16(), ROIS.bfloat16().to(device))
        pooled.float().sum().backward()

        assert pooled.dtype == torch.bfloat16
        assert torch.isfinite(features.grad).all()

    def test_no_rois_give_an_empty_output_and_zero_gradient(self, device):
        layer = mmcv.ops.RoIAlign(BINS, 1 / STRIDE)
        features = torch.randn(2, 3, 8, 10, device=device, requires_grad=True)

        pooled = layer(features, ROIS[:0].to(device))
        pooled.sum().backward()

        assert pooled.shape == (0, 3, *BINS)
        assert torch.equal(features.grad, torch.zeros_like(features))

    def test_memory_format_of_the_features_does_not_matter(self, device):
        features = torch.randn(2, 3, 8, 10, device=device)
        turned = features.to(memory_format=torch.channels_last)

        pooled = forward(turned, ROIS.to(device))

        assert torch.equal(pooled, forward(features, ROIS.to(device)))

    @pytest.mark.parametrize('name', ['roi_align_forward', 'roi_align_backward'])
    def test_max_pooling_is_refused(self, device, name):
        tensor = torch.zeros(1, 1, 8, 10, device=device)
        options = dict(roi_align_options(0, True), pool_mode=0)

        with pytest.raises(NotImplementedError, match='pool_mode="max".*mmcv'):
            getattr(torchvision_ops, name)(*[tensor] * 5, **options)


@pytest.mark.parametrize('device', DEVICES)
class TestNms:
    @pytest.mark.parametrize('offset', [0, 1])
    @pytest.mark.parametrize('iou_threshold', [0.3, 0.5, 0.7])
    def test_keeps_what_the_reference_keeps(self, device, iou_threshold, offset):
        boxes, scores = random_boxes(200)

        kept = torchvision_ops.nms(
            boxes.to(device), scores.to(device), iou_threshold, offset
        )

        assert kept.tolist() == reference_nms(boxes, scores, iou_threshold, offset)

    def test_offset_changes_what_is_kept(self, device):
        # 2 x 2 boxes, one pixel apart: IoU 1/3, with mmcv's offset (3 x 3) 1/2
        boxes = torch.tensor([[0.0, 0, 2, 2], [1, 0, 3, 2]], device=device)
        scores = torch.tensor([0.9, 0.8], device=device)

        kept = [torchvision_ops.nms(boxes, scores, 0.4, o).tolist() for o in (0, 1)]

        assert kept == [[0, 1], [0]]

    def test_iou_at_the_threshold_is_kept(self, device):
        boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 2]], device=device)  # IoU 1/2
        scores = torch.tensor([0.9, 0.8], device=device)

        assert torchvision_ops.nms(boxes, scores, 0.5, 0).tolist() == [0, 1]

    def test_boxes_without_area_are_kept(self, device):
        boxes = torch.zeros(3, 4, device=device)
        scores = torch.tensor([0.1, 0.3, 0.2], device=device)

        assert torchvision_ops.nms(boxes, scores, 0.5, 0).tolist() == [1, 2, 0]

    def test_no_boxes(self, device):
        kept = torchvision_ops.nms(
            torch.zeros(0, 4, device=device), torch.zeros(0, device=device), 0.5, 0
        )

        assert kept.shape == (0,)
        assert kept.dtype == torch.int64

    @pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
    def test_any_floating_dtype(self, device, dtype):
        boxes, scores = random_boxes(50)
        scores = torch.randperm(50) / 64  # exact in every dtype, no ties
        boxes = boxes.to(dtype)

        kept = torchvision_ops.nms(
            boxes.to(device), scores.to(device, torch.float32), 0.5, 0
        )

        assert kept.tolist() == reference_nms(boxes, scores, 0.5, 0)

    def test_mmcv_serves_it(self, device):
        boxes, scores = random_boxes(200)

        dets, kept = mmcv.ops.nms(boxes.to(device), scores.to(device), 0.5)

        assert kept.tolist() == reference_nms(boxes, scores, 0.5, 0)
        torch.testing.assert_close(dets[:, :4].cpu(), boxes[kept.cpu()])


@pytest.mark.skipif(
    onestage_pose.ops.backend() != 'mmcv', reason='compiled mmcv is not installed'
)
@pytest.mark.parametrize('device', DEVICES)
class TestAgreesWithCompiledMmcv:
    @pytest.fixture
    def ext(self):
        import mmcv._ext

        return mmcv._ext

    @pytest.mark.parametrize('aligned', [True, False])
    @pytest.mark.parametrize('sampling_ratio', [0, 2])
    def test_roi_align_forward(self, device, ext, aligned, sampling_ratio):
        features = torch.randn(2, 3, 8, 10, device=device)
        rois = SOUND_ROIS.to(device)

        ours = forward(features, rois, sampling_ratio, aligned)

        theirs = forward(features, rois, sampling_ratio, aligned, ext)
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize('aligned', [True, False])
    @pytest.mark.parametrize('sampling_ratio', [0, 2])
    def test_roi_align_backward(self, device, ext, aligned, sampling_ratio):
        grad = torch.randn(len(SOUND_ROIS), 3, *BINS, device=device)
        rois, zeros = SOUND_ROIS.to(device), torch.zeros(2, 3, 8, 10, device=device)

        ours = backward(grad, rois, zeros.clone(), sampling_ratio, aligned)

        theirs = backward(grad, rois, zeros.clone(), sampling_ratio, aligned, ext)
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize('offset', [0, 1])
    def test_nms(self, device, ext, offset):
        boxes, scores = (tensor.to(device) for tensor in random_boxes(200))

        ours = torchvision_ops.nms(boxes, scores, 0.5, offset)

        theirs = ext.nms(boxes, scores, iou_threshold=0.5, offset=offset)
        assert torch.equal(ours, theirs)
