# Copyright (c) onestage_pose contributors.
"""The folder of the page is complete, and a browser finds in it what ONNX Runtime does.

The browser's test takes onnxruntime-web from the cache, which ``onestage-pose web``
fills, or from the folder or file that ONNXRUNTIME_WEB names.
"""

import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

from onestage_pose.apis import load_model
from onestage_pose.deployment import export_onnx
from onestage_pose.deployment.web import (
    HEADERS,
    PageHandler,
    PageModel,
    build_page,
    get_runtime,
    make_server,
    runtime,
)
from onestage_pose.zoo import get_home

import cv2
import numpy as np
import pytest
from matplotlib import cbook

from tests.test_apis.tiny_model import write_tiny_model
from tests.tool_runs import REPOSITORY

pytest.importorskip('onnx', reason='onnx is not installed')
pytest.importorskip('onnxruntime', reason='onnxruntime is not installed')

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
WEB = REPOSITORY / 'web'
# What stands in for a person at the page: it reports to the server that sent it.
_HAND = """
const about = document.documentElement;
const until = (...states) => new Promise((resolve) => {
  const watch = new MutationObserver(look);
  function look() {
    if (!states.includes(about.dataset.state)) return;
    watch.disconnect();
    resolve();
  }
  watch.observe(about, { attributes: true });
  look();
});
const report = (name, value) =>
  fetch('report', { method: 'POST', body: JSON.stringify([name, value]) });
const status = () => document.getElementById('status').textContent;
const input = document.getElementById('file');
async function choose(name, content) {
  const bag = new DataTransfer();
  bag.items.add(new File([content], name));
  input.files = bag.files;
  input.dispatchEvent(new Event('change'));
  await until('done', 'error');
}
await until('ready', 'error');
await report('isolated', crossOriginIsolated);
await report('threads', status());
const { toJson } = await import('./app.js');
await choose('photo', await (await fetch('photo')).blob());
await report('status', status());
await report('found', toJson());
await report('overflow', about.scrollWidth - innerWidth);
// a proxy would hear of it
await fetch('http://elsewhere.invalid/').catch(() => report('refused', true));
document.getElementById('camera').click();
await until('live', 'error');
await report('camera', status());
await choose('broken.jpg', 'no image');
await report('broken', status());
await report('end', true);
"""


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page with a model of random weights and an empty runtime."""
    from mmpose.apis import init_model

    fake = tmp_path / 'runtime'
    fake.mkdir()
    for name in runtime.FILES:
        (fake / name).write_text(name)
    model = init_model(*write_tiny_model(tmp_path), device='cpu')
    export_onnx(model, tmp_path / 'tiny.onnx')
    build_page(tmp_path / 'page', 'tiny', PageModel(tmp_path / 'tiny.onnx', 0.05), fake)
    return tmp_path / 'page'


def test_the_folder_has_the_page_the_graph_and_the_runtime(page):
    files = {each.relative_to(page).as_posix() for each in page.rglob('*.*')}

    expected = {each.name for each in WEB.iterdir()}
    expected |= {f'ort/{name}' for name in runtime.FILES}
    assert files | {'_headers'} == expected | {'model.onnx', 'model.json', '_headers'}
    described = json.loads((page / 'model.json').read_text())
    assert (described['name'], described['kpt_thr']) == ('tiny', 0.05)
    assert len(described['sides']) == len(described['keypoint_names'])
    for name, value in HEADERS.items():
        assert f'  {name}: {value}\n' in (page / '_headers').read_text()


def test_the_page_has_the_policy_of_the_header():
    [meta] = re.findall(
        r'http-equiv="Content-Security-Policy" content="([^"]*)"',
        (WEB / 'index.html').read_text(),
    )

    # which says of frames what a page cannot say of itself
    header = HEADERS['Content-Security-Policy']
    assert header == f"{meta}; frame-ancestors 'none'"


def test_the_page_names_no_other_server():
    for path in WEB.iterdir():
        text = path.read_text().replace('http://www.w3.org/2000/svg', '')
        assert '//' not in re.sub(r'(?m)^\s*//.*$|(?<=[\s;])// .*$', '', text), path


class TestBrowser:
    """A real browser, the model that comes with the package, and a fake camera."""

    @pytest.fixture(scope='class')
    def told(self, tmp_path_factory):
        """What the page reports, by name; 'expected' is what ONNX Runtime finds."""
        browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if browser is None:
            pytest.skip(f'needs a browser on PATH: one of {", ".join(BROWSERS)}')
        source = os.environ.get('ONNXRUNTIME_WEB')
        if not source:
            source = get_home() / f'{runtime.NAME}-{runtime.VERSION}'
            if not source.is_dir():
                pytest.skip('needs onnxruntime-web: run `onestage-pose web` once')
        tmp_path = tmp_path_factory.mktemp('browser')
        folder, graph = tmp_path / 'page', tmp_path / 'nano.onnx'
        export_onnx(load_model('nano', device='cpu'), graph)
        build_page(folder, 'nano', PageModel(graph, 0.3), get_runtime(Path(source)))
        photo = cbook.get_sample_data('grace_hopper.jpg', asfileobj=False)
        shutil.copy(photo, folder / 'photo')
        (folder / 'hand.js').write_text(_HAND)
        hand = '<script type="module" src="hand.js"></script></body>'
        text = (folder / 'index.html').read_text()
        (folder / 'index.html').write_text(text.replace('</body>', hand))
        told = run_browser(browser, folder, tmp_path / 'profile')
        told['expected'] = find(graph, photo)
        return told

    @pytest.mark.slow
    def test_it_has_threads(self, told):
        assert told['isolated'] is True
        threads = min(4, os.cpu_count())
        words = 'one thread' if threads == 1 else f'{threads} threads'
        assert told['threads'] == f'Ready, with {words}.'

    @pytest.mark.slow
    def test_it_finds_what_the_demo_finds(self, told):
        expected, people = told['expected'], told['found']['people']

        assert len(people) == len(expected['scores']) == 1
        assert told['status'] == 'photo: 1 person.'
        boxes = np.array([person['box'] for person in people])
        keypoints = np.array([person['keypoints'] for person in people])
        np.testing.assert_allclose(boxes, expected['bboxes'], atol=0.5)
        np.testing.assert_allclose(
            keypoints[..., :2], expected['keypoints'], atol=0.5, err_msg='keypoints'
        )
        scores = [person['score'] for person in people]
        np.testing.assert_allclose(scores, expected['scores'], atol=0.01)
        for name in ('keypoint_presence', 'keypoints_visible'):
            found = [person[name] for person in people]
            np.testing.assert_allclose(found, expected[name], atol=0.01)

    @pytest.mark.slow
    def test_a_broken_image_gives_a_message(self, told):
        assert told['broken'].startswith('broken.jpg cannot be read as an image.')

    @pytest.mark.slow
    def test_nothing_leaves_the_origin(self, told):
        assert told['refused'] is True
        # but for what the browser asks its maker
        assert [each for each in told['foreign'] if '.google' not in each] == []

    @pytest.mark.slow
    def test_the_camera_gives_images(self, told):
        assert re.search(r'^camera: .* images a second$', told['camera'])

    @pytest.mark.slow
    def test_it_fits_a_phone(self, told):
        assert told['overflow'] <= 0


def find(graph, photo):
    """Return the people that demo/onnx_demo.py finds."""
    import importlib.util

    path = REPOSITORY / 'demo' / 'onnx_demo.py'
    spec = importlib.util.spec_from_file_location('onnx_demo', path)
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    people = demo.PoseModel(graph)(cv2.imread(photo))
    sure = people['scores'] > 0.3
    return {name: values[sure] for name, values in people.items()}


def run_browser(browser, folder, profile):
    """Open a page until it reports its end; a proxy hears what goes elsewhere."""
    told, ended, foreign = {}, threading.Event(), []

    class Handler(PageHandler):
        def do_POST(self):
            length = int(self.headers['Content-Length'])
            name, value = json.loads(self.rfile.read(length))
            told[name] = value
            self.send_response(204)
            self.end_headers()
            if name == 'end':
                ended.set()

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            foreign.append(self.path)
            self.send_error(502)

        do_POST = do_HEAD = do_GET

        def log_message(self, *args):
            pass

    listener = socket.create_server(('127.0.0.1', 0))
    proxy = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Proxy)
    server = make_server(listener, folder, Handler)
    threads = [
        threading.Thread(target=each.serve_forever, kwargs=dict(poll_interval=0.05))
        for each in (server, proxy)
    ]
    options = [
        '--headless',
        '--no-sandbox',  # which containers do not have
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-features=NetworkTimeServiceQuerying',
        '--no-first-run',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        '--window-size=390,800',
        f'--user-data-dir={profile}',
        # all but the page's own server goes through the proxy
        f'--proxy-server=127.0.0.1:{proxy.server_port}',
        f'--proxy-bypass-list=<-loopback>;127.0.0.1:{listener.getsockname()[1]}',
    ]
    address = f'http://127.0.0.1:{listener.getsockname()[1]}/'
    for each in threads:
        each.start()
    process = subprocess.Popen(
        [browser, *options, address],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert ended.wait(200), f'the page has told {told} and no more'
    finally:
        process.kill()
        process.wait()
        for each in (server, proxy):
            each.shutdown()
            each.server_close()
        for each in threads:
            each.join()
    told['foreign'] = foreign
    return told
