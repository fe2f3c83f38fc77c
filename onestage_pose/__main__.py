# Copyright (c) onestage_pose contributors.
"""``python -m onestage_pose`` is the command ``onestage-pose``."""

from .cli.main import main

if __name__ == '__main__':
    main()
