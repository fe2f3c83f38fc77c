#!/usr/bin/env bash
# Copyright (c) onestage_pose contributors.
# Tests with several processes, one a GPU; without GPUs they share the CPU.
set -euo pipefail

if [ "$#" -lt 3 ]; then
    echo "Usage: $0 CONFIG CHECKPOINT PROCESSES [options of test.py]" >&2
    exit 2
fi
TOOLS=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/dist_launch.sh
source "$TOOLS/dist_launch.sh"

launch "$3" "$TOOLS/test.py" "$1" "$2" --launcher pytorch "${@:4}"
