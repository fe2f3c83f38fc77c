# Copyright (c) onestage_pose contributors.
"""Draw the figures of the page on the method, as SVG.

``python docs/assets/draw_method.py`` writes ``gcm.svg``, the Global Context Module;
``enlarged_boxes.svg``, the box that the keypoint branch sees; and ``coordinates.svg``,
the two conventions for coordinates.
"""

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

OUT = Path(__file__).parent
BLUE, ORANGE, GREEN, GREY = '#3b6ea8', '#d9822b', '#2f8f5b', '#8a8f98'
# text as paths and no date: the same file from every run
mpl.rcParams.update({'svg.hashsalt': 'onestage_pose', 'font.size': 11})


def save(name: str) -> None:
    """Write a figure on white, which is readable on a dark page too."""
    path = OUT / f'{name}.svg'
    plt.savefig(path, bbox_inches='tight', facecolor='white', metadata={'Date': None})
    plt.close()


def canvas(width: float, height: float) -> Axes:
    """Return axes of a size in inches, in which a unit is an inch."""
    plt.figure(figsize=(width, height))
    axes = plt.axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis('off')
    return axes


def block(axes: Axes, x: float, y: float, text: str, color: str, width: float) -> None:
    """Draw a rounded block about (x, y) with a text in it."""
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - 0.24),
            width,
            0.48,
            boxstyle='round,pad=0.02,rounding_size=0.08',
            facecolor=color,
            edgecolor='none',
        )
    )
    axes.text(x, y, text, ha='center', va='center', color='white')


def arrow(axes: Axes, points: list[tuple[float, float]]) -> None:
    """Draw a line through points, with a head at the end."""
    for start, end in zip(points, points[1:]):
        style = '-|>' if end == points[-1] else '-'
        axes.add_patch(
            FancyArrowPatch(
                start, end, arrowstyle=style, mutation_scale=12, color='#333333',
                shrinkA=0, shrinkB=0,
            )
        )  # fmt: skip


def draw_gcm() -> None:
    """Draw the Global Context Module from left to right."""
    axes = canvas(9.6, 1.9)
    y = 0.7
    axes.text(0.1, y, 'x', va='center', fontsize=14)
    row = [
        (1.3, 'BN, ReLU', GREY, 1.1),
        (3.05, 'attention\n4 heads', BLUE, 1.3),
        (4.35, '+', ORANGE, 0.36),
        (5.6, 'BN, ReLU', GREY, 1.1),
        (7.2, '3x3 conv', BLUE, 1.1),
        (8.45, '+', ORANGE, 0.36),
    ]
    for x, text, color, width in row:
        block(axes, x, y, text, color, width)
    edges = [(0.3, 0)] + [(x, width / 2 + 0.03) for x, _, _, width in row] + [(9.2, 0)]
    for (one, right), (two, left) in zip(edges, edges[1:]):
        arrow(axes, [(one + right, y), (two - left, y)])
    axes.text(9.3, y, 'out', va='center', fontsize=14)
    for start, end in ((0.5, 4.35), (4.7, 8.45)):
        arrow(axes, [(start, y), (start, 1.5), (end, 1.5), (end, y + 0.28)])
    axes.text(2.4, 1.6, 'residual', color='#333333')
    axes.text(6.6, 1.6, 'residual', color='#333333')
    axes.text(3.05, 0.13, 'over all 14x14 positions,\nwith relative positions',
              ha='center', va='center', fontsize=9, color='#333333')  # fmt: skip
    save('gcm')


def draw_enlarged_boxes() -> None:
    """Draw a person, its detected box, and the box of the keypoint branch."""
    axes = canvas(5.6, 4.2)
    axes.set_aspect('equal')
    axes.add_patch(Rectangle((1.6, 0.3), 3.8, 3.6, facecolor='#eef1f5', edgecolor=GREY))
    axes.text(5.3, 3.7, 'image', ha='right', va='top', color=GREY)
    neck, hip = (2.6, 2.75), (2.6, 1.9)
    lines = [
        [(2.6, 3.0), hip],
        [neck, (1.95, 2.4), (1.75, 3.05)],
        [neck, (3.25, 2.4), (3.5, 1.85)],
        [hip, (2.25, 1.2), (2.2, 0.5)],
        [hip, (2.95, 1.2), (3.05, 0.5)],
    ]
    for line in lines:
        axes.plot(*zip(*line), color=GREEN, linewidth=3, solid_capstyle='round')
    axes.add_patch(plt.Circle((2.6, 3.2), 0.2, color=GREEN))
    x, y, width, height = 1.9, 0.7, 1.4, 2.6
    axes.add_patch(
        Rectangle((x, y), width, height, fill=False, color=BLUE, linewidth=2)
    )
    wider, higher = 1.3 * width, 1.3 * height
    corner = x - (wider - width) / 2, y - (higher - height) / 2
    axes.add_patch(
        Rectangle(corner, wider, higher, fill=False, color=ORANGE, linewidth=2, ls='--')
    )
    axes.text(3.35, 3.1, 'detected box', color=BLUE, va='top')
    axes.text(3.62, 1.4, 'the keypoint branch:\n1.3 times as wide\nand as high',
              color=ORANGE, va='top')  # fmt: skip
    axes.text(0.05, 1.9, 'beyond the\nimage:\nzeros', color=ORANGE, va='center')
    axes.annotate(
        '', (1.62, 1.9), (0.95, 1.9), arrowprops=dict(arrowstyle='->', color=ORANGE)
    )
    save('enlarged_boxes')


def draw_coordinates() -> None:
    """Draw four pixels with the numbers of both conventions."""
    axes = canvas(6.2, 2.5)
    left, top, size = 0.8, 1.65, 1.15
    for index in range(4):
        axes.add_patch(
            Rectangle((left + index * size, top - 0.9), size, 0.9,
                      facecolor='#eef1f5' if index % 2 else '#dfe5ec', edgecolor=GREY)
        )  # fmt: skip
        center = left + (index + 0.5) * size
        axes.plot(center, top - 0.45, 'o', color=GREEN)
        axes.text(center, 0.42, f'{index}', ha='center', color=GREEN)
    for index in range(5):
        x = left + index * size
        axes.text(x, top + 0.14, f'{index}', ha='center', color=BLUE)
    axes.text(left, top + 0.5, 'boxes: edges of pixels', color=BLUE)
    text = 'keypoints: centres of pixels (in the model 0.5, 1.5, 2.5, 3.5)'
    axes.text(left, 0.05, text, color=GREEN)
    save('coordinates')


if __name__ == '__main__':
    draw_gcm()
    draw_enlarged_boxes()
    draw_coordinates()
