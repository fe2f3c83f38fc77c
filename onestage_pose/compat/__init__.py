# Copyright (c) onestage_pose contributors.
"""Every patch of an installed package that importing onestage_pose makes."""
