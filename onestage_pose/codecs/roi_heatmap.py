# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from collections.abc import Sequence

import cv2
import torch
import torch.nn.functional as F
from mmengine.utils import to_2tuple
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

# fmt: off
COCO_SIGMAS = (
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107,
    0.107, 0.087, 0.087, 0.089, 0.089,
)
# fmt: on


@KEYPOINT_CODECS.register_module()
class RoIHeatmap(BaseKeypointCodec):
    """One bin of a person's own box for each keypoint, as in Mask R-CNN.

    Every person's box is cut into W x H bins. A keypoint is the bin that holds
    it, learned by softmax cross-entropy over the bins; decoding finds the
    maximum of the logits, between the bins where asked to. All methods take
    tensors, on any device, and are vectorised over people.

    Note:

        - people: N, keypoints of a person: K, bins: [W, H]
        - boxes: (N, 4) x1, y1, x2, y2. Boxes and keypoints share one frame in
          continuous coordinates, where the first pixel covers 0 to 1; this
          class knows nothing of pictures.

    Encoded:

        - keypoint_labels (Tensor): (N, K) int64, ``row * W + column`` of the
          bin; 0 where the weight is 0
        - keypoint_weights (Tensor): (N, K) float32, 1 where the keypoint is
          labelled and inside the box, else 0

    Args:
        heatmap_size (int | tuple[int, int]): Bins [W, H] of a box.
        decode_mode (str): Where :meth:`decode` looks for the maximum.

            - ``'bicubic'``: of the logits upsampled to the box's size in
              pixels, rounded up. What Detectron2 and the released program of
              arXiv 2301.04842 do.
            - ``'argmax'``: the centre of the highest bin.
            - ``'quarter'``: that, moved a quarter of a bin towards the higher
              neighbour in x and in y (Stacked Hourglass, arXiv 1603.06937).
            - ``'dark'``: that, moved to the maximum of a second-order Taylor
              expansion of the blurred log-distribution (DARK, arXiv
              1910.06278).
            - ``'expected_oks'``: the place whose object keypoint similarity (OKS)
              is the highest on average, were the keypoint drawn from the
              distribution (ProbPose, arXiv 2412.02254): the maximum of the
              distribution blurred by OKS's own tolerance, between the bins by
              Newton's method. Best where the distribution is wide or has several hills.
        score_mode (str): What a keypoint's score is.

            - ``'peak'``: softmax of the logit at the maximum over all bins, as
              in Detectron2. It falls as the distribution widens, 0.1 being
              high for a large box; with ``'bicubic'``, whose upsampling
              overshoots, it may exceed the highest bin's, and even 1.
            - ``'window'``: the probability of the bins within ``window`` of
              the highest one, which says how sure the place is and suits the
              usual drawing threshold of 0.3.
            - ``'expected_oks'``: the object keypoint similarity to be expected of
              the place found.
        window (int): Reach of ``'window'``, in bins to every side.
        blur_kernel_size (int): Gaussian blur of ``'dark'``, in bins, odd.
        sigmas (Sequence[float], optional): OKS's of the K keypoints, for
            ``'expected_oks'``. By default COCO's 17.
        area_ratio (float): A person's area over that of the box given here, for
            ``'expected_oks'``: about 0.53 of COCO's boxes, and of boxes widened by s
            that over s squared.

    Raises:
        ValueError: On an unknown mode, an even ``blur_kernel_size``, or ``sigmas`` or
            an ``area_ratio`` that are not positive.
    """

    auxiliary_encode_keys = {'boxes'}
    label_mapping_table = dict(
        keypoint_labels='keypoint_labels', keypoint_weights='keypoint_weights'
    )

    DECODE_MODES = ('bicubic', 'argmax', 'quarter', 'dark', 'expected_oks')
    SCORE_MODES = ('peak', 'window', 'expected_oks')

    # of ``'expected_oks'``; two leave a thousandth of a bin
    NEWTON_STEPS = 2

    # logits that bicubic decoding holds at once: as many as a GPU takes well, and as
    # a CPU keeps in its cache
    MAX_UPSAMPLED = dict(cpu=2**20, other=2**24)

    def __init__(
        self,
        heatmap_size: int | tuple[int, int] = 56,
        decode_mode: str = 'bicubic',
        score_mode: str = 'peak',
        window: int = 2,
        blur_kernel_size: int = 11,
        sigmas: Sequence[float] | None = None,
        area_ratio: float = 0.53,
    ) -> None:
        super().__init__()
        for name, value, known in (
            ('decode_mode', decode_mode, self.DECODE_MODES),
            ('score_mode', score_mode, self.SCORE_MODES),
        ):
            if value not in known:
                raise ValueError(
                    f'RoIHeatmap: {name}={value!r} is unknown, use one of '
                    f'{", ".join(map(repr, known))}.'
                )
        if blur_kernel_size % 2 == 0:
            raise ValueError(
                f'RoIHeatmap: blur_kernel_size={blur_kernel_size} must be odd.'
            )
        self.sigmas = COCO_SIGMAS if sigmas is None else tuple(sigmas)
        if not all(value > 0 for value in (area_ratio, *self.sigmas)):
            raise ValueError(
                f'RoIHeatmap: area_ratio={area_ratio} and sigmas={sigmas} must be '
                f'positive.'
            )
        self.heatmap_size = tuple(to_2tuple(heatmap_size))
        self.decode_mode = decode_mode
        self.score_mode = score_mode
        self.window = window
        self.blur_kernel_size = blur_kernel_size
        self.area_ratio = area_ratio

    def encode(
        self,
        keypoints: Tensor,
        keypoints_visible: Tensor | None = None,
        boxes: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Find the bin of each keypoint.

        A point exactly on the right or lower edge belongs to the last bin.

        Args:
            keypoints (Tensor): (N, K, 2) x, y.
            keypoints_visible (Tensor, optional): (N, K), above 0 where the
                keypoint is labelled. All are by default.
            boxes (Tensor): (N, 4).

        Returns:
            dict[str, Tensor]: ``keypoint_labels`` and ``keypoint_weights``.

        Raises:
            ValueError: If ``boxes`` is not given.
        """
        if boxes is None:
            raise ValueError('RoIHeatmap.encode needs the boxes that it encodes to.')
        bins = boxes.new_tensor(self.heatmap_size)
        near, far = boxes[:, None, :2], boxes[:, None, 2:]
        counts = ((keypoints >= near) & (keypoints <= far) & (far > near)).all(-1)
        if keypoints_visible is not None:
            counts &= keypoints_visible > 0
        # Up to the edge it is the last bin, by rounding or not.
        column_row = torch.floor((keypoints - near) * (bins / (far - near)))
        column_row = column_row.nan_to_num(0).clamp(min=0).minimum(bins - 1)
        column, row = column_row.long().unbind(-1)
        labels = row * self.heatmap_size[0] + column
        return dict(
            keypoint_labels=torch.where(counts, labels, 0),
            keypoint_weights=counts.float(),
        )

    def decode(self, encoded: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Find the keypoints of each person.

        Args:
            encoded (Tensor): Logits (N, K, H, W); computed on in float32.
            boxes (Tensor): (N, 4). Sides under 1 count as 1.

        Returns:
            tuple[Tensor, Tensor]:
            - keypoints (N, K, 2) float32 in the frame of ``boxes``
            - scores (N, K) float32, see ``score_mode``

        Raises:
            ValueError: If the logits are not of ``heatmap_size``, or not of as many
                keypoints as there are ``sigmas`` where these are needed.
        """
        self.check_size(encoded)
        with torch.autocast(encoded.device.type, enabled=False):
            return self._decode(encoded.float(), boxes.float())

    def _decode(self, logits: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """:meth:`decode` in float32: autocast would round the positions."""
        size = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
        if self.decode_mode == 'bicubic':
            position, peak = self._bicubic_maximum(logits, size.ceil().long())
        else:
            position, peak = self.grid_maximum(logits, size)
        keypoints = boxes[:, None, :2] + position * size[:, None]
        return keypoints, self.scores(logits, size, position, peak)

    def scores(
        self, logits: Tensor, size: Tensor, position: Tensor, peak: Tensor
    ) -> Tensor:
        """Scores of the keypoints found, as ``score_mode`` says.

        Args:
            logits (Tensor): (N, K, H, W) float32.
            size (Tensor): (N, 2), width and height of the boxes.
            position (Tensor): (N, K, 2) as a fraction of the box.
            peak (Tensor): (N, K), the logit there.

        Returns:
            Tensor: (N, K).
        """
        if self.score_mode == 'peak':
            return (peak - logits.flatten(2).logsumexp(-1)).exp()
        if self.score_mode == 'window':
            return self._window_probability(logits)
        return self._expected_oks_at(logits, size, position)

    def check_size(self, logits: Tensor) -> None:
        """Refuse logits of another grid, which would be learned in wrong places.

        Args:
            logits (Tensor): (N, K, H, W).

        Raises:
            ValueError: If H, W are not those of ``heatmap_size``.
        """
        if tuple(logits.shape[-2:]) != self.heatmap_size[::-1]:
            raise ValueError(
                f'RoIHeatmap was built for heatmap_size [W, H]='
                f'{list(self.heatmap_size)} but got logits of '
                f'{list(logits.shape[:-3:-1])}: set heatmap_size to what the '
                f'keypoint head gives.'
            )

    def _bicubic_maximum(self, logits: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Maximum after bicubic upsampling to each person's own size.

        People of like size share a batch: upsampling is two matrix products,
        padded to the largest of the batch.

        Args:
            logits (Tensor): (N, K, H, W) float32.
            pixels (Tensor): (N, 2) int64, width and height to upsample to.

        Returns:
            tuple[Tensor, Tensor]: Position (N, K, 2) as a fraction of the box,
            at a pixel's centre, and the upsampled logit there (N, K).
        """
        num, num_keypoints = logits.shape[:2]
        position = logits.new_zeros(num, num_keypoints, 2)
        peak = logits.new_zeros(num, num_keypoints)
        order = pixels.prod(-1).argsort()
        sizes = pixels[order].tolist()
        most = self.MAX_UPSAMPLED['cpu' if logits.device.type == 'cpu' else 'other']
        start = 0
        while start < num:
            stop, width, height = start, 0, 0
            while stop < num:
                wider = max(width, sizes[stop][0])
                higher = max(height, sizes[stop][1])
                held = (stop + 1 - start) * num_keypoints * wider * higher
                if stop > start and held > most:
                    break
                stop, width, height = stop + 1, wider, higher
            people = order[start:stop]
            position[people], peak[people] = self._bicubic_maximum_of_batch(
                logits[people], pixels[people], width, height
            )
            start = stop
        return position, peak

    @staticmethod
    def _bicubic_maximum_of_batch(
        logits: Tensor, pixels: Tensor, width: int, height: int
    ) -> tuple[Tensor, Tensor]:
        """:meth:`_bicubic_maximum`, all padded to ``width`` x ``height``."""
        across = bicubic_weights(logits.shape[-1], pixels[:, 0], width)
        down = bicubic_weights(logits.shape[-2], pixels[:, 1], height)
        upsampled = down[:, None] @ (logits @ across[:, None].mT)
        # the highest row first: a maximum without its index is found faster
        row = upsampled.amax(-1).argmax(-1, keepdim=True)
        columns = upsampled.take_along_dim(row[..., None], 2)[:, :, 0]
        column = columns.argmax(-1, keepdim=True)
        peak = columns.gather(-1, column)[..., 0]
        # what is padded repeats a person's last row and column
        column_row = torch.cat((column, row), -1).minimum(pixels[:, None] - 1)
        return (column_row + 0.5) / pixels[:, None], peak

    def grid_maximum(self, logits: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
        """Maximum on the grid of bins, refined as ``decode_mode`` says.

        Args:
            logits (Tensor): (N, K, H, W) float32.
            size (Tensor): (N, 2), width and height of the boxes.

        Returns:
            tuple[Tensor, Tensor]: Position (N, K, 2) as a fraction of the box
            and the logit (N, K) of its bin.
        """
        surface = logits
        if self.decode_mode == 'expected_oks':
            probability = logits.flatten(2).softmax(-1).view_as(logits)
            tolerance = self._tolerance(logits, size)
            surface = self._expected_oks(probability, tolerance)
        width, height = self.heatmap_size
        index = surface.flatten(2).argmax(-1)
        peak = logits.flatten(2).gather(2, index[..., None])[..., 0]
        column_row = torch.stack((index % width, index // width), -1)
        position = column_row + 0.5
        if self.decode_mode == 'quarter':
            position = position + self._quarter_offset(logits, column_row)
        elif self.decode_mode == 'dark':
            position = position + self._dark_offset(logits, column_row)
        elif self.decode_mode == 'expected_oks':
            position = self._climb(probability, tolerance, position)
        return position / position.new_tensor(self.heatmap_size), peak

    def _tolerance(self, logits: Tensor, size: Tensor) -> Tensor:
        """Standard deviations (N, K, 2) of OKS in bins, across and down.

        OKS is ``exp(-d^2 / (2 area (2 sigma)^2))`` of a keypoint off by d px.
        """
        if logits.shape[1] != len(self.sigmas):
            raise ValueError(
                f"RoIHeatmap: 'expected_oks' needs sigmas of the {logits.shape[1]} "
                f'keypoints, got {len(self.sigmas)}.'
            )
        pixels = (self.area_ratio * size.prod(-1)).sqrt()
        pixels = pixels[:, None] * 2 * size.new_tensor(self.sigmas)
        bins = size.new_tensor(self.heatmap_size) / size
        return pixels[..., None] * bins[:, None]

    def _expected_oks(self, probability: Tensor, tolerance: Tensor) -> Tensor:
        """OKS to be expected at the centre of each bin: (N, K, H, W)."""
        across, down = tolerance[..., None, None].unbind(2)
        width, height = self.heatmap_size
        columns = torch.arange(width, device=probability.device)
        rows = torch.arange(height, device=probability.device)
        across = (-0.5 * ((columns[:, None] - columns) / across) ** 2).exp()
        down = (-0.5 * ((rows[:, None] - rows) / down) ** 2).exp()
        return down @ (probability @ across)

    def _expected_oks_at(
        self, logits: Tensor, size: Tensor, position: Tensor
    ) -> Tensor:
        """OKS to be expected at ``position`` (N, K, 2) of the boxes: (N, K)."""
        across, down = self._tolerance(logits, size)[..., None].unbind(2)
        width, height = self.heatmap_size
        columns = torch.arange(width, device=logits.device) + 0.5
        rows = torch.arange(height, device=logits.device) + 0.5
        column, row = (position * position.new_tensor(self.heatmap_size)).unbind(-1)
        across = (-0.5 * ((columns - column[..., None]) / across) ** 2).exp()
        down = (-0.5 * ((rows - row[..., None]) / down) ** 2).exp()
        probability = logits.flatten(2).softmax(-1).view_as(logits)
        return (down * (probability @ across[..., None])[..., 0]).sum(-1)

    def _climb(self, probability: Tensor, tolerance: Tensor, start: Tensor) -> Tensor:
        """Newton's method from the highest bin's centre to the maximum near it.

        In x and in y on the logarithm of the expected OKS, at most a bin away and
        inside the box; where the surface is not curved downwards, stays.
        """
        variance = tolerance.square()
        bins = start.new_tensor(self.heatmap_size)
        position = start
        for _ in range(self.NEWTON_STEPS):
            slopes = []
            for axis, number in enumerate(self.heatmap_size):
                centers = torch.arange(number, device=start.device) + 0.5
                distance = centers - position[..., axis, None]
                spread = variance[..., axis, None]
                weight = (-0.5 * distance**2 / spread).exp()
                slope = distance / spread
                slopes.append(
                    torch.stack(
                        (weight, weight * slope, weight * (slope**2 - 1 / spread)), -2
                    )
                )
            across, down = slopes
            # sums over the bins with the kernel or a derivative of it down and across
            sums = down @ (probability @ across.transpose(-2, -1))
            value = sums[..., 0, 0, None].clamp(min=1e-30)
            first = torch.stack((sums[..., 0, 1], sums[..., 1, 0]), -1) / value
            second = torch.stack((sums[..., 0, 2], sums[..., 2, 0]), -1) / value
            bend = first**2 - second
            step = first / torch.where(bend > 0, bend, 1)
            position = position + torch.where(bend > 0, step, 0).clamp(-0.5, 0.5)
            position = torch.minimum(position.clamp(min=0), bins)
            position = torch.maximum(torch.minimum(position, start + 1), start - 1)
        return position

    def _quarter_offset(self, logits: Tensor, column_row: Tensor) -> Tensor:
        """A quarter bin towards the higher neighbour; 0 at the border."""
        around = gather_window(logits, column_row, 1)
        slope = torch.stack(
            (
                around[..., 1, 2] - around[..., 1, 0],
                around[..., 2, 1] - around[..., 0, 1],
            ),
            -1,
        )
        inside = self._distance_to_border(column_row) >= 1
        return 0.25 * slope.sign() * inside

    def _dark_offset(self, logits: Tensor, column_row: Tensor) -> Tensor:
        """Newton step to the maximum of the blurred log-distribution.

        0 within two bins of the border and where the surface has no maximum;
        never more than one bin.
        """
        probability = logits.flatten(2).softmax(-1).view_as(logits)
        kernel = cv2.getGaussianKernel(self.blur_kernel_size, 0)
        kernel = logits.new_tensor(kernel).view(1, 1, -1, 1)
        reach = self.blur_kernel_size // 2
        blurred = probability.flatten(0, 1)[:, None]
        blurred = F.conv2d(blurred, kernel, padding=(reach, 0))
        blurred = F.conv2d(blurred, kernel.mT, padding=(0, reach))
        around = gather_window(
            blurred.clamp(min=1e-10).log().view_as(logits), column_row, 2
        )
        dx = 0.5 * (around[..., 2, 3] - around[..., 2, 1])
        dy = 0.5 * (around[..., 3, 2] - around[..., 1, 2])
        twice = 2 * around[..., 2, 2]
        dxx = 0.25 * (around[..., 2, 4] - twice + around[..., 2, 0])
        dyy = 0.25 * (around[..., 4, 2] - twice + around[..., 0, 2])
        dxy = 0.25 * (
            around[..., 3, 3]
            - around[..., 1, 3]
            - around[..., 3, 1]
            + around[..., 1, 1]
        )
        determinant = dxx * dyy - dxy**2
        step = torch.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), -1)
        is_maximum = (determinant > 0) & (dxx < 0)
        inside = (self._distance_to_border(column_row) >= 2).all(-1)
        step = step / torch.where(is_maximum, determinant, 1)[..., None]
        return torch.where((is_maximum & inside)[..., None], step, 0).clamp(-1, 1)

    def _distance_to_border(self, column_row: Tensor) -> Tensor:
        """Bins between each position and the nearer border, per axis."""
        last = column_row.new_tensor(self.heatmap_size) - 1
        return torch.minimum(column_row, last - column_row)

    def _window_probability(self, logits: Tensor) -> Tensor:
        """Softmax mass within ``window`` bins of the highest one, (N, K)."""
        probability = logits.flatten(2).softmax(-1)
        index = probability.argmax(-1)
        width = self.heatmap_size[0]
        column_row = torch.stack((index % width, index // width), -1)
        window = gather_window(probability.view_as(logits), column_row, self.window)
        return window.flatten(2).sum(-1)

    def paste(
        self, logits: Tensor, boxes: Tensor, image_size: tuple[int, int]
    ) -> Tensor:
        """Lay everybody's distribution on one picture, for drawing.

        Args:
            logits (Tensor): (N, K, H, W).
            boxes (Tensor): (N, 4) in the picture's frame.
            image_size (tuple[int, int]): Height and width of the picture.

        Returns:
            Tensor: (K, height, width) float32, each person's distribution
            scaled to a maximum of 1; the higher value where people overlap.
        """
        height, width = image_size
        canvas = logits.new_zeros(logits.shape[1], height, width, dtype=torch.float32)
        ys = torch.arange(height, device=logits.device) + 0.5
        xs = torch.arange(width, device=logits.device) + 0.5
        for person, (x1, y1, x2, y2) in zip(logits.float(), boxes.float()):
            heatmaps = person.flatten(1).softmax(-1)
            heatmaps = heatmaps / heatmaps.amax(-1, keepdim=True)
            grid_y = 2 * (ys - y1) / (y2 - y1).clamp(min=1) - 1
            grid_x = 2 * (xs - x1) / (x2 - x1).clamp(min=1) - 1
            rows, columns = grid_y.abs() <= 1, grid_x.abs() <= 1
            grid = torch.stack(
                torch.meshgrid(grid_x[columns], grid_y[rows], indexing='xy'), -1
            )
            pasted = F.grid_sample(
                heatmaps.view_as(person)[None],
                grid[None],
                padding_mode='border',
                align_corners=False,
            )[0]
            index = torch.where(rows)[0][:, None], torch.where(columns)[0]
            canvas[:, index[0], index[1]] = torch.maximum(
                canvas[:, index[0], index[1]], pasted
            )
        return canvas


def bicubic_weights(bins: int, sizes: Tensor, padded_size: int) -> Tensor:
    """Matrices that upsample one axis as ``F.interpolate(mode='bicubic')``.

    Cubic convolution with a = -0.75, ``align_corners=False``, border bins
    repeated.

    Args:
        bins (int): Length of the axis before.
        sizes (Tensor): (N,) int64, length of the axis after, of each person.
        padded_size (int): Rows of the matrices, at least the largest size.

    Returns:
        Tensor: (N, padded_size, bins) float32; rows past a person's size repeat
        the last one.
    """
    target = torch.arange(padded_size, device=sizes.device).minimum(sizes[:, None] - 1)
    source = (target + 0.5) * (bins / sizes.float())[:, None] - 0.5
    first = source.floor()
    t = (source - first)[..., None]
    a = -0.75
    near = torch.cat((t, 1 - t), -1)
    far = near + 1
    near = ((a + 2) * near - (a + 3)) * near * near + 1
    far = ((a * far - 5 * a) * far + 8 * a) * far - 4 * a
    taps = torch.cat((far[..., :1], near, far[..., 1:]), -1)
    index = first.long()[..., None] + torch.arange(-1, 3, device=sizes.device)
    weights = taps.new_zeros(len(sizes), padded_size, bins)
    return weights.scatter_add_(-1, index.clamp(0, bins - 1), taps)


def gather_window(maps: Tensor, column_row: Tensor, reach: int) -> Tensor:
    """Values around one position of each map; 0 outside the map.

    Args:
        maps (Tensor): (N, K, H, W).
        column_row (Tensor): (N, K, 2) int64.
        reach (int): Bins to every side.

    Returns:
        Tensor: (N, K, 2 * reach + 1, 2 * reach + 1), rows first.
    """
    padded = F.pad(maps, (reach,) * 4)
    offset = torch.arange(2 * reach + 1, device=maps.device)
    index = (column_row[..., 1, None, None] + offset[:, None]) * padded.shape[-1]
    index = index + column_row[..., 0, None, None] + offset
    values = padded.flatten(2).gather(2, index.flatten(2))
    return values.view_as(index)
