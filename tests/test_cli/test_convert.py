# Copyright (c) onestage_pose contributors.
"""What `onestage-pose convert` says."""

from onestage_pose.cli.convert import shorten


def test_counters_of_normalisation_layers_are_named_together():
    names = ['a.bn1.num_batches_tracked', 'optimizer', 'a.bn2.num_batches_tracked']

    assert shorten(names) == ['optimizer', 'num_batches_tracked of 2 layers']


def test_other_names_are_all_there():
    assert shorten(['pixel_mean', 'optimizer']) == ['pixel_mean', 'optimizer']
