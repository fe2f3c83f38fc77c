# Copyright (c) onestage_pose contributors.
"""The options of ``model.test_cfg``, typed: what the model is, and how it is run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ...utils.arguments import check_keys
from ...utils.errors import ConfigValueError
from ...utils.suggestions import did_you_mean

AMP_DTYPES = {'bfloat16': torch.bfloat16, 'float16': torch.float16}
#: Keys of ``rpn`` and ``rcnn``; -1 stands for any number of boxes.
BOX_OPTIONS: dict[str, dict[str, Any]] = {
    'rpn': dict(nms_pre=int, max_per_img=int, min_bbox_size=float, nms=dict),
    'rcnn': dict(score_thr=float, max_per_img=int, mask_thr_binary=float, nms=dict),
}
POSE_NMS = ('oks_nms', 'soft_oks_nms')


def _check_flag(value: Any) -> Any:
    if value not in (None, False, True):
        raise ValueError('give True or False')
    return value


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag = Annotated[bool | None, BeforeValidator(_check_flag)]


class _Options(BaseModel):
    model_config = ConfigDict(extra='forbid')


class PoseNMSCfg(_Options):
    """Suppression by poses, see :func:`pose_nms`."""

    type: Literal['oks_nms', 'soft_oks_nms']
    thr: Number
    sigmas: list[Number] | None = None


class PredictionCfg(_Options):
    """What the model is: which instances it finds, and with which scores.

    ``rpn`` and ``rcnn`` are mmdet's, which reads them in the first evaluation. Other
    keys than :data:`BOX_OPTIONS` pass where they resemble none of them.
    """

    rpn: Any = None
    rcnn: Any = None
    flip_test: Flag = None
    rescore_thr: Number | None = None
    #: Keypoints count in the score as much as they are probably in the image; needs
    #: ``rescore_thr`` and a visibility branch.
    rescore_by_presence: Flag = None
    pose_nms: PoseNMSCfg | None = None


class RuntimeCfg(_Options):
    """How it is run: the same instances but for rounding."""

    output_heatmaps: Flag = None
    #: Heatmaps are those of instances whose score is over this.
    heatmap_thr: Number | None = None
    #: Whether ``pred_instances`` have ``keypoint_covariances`` (N, K, 2, 2).
    output_covariances: Flag = None
    winograd: Flag = None
    folded_norms: Flag = None
    amp_dtype: Literal['bfloat16', 'float16'] | None = None
    #: Whether a GPU may round float32 to TF32 in products; it does not by default.
    tf32: Flag = None
    #: Whether the dense parts run through ``torch.compile``; they do not by default.
    compile: Flag = None

    @property
    def dtype(self) -> torch.dtype | None:
        """torch.dtype: What layers compute in, None for float32."""
        return AMP_DTYPES.get(self.amp_dtype)


class KeypointTestCfg(PredictionCfg, RuntimeCfg):
    """All options of ``model.test_cfg`` of a :class:`KeypointRCNN`."""

    @classmethod
    def read(cls, test_cfg: dict) -> KeypointTestCfg:
        """Check ``model.test_cfg``.

        Args:
            test_cfg (dict): As it stands in the config.

        Returns:
            KeypointTestCfg: The same, typed.

        Raises:
            ConfigValueError: On an unknown key, with the likely one, or a value of
                another type.
        """
        for name, hints in BOX_OPTIONS.items():
            if isinstance(test_cfg.get(name), dict):
                check_keys(test_cfg[name], hints, f'model.test_cfg.{name}')
        try:
            return cls.model_validate(dict(test_cfg))
        except ValidationError as error:
            raise ConfigValueError(cls._explain(test_cfg, error)) from None

    @classmethod
    def _explain(cls, test_cfg: dict, error: ValidationError) -> str:
        """Return what is wrong, in the words of the config."""
        unknown = sorted(set(test_cfg) - set(cls.model_fields))
        if unknown:
            known = sorted(cls.model_fields)
            return (
                f'model.test_cfg has unknown keys {unknown}: known are {known}.'
                f'{"".join(did_you_mean(name, known) for name in unknown)}'
            )
        name = error.errors()[0]['loc'][0]
        value = test_cfg[name]
        if name == 'amp_dtype':
            return (
                f'model.test_cfg.amp_dtype={value!r} is unknown, use one of '
                f'{sorted(AMP_DTYPES)} or None.'
            )
        if name == 'pose_nms' and isinstance(value, dict):
            if value.get('type') not in POSE_NMS:
                return (
                    f'model.test_cfg.pose_nms.type={value.get("type")!r} is unknown, '
                    f'use one of {sorted(POSE_NMS)}.'
                )
            key = error.errors()[0]['loc'][1]
            if key not in value or key not in PoseNMSCfg.model_fields:
                return (
                    'model.test_cfg.pose_nms takes type, thr and sigmas, got '
                    f'{sorted(value)}.'
                )
            name, value = f'pose_nms.{key}', value[key]
        message = error.errors()[0]['msg'].removeprefix('Value error, ')
        return f'model.test_cfg.{name}={value!r}: {message}.'

    def check_presence(self, branch: object | None) -> None:
        """Refuse to rank by what the model does not predict.

        Args:
            branch (nn.Module, optional): The keypoint head's ``visibility_branch``.

        Raises:
            ConfigValueError: ``rescore_by_presence`` is on and there is none, or
                ``rescore_thr`` is not given.
        """
        if self.rescore_by_presence and (branch is None or self.rescore_thr is None):
            raise ConfigValueError(
                'model.test_cfg.rescore_by_presence=True needs '
                'model.roi_head.keypoint_head.visibility_branch=dict() and '
                'model.test_cfg.rescore_thr, such as 0.0.'
            )

    def check_sigmas(
        self, num_keypoints: int, known: Sequence[float] | None = None
    ) -> None:
        """Refuse OKS of a skeleton whose sigmas are not known.

        Args:
            num_keypoints (int): Keypoints K of the keypoint head.
            known (Sequence[float], optional): Those of the data set, which ``pose_nms``
                takes where it has none of its own. Without, only its own are checked.

        Raises:
            ConfigValueError: ``pose_nms`` has other than K sigmas.
        """
        if self.pose_nms is None:
            return
        own = self.pose_nms.sigmas
        if own is None and known is not None:
            self.pose_nms.sigmas = list(known)
        given = self.pose_nms.sigmas
        if given is not None and len(given) != num_keypoints:
            what = 'the metainfo or COCO has' if own is None else 'got'
            raise ConfigValueError(
                f'model.test_cfg.pose_nms.sigmas: needed for the {num_keypoints} '
                f'keypoints of the keypoint head, {what} {len(given)}.'
            )
