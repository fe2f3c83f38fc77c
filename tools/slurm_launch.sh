# Copyright (c) onestage_pose contributors.
# Sourced by slurm_train.sh and slurm_test.sh: launch PARTITION JOB SCRIPT [arguments]
#
# Environment, as in OpenMMLab's scripts: GPUS (8, over all machines), GPUS_PER_NODE
# (8; 0 for a partition without GPUs), CPUS_PER_TASK (5), SRUN_ARGS (more options of
# srun). TASKS_PER_NODE is GPUS_PER_NODE, or GPUS where that is 0, unless set. PYTHON
# names the interpreter.

launch() {
    local partition=$1 job=$2
    shift 2
    local per_node=${GPUS_PER_NODE:-8}
    local tasks=$per_node
    local resources=("--cpus-per-task=${CPUS_PER_TASK:-5}")
    if [ "$per_node" = 0 ]; then
        tasks=${GPUS:-8}
    else
        resources+=("--gres=gpu:$per_node")
    fi
    export PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}"
    set -x
    # SRUN_ARGS is a list of words.
    # shellcheck disable=SC2086
    exec srun -p "$partition" "--job-name=$job" "${resources[@]}" \
        "--ntasks=${GPUS:-8}" "--ntasks-per-node=${TASKS_PER_NODE:-$tasks}" \
        --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
        "${PYTHON:-python}" -u "$@"
}
