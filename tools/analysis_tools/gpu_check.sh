#!/usr/bin/env bash
# Copyright (c) onestage_pose contributors.
# Everything worth doing on a GPU that is at hand for a few minutes: correctness first,
# then time. Each step has a time limit, and one that fails does not stop the others.
#
#     bash tools/analysis_tools/gpu_check.sh [OUT_DIR]
#
# Environment:
#     DEVICE    cuda (default); cpu rehearses all steps with small sizes
#     PYTHON    the interpreter (python)
#     PARITY    folder of the original programs' golden values, see docs/parity.md
#     BEFORE    a commit whose benchmark runs too, for comparison
#
# OUT_DIR (work_dirs/gpu_check) holds a log of each step, the benchmark's tables and
# `summary.txt`. It takes under eight minutes on a GPU (not measured; the limits of all
# steps together are nine). Exit status: the number of steps that failed.
set -uo pipefail

REPO=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "${1:-work_dirs/gpu_check}"
OUT=$(cd "${1:-work_dirs/gpu_check}" && pwd)
DEVICE=${DEVICE:-cuda}
PYTHON=${PYTHON:-python}
export PYTHONPATH="$REPO${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
cd "$REPO" || exit 1
: > "$OUT/summary.txt"
failed=0 patience=1

# step NAME SECONDS COMMAND...: runs it, logs it, and lets it write what it has at the end
step() {
    local name=$1 limit=$(($2 * patience)) start=$SECONDS status
    shift 2
    echo "== $name: $*"
    timeout --kill-after=10 "$limit" "$@" > "$OUT/$name.log" 2>&1
    status=$?
    tail -n 25 "$OUT/$name.log"
    if [ "$status" != 0 ]; then
        failed=$((failed + 1))
    fi
    # 124: it ran past its limit
    echo "$name: status $status, $((SECONDS - start)) s of $limit" |
        tee -a "$OUT/summary.txt"
}

benchmark=("$PYTHON" tools/analysis_tools/benchmark.py --device "$DEVICE")
config=projects/synthetic_people/configs/gcm-keypoint-rcnn_r18-w32_fpn_demo.py
train=("$PYTHON" tools/train.py "$config" --work-dir "$OUT/training" --no-validate)
short=(default_hooks.checkpoint.interval=10 train_dataloader.num_workers=0
    train_dataloader.persistent_workers=False)
tests=(tests/test_ops tests/test_models/test_acceleration/test_compiled.py)

if [ "$DEVICE" = cpu ]; then
    export CUDA_VISIBLE_DEVICES=-1
    patience=6
    tests=(tests/test_ops/test_batched_nms.py)
    small=(--size 64 96 --people 1 2 --repeat 1 --warm-up 0 --dtypes float32)
    all=("${small[@]}" --models gcm torchvision two-stage --batches 1 2 --train
        --train-batch 1 --profile)
    half=("${small[@]}" --models gcm torchvision)
    rounded=("${small[@]}" --models gcm)
    amp=() norm=BN
    short+=(train_dataloader.batch_size=1)
else
    full=(--size 800 1333 --repeat 7 --warm-up 2)
    all=("${full[@]}" --people 8 32 --dtypes float32 bfloat16 float16 --batches 1 16
        --train --train-batch 8 --profile)
    half=("${full[@]}" --people 8 --dtypes float16 --models gcm 'gcm, compiled' torchvision)
    rounded=("${full[@]}" --people 8 --dtypes float32 --models gcm torchvision)
    amp=(--amp) norm=SyncBN
    step driver 20 nvidia-smi
fi

step tests 60 "$PYTHON" -m pytest -q -m 'not slow' "${tests[@]}"
if [ -n "${PARITY:-}" ]; then
    only=()
    [ "$DEVICE" = cpu ] || only=(-k cuda)
    step parity 90 "$PYTHON" -m pytest -q -m slow tests/test_parity.py \
        "--parity-dir=$PARITY" ${only[@]+"${only[@]}"}
fi
step benchmark 90 "${benchmark[@]}" "${all[@]}" --out-dir "$OUT/benchmark"
step compiled 80 "${benchmark[@]}" "${half[@]}" --out-dir "$OUT/compiled"
step tf32 30 "${benchmark[@]}" "${rounded[@]}" --tf32 --out-dir "$OUT/tf32"
if [ -n "${BEFORE:-}" ]; then
    rm -rf "$OUT/before"
    step checkout 20 git worktree add --detach "$OUT/before" "$BEFORE"
    # the folder that Python finds first decides which package is timed
    PYTHONPATH="$OUT/before" step before 45 "$PYTHON" \
        "$OUT/before/tools/analysis_tools/benchmark.py" --device "$DEVICE" \
        --models gcm torchvision --people 8 --batches 16 --repeat 5 \
        --out-dir "$OUT/benchmark_before"
    git worktree remove --force "$OUT/before"
fi
step train 35 "${train[@]}" ${amp[@]+"${amp[@]}"} \
    --cfg-options "${short[@]}" train_cfg.max_iters=10
step resume 35 "${train[@]}" ${amp[@]+"${amp[@]}"} --resume \
    --cfg-options "${short[@]}" train_cfg.max_iters=20
step "$norm" 35 env "PYTHON=$PYTHON" bash tools/dist_train.sh "$config" 1 \
    --work-dir "$OUT/$norm" --no-validate --cfg-options "${short[@]}" \
    train_cfg.max_iters=10 "model.roi_head.keypoint_head.norm_cfg.type=$norm"

echo
cat "$OUT/summary.txt"
echo "$failed of these failed; logs and tables: $OUT"
exit "$failed"
