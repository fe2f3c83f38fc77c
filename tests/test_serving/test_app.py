# Copyright (c) onestage_pose contributors.
"""What the server answers, by its own interface."""

import asyncio
import io

from onestage_pose.apis.result import PoseResult
from onestage_pose.serving import ServerLimits, create_app

import cv2
import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

KEYPOINTS = ('nose', 'tail')


class Predictor:
    """Finds two people, at scores of 0.2 and 0.6, wherever it looks."""

    names, bbox_thr = KEYPOINTS, 0.3

    def __init__(self):
        self.images = []

    def __call__(self, images, batch_size, bbox_thr, on_error):
        assert bbox_thr == 0 and on_error == 'return' and len(images) <= batch_size
        self.images += images
        for image in images:
            yield PoseResult(
                boxes=np.array([[0, 0, 4, 4], [1, 2, 3, 4.0]]),
                scores=np.array([0.6, 0.2]),
                keypoints=np.arange(8.0).reshape(2, 2, 2),
                keypoint_scores=np.full((2, 2), 0.5),
                names=KEYPOINTS,
                shape=image.shape[:2],
            )


@pytest.fixture
def predictor():
    return Predictor()


@pytest.fixture
def client(predictor):
    limits = ServerLimits(max_bytes=20_000, max_pixels=10_000)
    with TestClient(create_app(predictor, limits)) as client:
        yield client


def encode(suffix='.png', height=30, width=40):
    image = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    return image, cv2.imencode(suffix, image)[1].tobytes()


def test_an_image_is_answered_with_its_people(client, predictor):
    image, content = encode()

    answer = client.post('/predict', content=content)

    assert answer.status_code == 200
    assert answer.json() == {
        'height': 30,
        'width': 40,
        'keypoint_names': ['nose', 'tail'],
        'people': [
            {
                'box': [0, 0, 4, 4],
                'score': 0.6,
                'keypoints': [[0, 1, 0.5], [2, 3, 0.5]],
            }
        ],
    }
    assert np.array_equal(predictor.images[0], image)


def test_a_form_holds_the_image_in_its_field(client, predictor):
    image, content = encode()
    answer = client.post('/predict', files={'image': ('a.png', content)})
    assert answer.status_code == 200
    assert np.array_equal(predictor.images[0], image)


def test_a_request_has_a_threshold_of_its_own(client):
    answers = [
        client.post(f'/predict?bbox_thr={thr}', content=encode()[1]).json()
        for thr in (0.1, 0.6)
    ]
    assert [len(answer['people']) for answer in answers] == [2, 0]


def test_an_image_is_turned_as_its_exif_says(client):
    image = Image.fromarray(np.zeros((30, 40, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    file = io.BytesIO()
    image.save(file, 'JPEG', exif=exif)
    answer = client.post('/predict', content=file.getvalue()).json()
    assert (answer['height'], answer['width']) == (40, 30)


PNG = encode()[1]
JPEG = encode('.jpg', 90, 90)[1]


@pytest.mark.parametrize(
    ('request_', 'status', 'reason'),
    [
        (dict(content=b''), 400, 'its body is empty'),
        (dict(content=b'no image'), 400, 'none of JPEG, PNG'),
        (dict(content=PNG[:200]), 400, 'truncated'),
        (dict(content=JPEG[: len(JPEG) // 2]), 400, 'truncated'),
        (dict(content=encode('.jpg', 101, 100)[1]), 400, r'--max-pixels'),
        (dict(content=bytes(20_001)), 413, 'more than 20000 bytes'),
        (dict(files={'picture': ('a.png', PNG)}), 400, 'field named "image"'),
        (dict(data={'image': 'text'}, files={'other': PNG}), 400, 'field named'),
        (
            dict(
                content=b'--x\r\nno',
                headers={'Content-Type': 'multipart/form-data; boundary=x'},
            ),
            400,
            '',
        ),
        (dict(content=PNG, headers={'Content-Type': 'multipart/form-data'}), 400, ''),
        (dict(json=['http://images.example/a.jpg']), 400, 'JSON must be'),
        (dict(json={'url': 7}), 400, 'JSON must be'),
        (
            dict(content=b'[' * 5000, headers={'Content-Type': 'application/json'}),
            400,
            'JSON must be',
        ),
        (dict(json={'url': 'http://images.example/a.jpg'}), 403, 'reads no addresses'),
        (dict(content=PNG, params={'bbox_thr': '2'}), 422, 'bbox_thr: Input should'),
        (dict(content=PNG, params={'bbox_thr': 'nan'}), 422, 'bbox_thr: '),
        (dict(content=PNG, params={'conf': '0.5'}), 422, 'bbox_thr only, not conf'),
    ],
    ids=str,
)
def test_a_request_that_is_no_image_is_told_why(client, request_, status, reason):
    answer = client.post('/predict', **request_)
    assert answer.status_code == status
    assert isinstance(answer.json()['detail'], str)
    assert reason in answer.json()['detail']
    # and the next one is served
    assert client.post('/predict', content=PNG).status_code == 200


def test_an_address_is_read_where_that_is_allowed(predictor, monkeypatch):
    image, content = encode()
    asked = []

    def fetch(address, max_bytes, timeout):
        asked.append((address, max_bytes))
        return content

    monkeypatch.setattr('onestage_pose.serving.body.fetch_public', fetch)
    app = create_app(predictor, ServerLimits(max_bytes=5000), allow_urls=True)
    with TestClient(app) as client:
        url = 'https://images.example/a.png'
        assert client.post('/predict', json={'url': url}).status_code == 200
    assert asked == [(url, 5000)]
    assert np.array_equal(predictor.images[0], image)


def call(app, requests):
    """Send requests at the same time; return their answers."""

    async def main():
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url='http://test') as client,
        ):
            posts = [client.post('/predict', content=each) for each in requests]
            return await asyncio.gather(*posts)

    return asyncio.run(main())


def test_requests_that_come_together_are_looked_at_together(predictor):
    batches = []

    class Counting(Predictor):
        def __call__(self, images, **options):
            batches.append(len(images))
            return super().__call__(images, **options)

    answers = call(create_app(Counting(), batch_size=4, max_delay=1.0), [PNG] * 4)

    assert [each.status_code for each in answers] == [200] * 4
    assert batches == [4]


def test_a_body_that_does_not_come_is_given_up(predictor):
    async def endless():
        yield PNG[:100]
        await asyncio.Event().wait()

    app = create_app(predictor, ServerLimits(body_timeout=0.0))
    assert [each.status_code for each in call(app, [endless()])] == [408]


def test_a_client_that_goes_before_its_image_has_come_is_no_fault(predictor):
    app = create_app(predictor)
    scope = {
        'type': 'http',
        'method': 'POST',
        'path': '/predict',
        'query_string': b'',
        'headers': [],
    }
    coming = [
        {'type': 'http.request', 'body': PNG[:50], 'more_body': True},
        {'type': 'http.disconnect'},
    ]
    sent = []

    async def receive():
        return coming.pop(0)

    async def send(message):
        sent.append(message)

    async def main():
        async with app.router.lifespan_context(app):
            await app(scope, receive, send)

    asyncio.run(main())
    assert sent[0]['status'] == 400 and not predictor.images


def test_a_request_that_waits_too_long_is_given_up(predictor):
    app = create_app(predictor, ServerLimits(timeout=0.0))
    assert [each.status_code for each in call(app, [PNG])] == [504]


def test_nobody_waits_where_nobody_may(predictor):
    app = create_app(predictor, ServerLimits(max_waiting=0))
    (answer,) = call(app, [PNG])
    assert answer.status_code == 503
    assert answer.headers['Retry-After'] == '1'


def test_the_root_leads_to_the_description(client):
    answer = client.get('/')
    assert answer.status_code == 200 and answer.url.path == '/docs'


def test_health_and_metrics(client):
    client.post('/predict', content=PNG)
    client.post('/predict', content=b'no image')
    health = client.get('/health').json()
    assert health['status'] == 'ok' and health['keypoints'] == ['nose', 'tail']
    metrics = client.get('/metrics').text
    assert 'onestage_pose_requests_total{status="200"} 1.0' in metrics
    assert 'onestage_pose_requests_total{status="400"} 1.0' in metrics
    assert 'onestage_pose_batch_images_count 1.0' in metrics
    assert 'onestage_pose_waiting 0.0' in metrics
    assert 'process_resident_memory_bytes' in metrics


def test_the_interface_is_described(client):
    post = client.get('/openapi.json').json()['paths']['/predict']['post']
    kinds = post['requestBody']['content']
    assert set(kinds) == {'image/*', 'multipart/form-data', 'application/json'}
    assert {'400', '413', '503', '504'} <= set(post['responses'])
