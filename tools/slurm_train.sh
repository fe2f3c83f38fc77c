#!/usr/bin/env bash
# Copyright (c) onestage_pose contributors.
# Trains under Slurm.
set -euo pipefail

if [ "$#" -lt 4 ]; then
    echo "Usage: $0 PARTITION JOB_NAME CONFIG WORK_DIR [options of train.py]" >&2
    exit 2
fi
TOOLS=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/slurm_launch.sh
source "$TOOLS/slurm_launch.sh"

launch "$1" "$2" "$TOOLS/train.py" "$3" "--work-dir=$4" --launcher=slurm "${@:5}"
