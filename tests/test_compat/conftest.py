# Copyright (c) onestage_pose contributors.
from tests.test_apis.conftest import *  # noqa: F403
