# Copyright (c) onestage_pose contributors.
"""Worker processes that start without what their parent has in memory."""

import multiprocessing
import os
import subprocess
import sys

from onestage_pose.compat import spawned_processes

import pytest

from tests.test_apis.tiny_model import write_tiny_model
from tests.tool_runs import REPOSITORY

WORKER = """
from torch.utils.data import DataLoader

def main():
    import onestage_pose
    from mmpose.datasets import CocoDataset
    dataset = CocoDataset(ann_file='', lazy_init=True, serialize_data=False)
    dataset._fully_initialized = True
    dataset.data_list = [dict(number=7)]
    dataset.get_data_info = dataset.data_list.__getitem__
    loader = DataLoader(dataset, num_workers=1, multiprocessing_context=METHOD,
                        collate_fn=list)
    print([item['number'] for batch in loader for item in batch])

if __name__ == '__main__':
    main()
"""

MODEL = """
import multiprocessing

def work(model, queue):
    import numpy as np
    from mmpose.apis import inference_bottomup
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    queue.put(len(inference_bottomup(model, image)[0].pred_instances))

def main():
    from mmpose.apis import init_model
    context = multiprocessing.get_context('spawn')
    queue = context.Queue()
    model = init_model(*FILES, device='cpu')
    process = context.Process(target=work, args=(model, queue))
    process.start()
    process.join()
    assert process.exitcode == 0
    print(queue.get(timeout=1))

if __name__ == '__main__':
    import onestage_pose
    main()
"""


@pytest.mark.slow
def test_model_that_is_pickled_to_a_process_finds_people(tmp_path):
    script = tmp_path / 'worker.py'
    files = tuple(map(str, write_tiny_model(tmp_path)))
    script.write_text(MODEL.replace('FILES', repr(files)))

    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY))
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, env=environment
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) > 0


@pytest.mark.slow
@pytest.mark.parametrize('method', ['spawn', 'forkserver'])
def test_worker_with_a_data_set_of_mmposes_works(tmp_path, method):
    script = tmp_path / 'worker.py'
    script.write_text(WORKER.replace('METHOD', repr(method)))

    # found by the child as well, whether the package is installed or not
    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY))
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, env=environment
    )

    assert done.stdout.splitlines()[-1:] == ['[7]'], done.stderr


def test_every_child_is_handed_a_function_of_this_package():
    process = multiprocessing.get_context('spawn').Process(target=print)

    assert process._config['onestage_pose'] is spawned_processes.install
