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
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from onestage_pose.apis import PoseResult, load_model
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
from onestage_pose.visualization.palette import SIDE_COLORS
from onestage_pose.zoo import get_home

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
const get = (id) => document.getElementById(id);
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
const status = () => get('status').textContent;
function carry(name, content) {
  const bag = new DataTransfer();
  bag.items.add(new File([content], name));
  return bag;
}
async function choose(name, content) {
  get('file').files = carry(name, content).files;
  get('file').dispatchEvent(new Event('change'));
  await until('done', 'error');
}
await until('ready', 'error');
await report('isolated', crossOriginIsolated);
await report('threads', status());
await report('notice', get('notice').hidden ? null : get('notice').textContent);
const { toJson } = await import('./app.js');
await choose('photo.jpg', await (await fetch('photo')).blob());
await report('status', status());
await report('found', toJson());
"""
_MORE = """
await report('overflow', about.scrollWidth - innerWidth);
const [x, y] = toJson().people[0].keypoints[1];  // the left eye
const context = get('canvas').getContext('2d');
await report('eye', [...context.getImageData(Math.round(x), Math.round(y), 1, 1).data]);

const saved = [];
const clicked = new Promise((resolve) => {
  HTMLAnchorElement.prototype.click = function () {
    saved.at(-1).name = this.download;
    if (saved.length === 2) resolve();
  };
});
URL.createObjectURL = (blob) => {
  saved.push({ blob });
  return 'blob:';
};
get('save-json').click();
get('save-png').click();
await clicked;
await report('json', [saved[0].name, JSON.parse(await saved[0].blob.text())]);
const picture = await createImageBitmap(saved[1].blob);
await report('png', [saved[1].name, picture.width, picture.height]);

get('threshold').value = 0.95;
get('threshold').dispatchEvent(new Event('input'));
await report('high', [status(), toJson().people.length]);

const { judge, toPeople, toRecords } = await import('./people.js');
const model = {
  kpt_thr: 0.3,
  presence_thr: 0.5,
  categories: [{ name: 'kite', start: 0, stop: 1 }, { name: 'bar', start: 1, stop: 3 }],
};
const outputs = {
  bboxes: [0, 0, 8, 4],
  scores: [0.5],
  keypoints: [0, 0, 1.5, 0.5, 3.5, 0.5],
  keypoint_scores: [0.9, 0.9, 0.1],
};
for (const name in outputs) outputs[name] = { data: Float32Array.from(outputs[name]) };
outputs.labels = { data: BigInt64Array.of(1n) };
const [bar] = toPeople(outputs, 3, [2, 1]);
await report('bar', [judge(bar, model), ...toRecords([bar], model)]);

// a proxy would hear of it
await fetch('http://elsewhere.invalid/').catch(() => report('refused', true));
get('camera').click();
await until('live', 'error');
await report('camera', status());
const dataTransfer = carry('broken.jpg', 'no image');
dispatchEvent(new DragEvent('drop', { dataTransfer }));
await until('done', 'error');
await report('broken', [status(), about.dataset.state, get('camera').textContent]);
"""
_END = "await report('end', true);"


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


@pytest.fixture(scope='module')
def browser():
    """The program."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f'needs a browser on PATH: one of {", ".join(BROWSERS)}')
    return found


@pytest.fixture(scope='module')
def site(browser, tmp_path_factory):
    """The page with the model that comes with the package, and a photograph."""
    tmp_path = tmp_path_factory.mktemp('site')
    source = os.environ.get('ONNXRUNTIME_WEB')
    if not source:
        source = get_home() / f'{runtime.NAME}-{runtime.VERSION}'
        if not source.is_dir():
            pytest.skip(
                f'needs {runtime.NAME}: run `onestage-pose web` once, or set '
                'ONNXRUNTIME_WEB to the npm package'
            )
    with pytest.MonkeyPatch.context() as patch:
        # a package is unpacked into it
        patch.setenv('ONESTAGE_POSE_HOME', str(tmp_path / 'home'))
        files = get_runtime(Path(source))
    export_onnx(load_model('nano', device='cpu'), tmp_path / 'nano.onnx')
    folder = tmp_path / 'page'
    build_page(folder, 'nano', PageModel(tmp_path / 'nano.onnx', 0.3), files)
    photo = cbook.get_sample_data('grace_hopper.jpg', asfileobj=False)
    shutil.copy(photo, folder / 'photo')
    hand = '<script type="module" src="hand.js"></script></body>'
    text = (folder / 'index.html').read_text()
    (folder / 'index.html').write_text(text.replace('</body>', hand))
    return folder


@pytest.fixture(scope='module')
def expected(site):
    """What demo/onnx_demo.py finds."""
    return find(site / 'model.onnx', str(site / 'photo'))


def assert_same_people(people, expected):
    assert len(people) == len(expected['scores']) == 1
    boxes = np.array([person['box'] for person in people])
    keypoints = np.array([person['keypoints'] for person in people])[..., :2]
    np.testing.assert_allclose(boxes, expected['bboxes'], atol=0.5)
    np.testing.assert_allclose(keypoints, expected['keypoints'], atol=0.5)
    scores = [person['score'] for person in people]
    np.testing.assert_allclose(scores, expected['scores'], atol=0.01)
    for name in ('keypoint_presence', 'keypoints_visible'):
        found = [person[name] for person in people]
        np.testing.assert_allclose(found, expected[name], atol=0.01)


@pytest.mark.slow
class TestBrowser:
    """A real browser of a phone's width, and a fake camera."""

    @pytest.fixture(scope='class')
    @staticmethod
    def told(browser, site, tmp_path_factory):
        """What the page reports, by name."""
        (site / 'hand.js').write_text(_HAND + _MORE + _END)
        profile = tmp_path_factory.mktemp('profile')
        return run_browser(browser, site, profile, PageHandler)

    def test_it_has_threads(self, told):
        assert told['isolated'] is True
        assert told['notice'] is None
        threads = min(4, os.cpu_count())
        words = 'one thread' if threads == 1 else f'{threads} threads'
        assert told['threads'] == f'Ready, with {words}.'

    def test_it_finds_what_the_demo_finds(self, told, expected):
        assert told['status'] == 'photo.jpg: 1 person.'
        assert_same_people(told['found']['people'], expected)

    def test_keypoints_are_drawn_where_they_are(self, told):
        assert told['eye'] == [*SIDE_COLORS['left'], 255]

    def test_the_json_has_the_fields_of_pose_result(self, told):
        name, content = told['json']

        assert name == 'photo.json'
        assert content == told['found']
        fields = {'path', 'height', 'width', 'keypoint_names', 'people'}
        assert set(content) == fields
        [person] = content['people']
        result = PoseResult(
            boxes=np.array([person['box']]),
            scores=np.array([person['score']]),
            keypoints=np.zeros((1, 17, 2)),
            keypoint_scores=np.zeros((1, 17)),
            keypoint_presence=np.zeros((1, 17)),
            keypoints_visible=np.zeros((1, 17)),
            names=tuple(content['keypoint_names']),
            shape=(content['height'], content['width']),
        ).to_dict()
        assert fields <= set(result)
        assert set(person) == set(result['people'][0])

    def test_the_drawing_has_the_size_of_the_image(self, told):
        assert told['png'] == ['photo_people.png', 512, 600]

    def test_the_threshold_leaves_people_out(self, told):
        assert told['high'] == ['photo.jpg: no person has a score over 0.95.', 0]

    def test_of_several_categories_an_instance_has_its_own_keypoints(self, told):
        judged, record = told['bar']

        assert judged == ['absent', 'seen', 'absent']
        assert record['category'] == 'bar'
        assert record['box'] == [0, 0, 4, 4]
        places = [keypoint[:2] for keypoint in record['keypoints']]
        assert places == [[0.5, 0.5], [1.5, 0.5]]

    def test_a_broken_image_gives_a_message_and_ends_the_camera(self, told):
        text, state, button = told['broken']

        assert text.startswith('broken.jpg cannot be read as an image.')
        assert (state, button) == ('error', 'Start camera')

    def test_nothing_leaves_the_origin(self, told):
        assert told['refused'] is True
        # but for what the browser asks its maker
        makers = r'\.(google|googleapis|gstatic|gvt1)\.com\b'
        assert [each for each in told['foreign'] if not re.search(makers, each)] == []

    def test_the_camera_gives_images(self, told):
        assert re.search(r'^camera: .* images a second$', told['camera'])

    def test_it_fits_a_phone(self, told):
        assert told['overflow'] <= 0


@pytest.mark.slow
def test_a_plain_file_server_gives_one_thread_and_the_same_people(
    browser, site, expected, tmp_path
):
    (site / 'hand.js').write_text(_HAND + _END)

    told = run_browser(browser, site, tmp_path / 'profile', SimpleHTTPRequestHandler)

    assert told['isolated'] is False
    assert told['threads'] == 'Ready, with one thread.'
    assert 'headers Cross-Origin-Opener-Policy and Cross-' in told['notice']
    assert_same_people(told['found']['people'], expected)


def find(graph, photo):
    """Return the people that demo/onnx_demo.py finds."""
    import importlib.util

    path = REPOSITORY / 'demo' / 'onnx_demo.py'
    spec = importlib.util.spec_from_file_location('onnx_demo', path)
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    people = demo.PoseModel(graph)(demo.read(Path(photo)))
    sure = people['scores'] > 0.3
    return {name: values[sure] for name, values in people.items()}


def run_browser(browser, folder, profile, base):
    """Open a page until it reports its end; a proxy hears what goes elsewhere."""
    told, ended, foreign = {}, threading.Event(), []

    class Handler(base):
        def do_POST(self):
            length = int(self.headers['Content-Length'])
            name, value = json.loads(self.rfile.read(length))
            told[name] = value
            self.send_response(204)
            self.end_headers()
            if name == 'end':
                ended.set()

        def log_message(self, *args):
            pass

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            foreign.append(self.path)
            self.send_error(502)

        do_POST = do_HEAD = do_CONNECT = do_GET

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
