# Copyright (c) onestage_pose contributors.
"""One line says which of OpenMMLab's packages serve."""

from importlib import metadata

from onestage_pose.utils.openmmlab import describe_openmmlab

import pytest


@pytest.fixture
def installed(monkeypatch):
    """A function that says what is installed: versions by name."""

    def set_versions(**versions):
        versions = {name.replace('_', '-'): v for name, v in versions.items()}

        def version(name):
            if name not in versions:
                raise metadata.PackageNotFoundError(name)
            return versions[name]

        monkeypatch.setattr(metadata, 'version', version)

    return set_versions


def test_packages_of_openmmlab(installed):
    installed(mmengine='0.10.7', mmcv_lite='2.1.0', mmdet='3.3.0', mmpose='1.3.2')

    assert describe_openmmlab() == (
        'OpenMMLab: mmengine 0.10.7, mmcv-lite 2.1.0, mmdet 3.3.0, mmpose 1.3.2'
    )


def test_forks(installed):
    installed(
        onedl_mmengine='0.10.12',
        onedl_mmcv='2.3.6',
        onedl_mmdetection='3.5.1',
        mmpose='1.3.2',
    )

    assert describe_openmmlab() == (
        'OpenMMLab: onedl-mmengine 0.10.12, onedl-mmcv 2.3.6, onedl-mmdetection 3.5.1, '
        'mmpose 1.3.2'
    )


def test_a_package_of_unknown_origin(installed):
    installed(mmengine='0.10.7', mmcv='2.1.0', mmdet='3.3.0')

    assert describe_openmmlab().endswith('mmdet 3.3.0, mmpose (of unknown origin)')
