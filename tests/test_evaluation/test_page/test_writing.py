# Copyright (c) onestage_pose contributors.
"""The page is one file, and a browser shows all of it on a phone."""

import html
import re
import shutil
import subprocess

from onestage_pose.evaluation.analysis import analyse
from onestage_pose.evaluation.page import write_page

import cv2
import numpy as np
import pytest

from tests.test_evaluation.people import META, SHAPE, Scene

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
# What a browser says about a page, put where --dump-dom shows it.
_LOOK = """
<script>
const about = document.documentElement.dataset;
about.background = getComputedStyle(document.body).backgroundColor;
about.overflow = document.documentElement.scrollWidth - innerWidth;
about.drawn = [...document.querySelectorAll('figure svg')]
  .filter((svg) => svg.getBoundingClientRect().height > 50).length;
for (const image of document.images) image.loading = 'eager';
// the page is written out after it
addEventListener('load', () => {
  about.images = [...document.images].map((image) => image.naturalWidth).join(' ');
});
</script>
"""


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    """The text of a page with a case of each kind, on grey images."""
    folder = tmp_path_factory.mktemp('page')
    scene = Scene(2, 2)
    scene.move(0, 1, scene.place(0, 2))
    scene.move(1, 0, scene.place(1, 0) + [9, 0])
    scene.move(2, 1, scene.place(3, 1))
    scene.move(3, 3, (20, 190))
    scene.add_truth(1, 2)
    scene.add_found(2, SHAPE + [420, 60], score=0.5)
    scene.add_found(2, SHAPE + [2, 0], score=0.4)
    paths = {}
    for image_id in (1, 2):
        paths[image_id] = str(folder / f'{image_id}.png')
        cv2.imwrite(paths[image_id], np.full((200, 640, 3), 120, np.uint8))
    analysis = analyse(scene.images, META)
    path = folder / 'page.html'
    write_page(str(path), analysis, META, paths, 'Toys & <people>')
    return path.read_text()


def test_every_kind_has_its_section(page):
    headings = re.findall('<h2>(.*?)</h2>', page)

    assert headings[-7:] == [
        'Jitter',
        'Inversion',
        'Swap',
        'Miss',
        'False people',
        'Missed people',
        'Doubles',
    ]


def test_nothing_is_fetched_from_elsewhere(page):
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)

    # matplotlib's glyphs and clip paths are parts of the page
    assert all(source.startswith(('data:image/jpeg', '#')) for source in sources)
    assert page.count('data:image/jpeg') == 2 * page.count('class="case"')
    assert '@import' not in page


def test_title_is_text_and_no_html(page):
    assert f'<h1>{html.escape("Toys & <people>")}</h1>' in page


def test_caption_says_who_and_what(page):
    assert 'image 1, annotation 1, score 0.90, OKS 0.80, 0.20 lost: left hand' in page


def test_images_that_cannot_be_read_are_listed_and_not_drawn(tmp_path, log):
    scene = Scene(1)
    del scene.found[0]
    path = tmp_path / 'page.html'

    write_page(str(path), analyse(scene.images, META), META, {1: 'no.png'}, 'Toys')

    text = path.read_text()
    assert 'image 1, annotation 1' in text
    assert 'data:image' not in text
    assert 'no.png is not drawn' in log.getvalue()


def test_a_browser_shows_all_of_it_on_a_phone_in_dark_mode(page, tmp_path):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f'needs a browser on PATH: one of {", ".join(BROWSERS)}')
    path = tmp_path / 'page.html'
    path.write_text(page.replace('</body>', f'{_LOOK}</body>'))
    options = [
        '--headless',
        '--no-sandbox',  # which containers do not have
        '--disable-gpu',
        f'--user-data-dir={tmp_path / "profile"}',
        '--window-size=390,800',
        '--blink-settings=preferredColorScheme=0',
        '--virtual-time-budget=10000',
        '--dump-dom',
    ]

    done = subprocess.run(
        [browser, *options, path.as_uri()], capture_output=True, text=True, timeout=300
    )

    told = dict(re.findall(r'data-(\w+)="([^"]*)"', done.stdout[:2000]))
    assert told['background'] == 'rgb(21, 23, 26)'
    assert int(told['overflow']) <= 0
    assert told['drawn'] == '4'
    widths = [int(width) for width in told['images'].split()]
    assert len(widths) == page.count('<img')
    assert min(widths) > 0
