# Copyright (c) onestage_pose contributors.
"""The projects of this repository, importable wherever a program is started.

The modules of this package are the folders of ``projects/``, beside ``configs/`` in a
checkout and in ``onestage_pose/.mim`` of an installed package. So a config names one
as ``custom_imports = dict(imports=['onestage_pose.projects.synthetic_people'])``, and
neither the working directory, ``PYTHONPATH`` nor the start method of the data loader's
workers matters. Another package named ``projects``, as MMDetection's and MMPose's
checkouts have one, is not in the way.
"""

from ..utils.paths import get_data_root

__path__ = [str(get_data_root() / 'projects')]
