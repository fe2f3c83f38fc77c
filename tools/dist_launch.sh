# Copyright (c) onestage_pose contributors.
# Sourced by dist_train.sh and dist_test.sh: launch PROCESSES SCRIPT [arguments]
#
# Environment, as in OpenMMLab's scripts: NNODES (1), NODE_RANK (0), MASTER_ADDR
# (127.0.0.1) and PORT (29500; on one machine a free one, so that two runs do not
# collide). PYTHON names the interpreter (python).

launch() {
    local processes=$1
    shift
    case $processes in
        '' | 0* | *[!0-9]*)
            echo "$0: '$processes' is not a number of processes; give it as it stands in" \
                "the usage" >&2
            exit 2
            ;;
    esac
    local nnodes=${NNODES:-1}
    local master=${MASTER_ADDR:-127.0.0.1}
    local meeting
    if [ "$nnodes" = 1 ] && [ -z "${PORT:-}" ]; then
        meeting=(--standalone "--local-addr=$master")
    else
        meeting=(
            "--nnodes=$nnodes" "--node_rank=${NODE_RANK:-0}"
            "--master_addr=$master" "--master_port=${PORT:-29500}"
        )
    fi
    # One thread each unless told otherwise, which torchrun would set with a warning.
    export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
    export PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}"
    exec "${PYTHON:-python}" -m torch.distributed.run \
        "${meeting[@]}" "--nproc_per_node=$processes" "$@"
}
