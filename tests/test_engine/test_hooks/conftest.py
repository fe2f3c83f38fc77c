# Copyright (c) onestage_pose contributors.
"""Programs that are started as processes of their own."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program_server import Program, ProgramServer
from tests.toy_pose import write_config


@pytest.fixture
def start(program_server: ProgramServer, tmp_path: Path) -> Iterator[Callable]:
    """Starts a training of the toys by 6 iterations; what is left of it is killed.

    Arguments: changes of ``write_config``; ``hang``, the options of ``ToyHang``;
    ``tool``, 'train' or 'test'; ``words``, the rest of the command line;
    ``processes``, of which each is a program, in a list.
    """
    programs: list[Program] = []

    def start_one(
        hang: dict | None = None,
        tool: str = 'train',
        words: tuple = (),
        processes: int = 1,
        **changes: Any,
    ) -> Program | list[Program]:
        imports = ['onestage_pose', 'tests.toy_pose', 'tests.toy_hang']
        options = dict(
            custom_imports=dict(imports=imports),
            custom_hooks=[dict(type='ToyHang', **hang)] if hang else [],
            train_cfg=dict(
                _delete_=True, type='IterBasedTrainLoop', max_iters=6, val_interval=6
            ),
            log_processor__by_epoch=False,
            default_hooks__checkpoint=dict(by_epoch=False, interval=2),
        )
        config = write_config(tmp_path, **{**options, **changes})
        variables: dict[str, str] = {}
        if processes > 1:
            words = (*words, '--launcher', 'pytorch')
            variables = dict(
                WORLD_SIZE=str(processes),
                MASTER_ADDR='127.0.0.1',
                MASTER_PORT=str(_free_port()),
            )
        started = []
        for rank in range(processes):
            if processes > 1:
                variables = dict(variables, RANK=str(rank), LOCAL_RANK=str(rank))
            log = tmp_path / f'{tool}_{len(programs)}.log'
            program = program_server.start(
                f'tools/{tool}.py', config, *words, log=log, **variables
            )
            programs.append(program)
            started.append(program)
        return started if processes > 1 else started[0]

    yield start_one
    for program in programs:
        program.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]
