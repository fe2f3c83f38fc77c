#!/usr/bin/env bash
# Copyright (c) onestage_pose contributors.
# Trains with several processes, one a GPU; without GPUs they share the CPU.
set -euo pipefail

if [ "$#" -lt 2 ]; then
    echo "Usage: $0 CONFIG PROCESSES [options of train.py]" >&2
    exit 2
fi
TOOLS=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/dist_launch.sh
source "$TOOLS/dist_launch.sh"

launch "$2" "$TOOLS/train.py" "$1" --launcher pytorch "${@:3}"
