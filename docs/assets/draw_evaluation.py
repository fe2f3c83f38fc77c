# Copyright (c) onestage_pose contributors.
"""Draw ``evaluation.png``: the report of ``onestage-pose evaluate`` on ``nano``.

``python docs/assets/draw_evaluation.py`` takes the numbers of docs/data/nano.json and
photographs the page with Chromium or Chrome, which must be on PATH. Run it after a
new model is published.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from onestage_pose import PosePredictor
from onestage_pose.evaluation.analysis import Analysis
from onestage_pose.evaluation.page import write_page

from PIL import Image

OUT = Path(__file__).with_name('evaluation.png')
DATA = Path(__file__).parents[1] / 'data/nano.json'
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
WIDTH, HEIGHT = 980, 2630  # in pixels; what is below is cut off


def main() -> None:
    """Write the figure."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f'none of {", ".join(BROWSERS)} is on PATH')
    values = json.loads(DATA.read_text(encoding='utf-8'))['evaluation']
    analysis = Analysis({**values, 'cases': []}, [], [], [])
    skeleton = PosePredictor('nano', device='cpu').dataset_meta
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / 'evaluation.html'
        write_page(str(page), analysis, skeleton, {}, 'Keypoint evaluation')
        options = [
            '--headless',
            '--no-sandbox',
            '--disable-gpu',
            '--hide-scrollbars',
            f'--window-size={WIDTH},{HEIGHT}',
            f'--screenshot={OUT}',
        ]
        subprocess.run([browser, *options, page.as_uri()], check=True)
    with Image.open(OUT) as image:
        small = image.convert('RGB').quantize(256)
    small.save(OUT, optimize=True)


if __name__ == '__main__':
    main()
