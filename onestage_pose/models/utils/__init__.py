# Copyright (c) onestage_pose contributors.
