# Copyright (c) onestage_pose contributors.
"""Run the tool of this name in projects/synthetic_people, where it is now."""

import runpy

from onestage_pose.utils.deprecation import warn_deprecated
from onestage_pose.utils.paths import get_data_root

NEW = 'projects/synthetic_people/tools/synthetic_people_to_coco.py'

if __name__ == '__main__':
    warn_deprecated('tools/dataset_converters/synthetic_people_to_coco.py', NEW)
    runpy.run_path(str(get_data_root() / NEW), run_name='__main__')
