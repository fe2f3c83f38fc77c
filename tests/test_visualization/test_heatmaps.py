# Copyright (c) onestage_pose contributors.
from onestage_pose.codecs import RoIHeatmap
from onestage_pose.visualization import heatmaps, paste_heatmaps

import pytest
import torch

from tests.heatmap_factory import gaussian_logits, random_boxes


class TestPasteHeatmaps:
    box = torch.tensor([[30.0, 10.0, 86.0, 66.0]])

    def test_the_peak_is_at_the_keypoints_pixel(self):
        # bins and pixels coincide: bin (12, 40) is pixel (42, 50)
        logits = gaussian_logits(torch.tensor([[[12.5, 40.5], [3.5, 2.5]]]))
        pasted = paste_heatmaps(logits, self.box, (100, 120))
        at = pasted.flatten(1).argmax(-1)
        assert torch.stack((at % 120, at // 120), -1).tolist() == [[42, 50], [33, 12]]

    def test_follows_the_decoded_keypoint_into_any_box(self):
        logits = gaussian_logits(4 + 48 * torch.rand(6, 4, 2))
        boxes = random_boxes(6, smallest=60.0)
        boxes[:, :] -= boxes.amin() - 5
        keypoints, _ = RoIHeatmap().decode(logits, boxes)
        for person in range(6):
            pasted = paste_heatmaps(logits[[person]], boxes[[person]], (1000, 1000))
            at = pasted.flatten(1).argmax(-1)
            center = torch.stack((at % 1000, at // 1000), -1) + 0.5
            bin_size = (boxes[person, 2:] - boxes[person, :2]) / 56
            assert ((center - keypoints[person]).abs() <= bin_size + 1).all()

    def test_everybodys_maximum_is_one_and_the_rest_of_the_picture_zero(self):
        logits = gaussian_logits(torch.tensor([[[12.5, 40.5]]]))
        pasted = paste_heatmaps(logits, self.box, (100, 120))
        outside = pasted.clone()
        outside[:, 10:66, 30:86] = 0
        assert pasted.max().item() == pytest.approx(1) and not outside.any()

    def test_those_that_are_not_shown_are_left_out(self, monkeypatch):
        # an instance at a time
        monkeypatch.setattr(heatmaps, 'MAX_PASTED', 1)
        logits = gaussian_logits(torch.tensor([[[12.5, 40.5]] * 2, [[30.5, 20.5]] * 2]))
        boxes = self.box.repeat(2, 1)
        shown = torch.tensor([[True, False], [False, True]])

        pasted = paste_heatmaps(logits, boxes, (100, 120), shown)

        each = [paste_heatmaps(logits[[i]], boxes[[i]], (100, 120)) for i in range(2)]
        assert torch.equal(pasted, torch.stack((each[0][0], each[1][1])))

    def test_the_higher_value_counts_where_people_overlap(self):
        logits = gaussian_logits(torch.tensor([[[12.5, 40.5]], [[30.5, 20.5]]]))
        boxes = self.box.repeat(2, 1)
        both = paste_heatmaps(logits, boxes, (100, 120))
        each = [paste_heatmaps(logits[[i]], boxes[[i]], (100, 120)) for i in range(2)]
        assert torch.equal(both, torch.maximum(*each))

    @pytest.mark.parametrize(
        'box', [(-30.0, -20.0, 26.0, 36.0), (100.0, 80.0, 300.0, 280.0)]
    )
    def test_a_box_that_leaves_the_picture_is_cut(self, box):
        logits = torch.zeros(1, 1, 56, 56)
        pasted = paste_heatmaps(logits, torch.tensor([box]), (100, 120))
        x1, y1, x2, y2 = (int(max(value, 0)) for value in box)
        expected = torch.zeros(1, 100, 120)
        expected[:, y1:y2, x1:x2] = 1
        torch.testing.assert_close(pasted, expected)

    @pytest.mark.parametrize(
        'box', [(-90.0, -90.0, -34.0, -34.0), (200.0, 10.0, 256.0, 66.0)]
    )
    def test_a_box_beside_the_picture_draws_nothing(self, box):
        logits = torch.randn(1, 2, 56, 56)
        assert not paste_heatmaps(logits, torch.tensor([box]), (100, 120)).any()

    def test_nobody(self):
        pasted = paste_heatmaps(torch.zeros(0, 7, 56, 56), torch.zeros(0, 4), (10, 12))
        assert pasted.shape == (7, 10, 12) and not pasted.any()

    @pytest.mark.parametrize('at_once', [1, 3 * 5 * 60 * 70])
    def test_is_the_same_whatever_is_held_at_once(self, monkeypatch, at_once):
        logits = gaussian_logits(4 + 48 * torch.rand(7, 5, 2))
        boxes = random_boxes(7, largest=80.0) / 8
        whole = paste_heatmaps(logits, boxes, (60, 70))
        monkeypatch.setattr(heatmaps, 'MAX_PASTED', at_once)
        assert torch.equal(paste_heatmaps(logits, boxes, (60, 70)), whole)
