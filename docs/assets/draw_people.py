# Copyright (c) onestage_pose contributors.
"""Draw ``people.jpg``: photos of people with what a model detects in them.

``python docs/assets/draw_people.py`` takes the free photos that matplotlib and
scikit-image ship (NASA, US Navy, MIT) and the model that comes with the package. Run it
again after a new model is published.
"""

from pathlib import Path

from onestage_pose import PosePredictor

import cv2
import numpy as np
from matplotlib import cbook
from skimage import data

OUT = Path(__file__).with_name('people.jpg')
HEIGHT, GAP = 480, 8  # in pixels


def photos() -> list[np.ndarray]:
    """Return the photos, BGR, cut to what shows the people."""
    hopper = cv2.imread(str(cbook.get_sample_data('grace_hopper.jpg', asfileobj=False)))
    astronaut = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)
    camera = cv2.cvtColor(data.camera(), cv2.COLOR_GRAY2BGR)
    return [hopper, astronaut, camera]


def main() -> None:
    """Write the figure."""
    predictor = PosePredictor('nano', device='cpu')
    drawn = []
    for photo in photos():
        [result] = predictor(photo, bbox_thr=0.4)
        # lines are as wide in each where it is shown
        scale = HEIGHT / photo.shape[0]
        drawing = result.plot(thickness=round(3 / scale), radius=round(5 / scale))
        drawn.append(
            cv2.resize(drawing, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        )
    gap = np.full((HEIGHT, GAP, 3), 255, np.uint8)
    row = [part for image in drawn for part in (image[:HEIGHT], gap)][:-1]
    cv2.imwrite(str(OUT), np.hstack(row), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == '__main__':
    main()
