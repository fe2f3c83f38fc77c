# Copyright (c) onestage_pose contributors.
"""Several processes on GPUs, and on a machine that has none."""

import datetime
import gc
import os
import subprocess

import torch
import torch.distributed as torch_dist
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.dist import is_distributed

# Where each launcher says which process this is.
_VARIABLES = {
    'pytorch': dict(RANK='RANK', WORLD_SIZE='WORLD_SIZE', LOCAL_RANK='LOCAL_RANK'),
    'slurm': dict(
        RANK='SLURM_PROCID', WORLD_SIZE='SLURM_NTASKS', LOCAL_RANK='SLURM_LOCALID'
    ),
    'mpi': dict(
        RANK='OMPI_COMM_WORLD_RANK',
        WORLD_SIZE='OMPI_COMM_WORLD_SIZE',
        LOCAL_RANK='OMPI_COMM_WORLD_LOCAL_RANK',
    ),
}


def prepare_dist(cfg: Config) -> None:
    """Make a config's launcher work on the devices that are there.

    On GPUs mmengine's ``Runner`` does everything. On a CPU it cannot: it selects
    a CUDA device before it joins the other processes, and gives
    ``DistributedDataParallel`` device numbers. So the processes are joined here
    (by gloo; ``Runner`` leaves a group that exists alone), and the wrapper is
    told of no devices. Does nothing for ``launcher='none'``.

    Args:
        cfg (Config): Its ``launcher`` and ``env_cfg.dist_cfg`` are read, and its
            ``model_wrapper_cfg`` is written on a CPU.

    Raises:
        RuntimeError: If the launcher's variables are not set, or a process has
            no GPU of its own.
    """
    if cfg.launcher == 'none':
        return
    source = _VARIABLES[cfg.launcher]['LOCAL_RANK']
    if source in os.environ:
        # of which mmengine chooses the GPU, and then the wrapper's by LOCAL_RANK
        os.environ['LOCAL_RANK'] = os.environ[source]
    device = get_device()
    if device == 'cuda':
        _check_gpu_count()
    if device != 'cpu':
        return
    if not is_distributed():
        _join(cfg)
    wrapper = cfg.get('model_wrapper_cfg') or ConfigDict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    wrapper.device_ids = None
    cfg.model_wrapper_cfg = wrapper


def leave_dist() -> None:
    """Leave the group of processes, when everything is done.

    Threads of gloo's that still run when Python has ended abort the process, and a
    training that went well would end with an error.
    """
    # The model holds on to the group, and the runner, in a circle, to the model.
    gc.collect()
    if is_distributed():
        torch_dist.destroy_process_group()


def _check_gpu_count() -> None:
    local_rank, gpus = int(os.environ.get('LOCAL_RANK', 0)), torch.cuda.device_count()
    if local_rank >= gpus:
        raise RuntimeError(
            f'process {local_rank + 1} of this machine has no GPU: {gpus} are '
            'visible. Start as many processes as there are GPUs, or hide the GPUs '
            'with CUDA_VISIBLE_DEVICES=-1 to run on the CPU.'
        )


def _join(cfg: Config) -> None:
    for name, source in _VARIABLES[cfg.launcher].items():
        if source not in os.environ:
            raise RuntimeError(
                f'--launcher {cfg.launcher}, but {source} is not set: start the '
                'processes with tools/dist_train.sh, tools/slurm_train.sh or their '
                'likes, or leave --launcher out.'
            )
        os.environ[name] = os.environ[source]
    dist_cfg = cfg.get('env_cfg', {}).get('dist_cfg', {})
    if 'MASTER_ADDR' not in os.environ:
        os.environ['MASTER_ADDR'] = _first_host(cfg.launcher)
    os.environ.setdefault('MASTER_PORT', str(dist_cfg.get('port', 29500)))
    options = {}
    if dist_cfg.get('timeout') is not None:
        options['timeout'] = datetime.timedelta(seconds=dist_cfg.timeout)
    torch_dist.init_process_group(backend='gloo', **options)


def _first_host(launcher: str) -> str:
    if launcher != 'slurm':
        return '127.0.0.1'
    names = subprocess.run(
        ['scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return names.split()[0]
