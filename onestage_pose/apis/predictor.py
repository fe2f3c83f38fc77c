# Copyright (c) onestage_pose contributors.
"""Detect people in images, videos and streams with one model."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from mmcv.transforms import LoadImageFromFile
from mmengine.config import ConfigDict
from mmengine.dataset import Compose, pseudo_collate
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmpose.structures import PoseDataSample
from torch import nn

from ..datasets import LoadPoseImage
from ..utils.errors import UsageError
from .ahead import load_ahead
from .batches import run_in_batches
from .building import build_model, choose_device, find_model
from .inputs import ImageItem, Inputs, InputsType, open_inputs
from .options import check_choice, check_number, refuse_unknown
from .result import PoseResult
from .thresholds import BBOX_THR, get_kpt_thr

#: Images that the network looks at together on a CPU, at most. One keeps its cores
#: busy, and the feature maps of several do not fit into its caches.
CPU_BATCH_SIZE = 1


class PosePredictor:
    """Detect people and their keypoints in images, videos and streams.

    Background threads decode and resize images while the network runs. On a GPU, images
    that have the same size after resizing share a batch; the results equal those of
    single images. Results come in the order of the input. Only a few images are in
    memory at a time.

    Args:
        model (str | os.PathLike | nn.Module): Name of a published model
            (:func:`onestage_pose.list_models`), path of a config, or a model as
            :func:`onestage_pose.load_model` or mmpose's ``init_model`` returns it.
        checkpoint (str | os.PathLike | None): Path or address of the checkpoint, if
            ``model`` is a config.
        device (str | torch.device | None): Device of the model. By default a GPU if
            there is one; a model object stays on its device.
        batch_size (int): Largest number of images in a batch. A CPU processes one image
            at a time, which is faster, and decodes this many ahead.
        bbox_thr (float): Leave out people whose score is not over this, 0 to 1.
        flip_test (bool | None): Also process the mirrored image, which takes twice the
            time; None follows the config.
        cfg_options (dict | None): Changes of the config, such as
            ``{'model.test_cfg.rcnn.max_per_img': 20}``.
        num_threads (int): Number of threads that decode and resize; 0 uses only the
            calling thread.
        keep_images (bool): Keep the image in each result, for ``plot`` and ``save``.
            False saves memory if many results are kept in a list.

    Raises:
        UsageError: An argument is unknown or invalid, there is no such model, config,
            checkpoint or device, or the model is not a one-stage model.
        ConfigNameError: A name in ``cfg_options`` is misspelt.
        CheckpointError: The checkpoint is invalid, or of another model.

    Examples:
        >>> from onestage_pose import PosePredictor
        >>> for result in PosePredictor('nano')('images/'):
        ...     result.save('results')
    """

    def __init__(
        self,
        model: str | os.PathLike | nn.Module = 'nano',
        checkpoint: str | os.PathLike | None = None,
        *,
        device: str | torch.device | None = None,
        batch_size: int = 1,
        bbox_thr: float = BBOX_THR,
        flip_test: bool | None = None,
        cfg_options: dict[str, Any] | None = None,
        num_threads: int = 2,
        keep_images: bool = True,
        **unknown: Any,
    ) -> None:
        known = {'model', 'checkpoint', *PosePredictor.__init__.__kwdefaults__}
        refuse_unknown(unknown, known, 'PosePredictor')
        check_number('batch_size', batch_size, 1, whole=True)
        check_number('num_threads', num_threads, 0, whole=True)
        check_number('bbox_thr', bbox_thr, 0, 1)
        self.batch_size, self.num_threads = batch_size, num_threads
        self.bbox_thr = float(bbox_thr)
        self.keep_images = keep_images
        options = dict(cfg_options or {})
        if flip_test is not None:
            options['model.test_cfg.flip_test'] = flip_test
        self.model = _get_model(model, checkpoint, device, options)
        self.dataset_meta: dict = self.model.dataset_meta
        names = self.dataset_meta['keypoint_id2name']
        self.names = tuple(names[index] for index in sorted(names))
        self.kpt_thr = get_kpt_thr(self.model)
        self._loader, self._transforms = _build_pipeline(self.model.cfg)
        # Options of one call are set on the model while it runs.
        self._lock = threading.Lock()

    def __call__(
        self,
        inputs: InputsType,
        *,
        batch_size: int | None = None,
        bbox_thr: float | None = None,
        rgb: bool = False,
        recursive: bool = False,
        heatmaps: bool | None = None,
        covariances: bool | None = None,
        on_error: Literal['warn', 'raise', 'return'] = 'warn',
        **unknown: Any,
    ) -> Iterator[PoseResult]:
        """Detect the people in each image.

        Args:
            inputs: A path of an image, a video or a folder, or a pattern; an address
                (http, https) of an image or a video, or that of a stream (rtsp, ...);
                the number of a camera; an array (h, w, 3), BGR as OpenCV gives it; a
                PIL image; a tensor (3, h, w), RGB; or a list or an iterator of these.
            batch_size (int | None): Overrides the predictor's in this call.
            bbox_thr (float | None): Overrides the predictor's in this call.
            rgb (bool): Arrays are RGB.
            recursive (bool): Include the subfolders of a folder.
            heatmaps (bool | None): Add heatmaps, (K, h, w) for each image, to the
                results; by default as ``model.test_cfg.output_heatmaps`` says.
            covariances (bool | None): Add the covariance of each keypoint's position,
                (N, K, 2, 2) in square pixels, to the results; by default as
                ``model.test_cfg.output_covariances`` says.
            on_error (str): For an image that cannot be read, ``'warn'`` logs it, and
                its result has an ``error`` and no people; ``'return'`` does the same
                without a log; ``'raise'`` ends the iteration. A single image raises
                unless this is ``'return'``.

        Returns:
            Iterator[PoseResult]: One for each image, in order, computed when you ask
            for it.

        Raises:
            UsageError: At once: an option is unknown, there is no such file, or no
                image in the folder.
            VideoError: At once: the video cannot be opened.
            ImageError, FileNotFoundError: With the result: see ``on_error``.
        """
        refuse_unknown(unknown, PosePredictor.__call__.__kwdefaults__, 'the predictor')
        check_choice('on_error', on_error, ('warn', 'raise', 'return'))
        if batch_size is None:
            batch_size = self.batch_size
        if bbox_thr is None:
            bbox_thr = self.bbox_thr
        check_number('batch_size', batch_size, 1, whole=True)
        check_number('bbox_thr', bbox_thr, 0, 1)
        opened = inputs
        if not isinstance(inputs, Inputs):
            opened = open_inputs(inputs, rgb, recursive)
        if on_error == 'warn' and opened.is_single:
            on_error = 'raise'
        options = dict(heatmap_thr=bbox_thr)
        if heatmaps is not None:
            options['output_heatmaps'] = heatmaps
        if covariances is not None:
            options['output_covariances'] = covariances
        return self._predict_all(opened.items, batch_size, bbox_thr, options, on_error)

    def _predict_all(
        self,
        items: Iterable[ImageItem],
        batch_size: int,
        bbox_thr: float,
        options: dict[str, Any],
        on_error: str,
    ) -> Iterator[PoseResult]:
        loaded = self._load_all(items, ahead=max(2, 2 * batch_size))
        if _is_on_cpu(self.model):
            batch_size = min(batch_size, CPU_BATCH_SIZE)
        results = run_in_batches(
            loaded,
            _kind_of,
            lambda batch: self._predict_batch(batch, bbox_thr, options),
            batch_size,
        )
        try:
            for index, result in enumerate(results):
                result.index = index
                if result.error is not None and on_error == 'raise':
                    raise result.error
                if result.error is not None and on_error == 'warn':
                    print_log(f'left out: {result.error}', 'current', logging.WARNING)
                yield result
        finally:
            loaded.close()

    def _load_all(self, items: Iterable[ImageItem], ahead: int) -> Iterator[_Loaded]:
        return load_ahead(items, self._load, self.num_threads, ahead)

    def _load(self, item: ImageItem) -> _Loaded:
        """Decode and transform an image; runs in threads."""
        try:
            results = item.load(self._loader)
            image = results['img']
            data = self._transforms({**results, **self.dataset_meta})
        except (OSError, ValueError) as error:
            return _Loaded(item, error=error)
        return _Loaded(item, image, data, _padded_size(data, self.model))

    def _predict_batch(
        self, batch: Sequence[_Loaded], bbox_thr: float, options: dict[str, Any]
    ) -> list[PoseResult]:
        if batch[0].error is not None:
            return [self._fail(loaded) for loaded in batch]
        samples = self._run_model([each.data for each in batch], options)
        return [self._pack(*each, bbox_thr) for each in zip(batch, samples)]

    def _run_model(
        self, data: list[dict], options: dict[str, Any]
    ) -> list[PoseDataSample]:
        with self._lock, torch.no_grad():
            given = self.model.test_cfg
            self.model.test_cfg = ConfigDict({**given, **options})
            try:
                return self.model.test_step(pseudo_collate(data))
            finally:
                self.model.test_cfg = given

    def _pack(
        self, loaded: _Loaded, sample: PoseDataSample, bbox_thr: float
    ) -> PoseResult:
        people = sample.pred_instances
        people = people[people.bbox_scores > bbox_thr]
        heatmaps = None
        if 'pred_fields' in sample:
            heatmaps = sample.pred_fields.heatmaps.cpu().numpy()
        has_presence = 'keypoint_presence' in people
        return PoseResult(
            boxes=people.bboxes,
            scores=people.bbox_scores,
            keypoints=people.keypoints,
            keypoint_scores=people.keypoint_scores,
            keypoint_presence=people.get('keypoint_presence'),
            keypoints_visible=people.keypoints_visible if has_presence else None,
            keypoint_covariances=people.get('keypoint_covariances'),
            labels=people.get('labels'),
            masks=people.get('masks'),
            heatmaps=heatmaps,
            shape=loaded.image.shape[:2],
            image=loaded.image if self.keep_images else None,
            **self._common(loaded),
        )

    def _fail(self, loaded: _Loaded) -> PoseResult:
        nobody = np.zeros((0, len(self.names)), np.float32)
        return PoseResult(
            boxes=np.zeros((0, 4), np.float32),
            scores=np.zeros(0, np.float32),
            keypoints=np.zeros((*nobody.shape, 2), np.float32),
            keypoint_scores=nobody,
            shape=(0, 0),
            error=loaded.error,
            **self._common(loaded),
        )

    def _common(self, loaded: _Loaded) -> dict[str, Any]:
        return dict(
            names=self.names,
            path=loaded.item.path,
            frame=loaded.item.frame,
            time=loaded.item.time,
            kpt_thr=self.kpt_thr,
            dataset_meta=self.dataset_meta,
        )


class _Loaded(NamedTuple):
    """An image in the form that the network takes, or why there is none."""

    item: ImageItem
    image: np.ndarray | None = None
    data: dict | None = None
    size: tuple[int, ...] | None = None
    error: Exception | None = None


def _kind_of(loaded: _Loaded) -> Hashable:
    # Broken images wait for no others: each is a kind of its own.
    return id(loaded) if loaded.error is not None else loaded.size


def _is_on_cpu(model: nn.Module) -> bool:
    return next(model.parameters()).device.type == 'cpu'


def _padded_size(data: dict, model: nn.Module) -> tuple[int, ...]:
    """Return the size that an image has as the network's input, padded.

    Padding is not neutral to a network, so that only images of one padded size give
    together what they give alone.
    """
    divisor = getattr(model.data_preprocessor, 'pad_size_divisor', 1)
    *_, height, width = data['inputs'].shape
    return -(-height // divisor), -(-width // divisor)


def _get_model(
    model: str | os.PathLike | nn.Module,
    checkpoint: str | os.PathLike | None,
    device: str | torch.device | None,
    options: dict[str, Any],
) -> nn.Module:
    if isinstance(model, nn.Module):
        if checkpoint is not None or options:
            raise UsageError(
                'checkpoint, flip_test and cfg_options are for a model given by name '
                'or config; this one is already built.'
            )
        if not hasattr(model, 'cfg') or not hasattr(model, 'dataset_meta'):
            raise UsageError(
                "the model has no cfg or no dataset_meta; build it by onestage_pose's "
                "load_model or mmpose's init_model."
            )
        return (model if device is None else model.to(choose_device(device))).eval()
    if not isinstance(model, (str, os.PathLike)) or not os.fspath(model):
        raise UsageError(
            f'model={model!r}: give the name of a published model, a config and its '
            'checkpoint, or a model that is built.'
        )
    config, weights = find_model(
        os.fspath(model), None if checkpoint is None else os.fspath(checkpoint)
    )
    return build_model(config, weights, options, choose_device(device))


def _build_pipeline(cfg: Any) -> tuple[LoadImageFromFile, Compose]:
    """Return the transform that loads, and those after it."""
    init_default_scope(cfg.get('default_scope', 'mmpose'))
    pipeline = Compose(cfg.test_dataloader.dataset.pipeline)
    loader, *others = pipeline.transforms
    if not isinstance(loader, LoadImageFromFile):
        loader, others = LoadPoseImage(), pipeline.transforms
    return loader, Compose(others)
