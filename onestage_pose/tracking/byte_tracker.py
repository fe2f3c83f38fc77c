# Copyright (c) onestage_pose contributors.
"""mmdet's ByteTrack, which tells people apart by their poses too, and by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from addict import Dict
from mmdet.models.task_modules import KalmanFilter
from mmdet.models.trackers import ByteTracker
from mmdet.models.trackers import byte_tracker as mmdet_byte_tracker
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox_cxcyah_to_xyxy
from mmengine.structures import InstanceData

from ..utils.errors import UsageError
from .similarity import move_keypoints, pairwise_iou, pairwise_oks

# mmdet's noise is that of a frame of a video of this rate.
_FRAME = 1 / 30
# What nobody is assigned at.
_NEVER = 1e6


class ClockedKalmanFilter(KalmanFilter):
    """mmdet's Kalman filter of boxes, for frames whose distance in time varies.

    Attributes:
        elapsed (float): Seconds to the next prediction.
    """

    elapsed = _FRAME

    def predict(
        self, mean: np.ndarray, covariance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predict where a box is after :attr:`elapsed` seconds.

        Args:
            mean (np.ndarray): (8,) centre, aspect ratio, height, and what these change
                by in a thirtieth of a second.
            covariance (np.ndarray): (8, 8).

        Returns:
            tuple[np.ndarray, np.ndarray]: The same, later.
        """
        frames = self.elapsed / _FRAME
        self._motion_mat[:4, 4:] = frames * np.eye(4)
        # one step of mmdet's noise, of which a longer time has more
        moved = self._motion_mat @ covariance @ self._motion_mat.T
        mean, predicted = super().predict(mean, covariance)
        return mean, moved + frames * (predicted - moved)


class PoseByteTracker(ByteTracker):
    """mmdet's ByteTracker on people of one frame after the other.

    Three things differ. Two people are as alike as their boxes and their poses are, on
    average, at the predicted place or where they were last seen. Somebody is forgotten
    after seconds, not frames. And only what the next frame needs is kept.

    Args:
        sigmas (Sequence[float] | None): (K,) of OKS; None goes by boxes alone.
        low_thr (float): Boxes are used whose score is over this: weak ones continue a
            person, and start none.
        high_thr (float): Boxes over this start a new person.
        max_gap (float): Seconds that somebody may be lost for.
        num_tentatives (int): Frames, one after the other, that make a new person.
            Those of the first frame are at once.
        min_similarity (float): Of box or pose, to be the same person.

    Raises:
        UsageError: lap is not installed.
    """

    def __init__(
        self,
        sigmas: Sequence[float] | None,
        low_thr: float,
        high_thr: float,
        max_gap: float = 1.0,
        num_tentatives: int = 2,
        min_similarity: float = 0.3,
    ) -> None:
        if mmdet_byte_tracker.lap is None:
            raise UsageError(
                'tracking needs lap, which is not installed: pip install '
                "'onestage_pose[track]', or pip install lap."
            )
        super().__init__(
            obj_score_thrs=dict(high=high_thr, low=low_thr),
            init_track_thr=high_thr,
            weight_iou_with_det_scores=False,
            match_iou_thrs=dict.fromkeys(('high', 'low', 'tentative'), min_similarity),
            num_tentatives=num_tentatives,
        )
        self.motion = ClockedKalmanFilter()
        self.sigmas, self.max_gap = sigmas, max_gap

    def reset(self) -> None:
        """Forget everybody."""
        super().reset()
        self.num_frames, self._time, self._predicted_to = 0, 0.0, 0.0

    def __call__(
        self, boxes: np.ndarray, scores: np.ndarray, keypoints: np.ndarray, time: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find out who is who in the next frame.

        Args:
            boxes (np.ndarray): (N, 4) xyxy in pixels.
            scores (np.ndarray): (N,) 0 to 1.
            keypoints (np.ndarray): (N, K, 3): x, y in pixels, and the score.
            time (float): Of the frame in seconds, later than the frame before.

        Returns:
            tuple[np.ndarray, np.ndarray]: Of those who are followed, the rows in
            ``boxes`` and the numbers of mmdet's tracks, both int64. Who is not sure
            to be there yet is left out.
        """
        self._time, self._keypoints = time, keypoints
        self.motion.elapsed = time - self._predicted_to
        if len(boxes):
            # mmdet predicts in frames with boxes alone
            self._predicted_to = time
        sample = DetDataSample(metainfo=dict(frame_id=self.num_frames))
        # a row in place of a category: mmdet hands it through
        sample.pred_instances = InstanceData(
            bboxes=torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4),
            scores=torch.as_tensor(scores, dtype=torch.float32),
            labels=torch.arange(len(boxes)),
        )
        found = self.track(sample)
        self.num_frames += 1
        rows, ids = found.labels.numpy(), found.instances_id.numpy()
        sure = np.isin(ids, self.confirmed_ids)
        return rows[sure], ids[sure]

    def assign_ids(
        self,
        ids: list[int],
        det_bboxes: torch.Tensor,
        det_labels: torch.Tensor,
        det_scores: torch.Tensor,
        weight_iou_with_det_scores: bool | None = False,
        match_iou_thr: float | None = 0.5,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Assign tracks to people by box and pose; see mmdet's."""
        if not ids or not len(det_bboxes):
            return np.full(len(ids), -1), np.full(len(det_bboxes), -1)
        tracks = [self.tracks[number] for number in ids]
        seen = np.stack([track.bboxes[-1][0].numpy() for track in tracks])
        means = torch.from_numpy(np.stack([track.mean[:4] for track in tracks]))
        predicted = bbox_cxcyah_to_xyxy(means).numpy()
        keypoints = np.stack([track.keypoints for track in tracks])
        moved = move_keypoints(keypoints, seen, predicted)
        boxes, others = det_bboxes.numpy(), self._keypoints[det_labels.numpy()]
        alike = np.zeros((len(ids), len(boxes)))
        enough = np.zeros(alike.shape, bool)
        for place, points in ((predicted, moved), (seen, keypoints)):
            kinds = [pairwise_iou(place, boxes)]
            if self.sigmas is not None:
                kinds.append(pairwise_oks(points, others, place, self.sigmas))
            alike = np.maximum(alike, np.mean(kinds, 0))
            enough |= np.max(kinds, 0) >= match_iou_thr
        costs = np.where(enough, 1 - alike, _NEVER)
        _, rows, columns = mmdet_byte_tracker.lap.lapjv(
            costs, extend_cost=True, cost_limit=1
        )
        return rows, columns

    def init_track(self, id: int, obj: tuple[torch.Tensor, ...]) -> None:
        """Begin a track; see mmdet's."""
        super().init_track(id, obj)
        self._see(id)

    def update_track(self, id: int, obj: tuple[torch.Tensor, ...]) -> None:
        """Go on with a track; see mmdet's."""
        super().update_track(id, obj)
        self._see(id)

    def _see(self, id: int) -> None:
        track = self.tracks[id]
        track.keypoints = self._keypoints[int(track.labels[-1])]
        track.time = self._time
        for name in self.memo_items:
            # as many as tell whether it is tentative
            del track[name][: -self.num_tentatives]

    def pop_invalid_tracks(self, frame_id: int) -> None:
        """Forget who is lost for too long, and who was not sure to be there."""
        for number, track in list(self.tracks.items()):
            is_seen = track.frame_ids[-1] == frame_id
            is_lost = self._time - track.time > self.max_gap
            if is_lost or (track.tentative and not is_seen):
                del self.tracks[number]

    def state_dict(self) -> dict[str, Any]:
        """Return what :meth:`load_state_dict` takes, for JSON."""
        tracks = {}
        for number, track in self.tracks.items():
            memory = {
                name: [each.tolist() for each in track[name]]
                for name in getattr(self, 'memo_items', ())
            }
            tracks[str(number)] = dict(
                memory=memory,
                mean=track.mean.tolist(),
                covariance=track.covariance.tolist(),
                keypoints=track.keypoints.tolist(),
                tentative=track.tentative,
                time=track.time,
            )
        return dict(
            num_tracks=int(self.num_tracks),
            num_frames=self.num_frames,
            predicted_to=self._predicted_to,
            tracks=tracks,
        )

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken."""
        self.reset()
        self.num_tracks, self.num_frames = state['num_tracks'], state['num_frames']
        self._predicted_to = state['predicted_to']
        for number, saved in state['tracks'].items():
            track = Dict(mean=np.array(saved['mean']))
            track.covariance = np.array(saved['covariance'])
            track.keypoints = np.array(saved['keypoints'])
            track.tentative, track.time = saved['tentative'], saved['time']
            for name, values in saved['memory'].items():
                track[name] = [torch.tensor(each) for each in values]
            self.memo_items = list(saved['memory'])
            self.tracks[int(number)] = track
