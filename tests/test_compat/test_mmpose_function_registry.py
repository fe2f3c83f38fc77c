# Copyright (c) onestage_pose contributors.
"""mmpose's scope has functions, so that inferencers do not warn."""

from onestage_pose.compat.mmpose_function_registry import add_registry

import mmpose.registry
from mmengine.dataset import pseudo_collate
from mmengine.registry import FUNCTIONS


def test_functions_of_mmengine_are_found_in_mmposes_scope():
    with FUNCTIONS.switch_scope_and_registry('mmpose') as registry:
        assert registry.scope == 'mmpose'
        assert registry.get('pseudo_collate') is pseudo_collate


def test_adding_again_changes_nothing():
    before = FUNCTIONS.children['mmpose']

    add_registry(mmpose.registry)

    assert FUNCTIONS.children['mmpose'] is before


def test_mmpose_still_needs_it():
    assert not hasattr(mmpose.registry, 'FUNCTIONS'), 'the patch can go'
