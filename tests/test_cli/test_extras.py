# Copyright (c) onestage_pose contributors.
"""A command without the packages of its extra names both."""

from onestage_pose.cli.extras import needs_extra
from onestage_pose.utils.errors import UsageError

import pytest


def test_missing_package_and_extra_are_named():
    words = r"no no_such_package, which the page needs: .*'onestage_pose\[onnx\]'"
    with pytest.raises(UsageError, match=words), needs_extra('onnx', 'the page'):
        import no_such_package  # noqa: F401
