# Copyright (c) onestage_pose contributors.
"""Every patch of an installed package that importing onestage_pose makes.

One module a patch. It names the upstream version, and its test fails once upstream has
mended it, so that the patch can go.
"""

from wrapt import register_post_import_hook

from . import mmengine_package_utils, xtcocotools


def install() -> None:
    """Arrange for every patch, to be made when what it patches is imported."""
    xtcocotools.install()
    register_post_import_hook(
        mmengine_package_utils.install, 'mmengine.utils.package_utils'
    )
