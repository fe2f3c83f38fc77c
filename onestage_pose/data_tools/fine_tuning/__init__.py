# Copyright (c) onestage_pose contributors.
"""What ``onestage-pose finetune`` makes of annotations before it trains, and after."""
