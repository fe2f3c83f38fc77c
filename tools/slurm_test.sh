#!/usr/bin/env bash
# Copyright (c) onestage_pose contributors.
# Tests under Slurm.
set -euo pipefail

if [ "$#" -lt 4 ]; then
    echo "Usage: $0 PARTITION JOB_NAME CONFIG CHECKPOINT [options of test.py]" >&2
    exit 2
fi
TOOLS=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/slurm_launch.sh
source "$TOOLS/slurm_launch.sh"

launch "$1" "$2" "$TOOLS/test.py" "$3" "$4" --launcher=slurm "${@:5}"
