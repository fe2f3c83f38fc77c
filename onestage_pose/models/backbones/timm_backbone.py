# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from mmengine.runner import load_checkpoint
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ...utils.arguments import NonNegativeInt, check_arguments
from .frozen_depthwise_conv import FrozenDepthwiseConv2d


@MODELS.register_module()
class TimmBackbone(BaseModule):
    """Use any backbone of timm that has feature maps.

    It computes in channels-last order, which CPUs and GPUs prefer for convolutions.

    Args:
        model_name (str): Its name in timm, such as ``'efficientnet_lite0'``.
        out_indices (Sequence[int]): Indices of timm's feature maps to return; in most
            backbones, 1 to 4 have the strides 4 to 32.
        frozen_stages (int): The layers up to the feature map of this index do not
            learn, batch norm's statistics included, counted as in ``out_indices``; -1
            freezes none.
        freeze_depthwise (bool): Depthwise convolutions do not learn, see
            :class:`FrozenDepthwiseConv2d`; the pointwise ones beside them do. Makes
            training two to three times as fast on a CPU in bfloat16.
        predict_in_float32 (bool): Predict in float32 under mixed precision too.
            Depthwise convolutions gain little from bfloat16 on a CPU and lose accuracy.
        norm_eval (bool): Batch norm layers keep their statistics and do not learn.
        init_cfg (dict, optional): ``dict(type='Pretrained', checkpoint=FILE)`` with
            weights under timm's names; a classifier among them is ignored. With
            ``prefix='backbone'``, FILE is a checkpoint of a whole detector.
        **kwargs: Passed on to ``timm.create_model``.

    Raises:
        ImportError: If timm is not installed.
        ValueError: timm does not know the model, or the model has no such maps.
    """

    @check_arguments
    def __init__(
        self,
        model_name: str,
        out_indices: Sequence[NonNegativeInt] = (1, 2, 3, 4),
        frozen_stages: int = -1,
        freeze_depthwise: bool = False,
        predict_in_float32: bool = False,
        norm_eval: bool = False,
        init_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.norm_eval = norm_eval
        self.predict_in_float32 = predict_in_float32
        self.timm_model = _create(model_name, tuple(out_indices), kwargs)
        info = self.timm_model.feature_info
        self.channels: list[int] = info.channels()
        self.strides: list[int] = info.reduction()
        # some models, such as Swin, give maps (B, H, W, C)
        layout = str(getattr(self.timm_model, 'output_fmt', 'NCHW'))
        self._channels_come_last = layout.endswith('NHWC')
        if freeze_depthwise:
            _freeze_depthwise(self.timm_model)
        if norm_eval:
            for module in self.timm_model.modules():
                if isinstance(module, _BatchNorm):
                    module.requires_grad_(False)
        self._frozen: list[nn.Module] = []
        if frozen_stages >= 0:
            self._freeze_until(info.info[frozen_stages]['module'])
        self.timm_model.to(memory_format=torch.channels_last)

    def _freeze_until(self, last_module: str) -> None:
        """Freeze all parameters in front of the end of a module of timm's model."""
        # timm flattens the names of some models' modules, and wraps some models
        last = last_module, last_module.replace('.', '_')
        inside = tuple(f'{name}.' for name in last)
        modules = list(self.timm_model.named_modules())
        names = [name.removeprefix('model.') for name, _ in modules]
        ends = [
            i for i, name in enumerate(names) if name in last or name.startswith(inside)
        ]
        if not ends:
            raise ValueError(
                f'TimmBackbone: timm does not tell where {last_module!r} of this model '
                'ends: set frozen_stages=-1.'
            )
        self._frozen = [module for _, module in modules[: ends[-1] + 1]]
        for module in self._frozen:
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(False)

    def init_weights(self) -> None:
        """Load the weights that ``init_cfg`` names.

        Raises:
            FileNotFoundError: There is no such file.
        """
        if self.init_cfg is None or self.is_init or 'prefix' in self.init_cfg:
            super().init_weights()
            return
        path = self.init_cfg['checkpoint']
        try:
            load_checkpoint(self.timm_model, path, 'cpu', logger='current')
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'{path}: there are no such weights for the backbone; '
                'docs/reference/models.md says where they come from. Set '
                'model.backbone.init_cfg.checkpoint to them, or '
                'model.backbone.init_cfg=None to start without.'
            ) from error
        self._is_init = True

    def train(self, mode: bool = True) -> TimmBackbone:
        """Switch to training mode, except for frozen batch norm."""
        super().train(mode)
        kept = self.timm_model.modules() if self.norm_eval else self._frozen
        for module in kept:
            if isinstance(module, _BatchNorm):
                module.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps.

        Args:
            x (Tensor): Normalised images (B, 3, H, W).

        Returns:
            tuple[Tensor]: For each of ``out_indices`` one map
            (B, ``channels[i]``, H / ``strides[i]``, W / ``strides[i]``).
        """
        x = x.contiguous(memory_format=torch.channels_last)
        with self._precision(x.device.type):
            maps = self.timm_model(x)
        if self._channels_come_last:
            maps = [each.permute(0, 3, 1, 2) for each in maps]
        return tuple(maps)

    def _precision(self, device_type: str) -> AbstractContextManager:
        if self.predict_in_float32 and not torch.is_grad_enabled():
            return torch.autocast(device_type, enabled=False)
        return nullcontext()


def _create(model_name: str, out_indices: tuple[int, ...], kwargs: dict) -> nn.Module:
    try:
        import timm
    except ImportError as error:
        raise ImportError(
            f'TimmBackbone(model_name={model_name!r}) needs the package timm, which is '
            'not installed: pip install timm'
        ) from error
    if not timm.is_model(model_name):
        alike = timm.list_models(f'*{model_name.split("_")[0]}*')[:8]
        raise ValueError(
            f'TimmBackbone: timm {timm.__version__} knows no model_name='
            f'{model_name!r}; it has {alike or "others"}, see timm.list_models().'
        )
    try:
        return timm.create_model(
            model_name, features_only=True, out_indices=out_indices, **kwargs
        )
    except (RuntimeError, AssertionError, IndexError) as error:
        raise ValueError(
            f'TimmBackbone: {model_name!r} of timm {timm.__version__} does not give '
            f'feature maps out_indices={out_indices}: {error}'
        ) from error


def _freeze_depthwise(model: nn.Module) -> None:
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if FrozenDepthwiseConv2d.can_replace(child):
                setattr(parent, name, FrozenDepthwiseConv2d.from_conv(child))
