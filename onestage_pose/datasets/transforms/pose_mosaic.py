# Copyright (c) onestage_pose contributors.
"""Lay several small images side by side into one."""

from collections.abc import Callable, Sequence

import numpy as np
from mmengine.dataset import BaseDataset
from mmpose.datasets.transforms.mix_img_transforms import MixImageTransform
from mmpose.registry import TRANSFORMS

from ...utils.arguments import PositiveInt, check_arguments
from .pose_random_affine import INSTANCE_KEYS

# How many images are tried for each tile.
MAX_DRAWS = 10


@TRANSFORMS.register_module()
class PoseMosaic(MixImageTransform):
    """Combine tiles of equal size, each of another image, into one image.

    With it, small images of one person each, such as LSP Extended's, train as many
    people in a step as ordinary images do. The other images are drawn from the same
    data set. It is the first transform of a pipeline: ``tile`` loads the images.

    Changes ``img``, ``img_shape`` and the annotations of every person; boxes and
    keypoints move with their tile.

    Args:
        tile (Sequence[dict | Callable]): Pipeline that makes one tile, such as
            LoadPoseImage and PoseRandomAffine; all its images must have the same size.
        grid (tuple[int, int]): Rows and columns.

    Raises:
        ValueError: The tiles differ in size.
    """

    @check_arguments
    def __init__(
        self,
        tile: Sequence[dict | Callable],
        grid: tuple[PositiveInt, PositiveInt] = (2, 2),
    ) -> None:
        super().__init__(pre_transform=tile)
        self.grid = tuple(grid)
        self.num_aux_image = self.grid[0] * self.grid[1] - 1

    def transform(self, results: dict) -> dict | None:
        """Make the tiles and combine them; see the class for the keys.

        Args:
            results (dict): What the data set gives of one image, and ``dataset``
                itself.

        Returns:
            dict | None: ``results``, changed; None if ``tile`` skipped its image.
        """
        dataset = results['dataset']
        results = self.pre_transform(results)
        if results is None:
            return None
        results['mixed_data_list'] = self._get_mixed_data_list(dataset)
        return self.apply_mix(results)

    def _get_mixed_data_list(self, dataset: BaseDataset) -> list[dict]:
        """Return the other tiles; an image that ``tile`` passes over is drawn anew."""
        tiles = []
        for _ in range(self.num_aux_image * MAX_DRAWS):
            if len(tiles) == self.num_aux_image:
                break
            data = dataset.get_data_info(np.random.randint(len(dataset)))
            tile = self.pre_transform({**data, 'dataset': dataset})
            if tile is not None:
                tiles.append(tile)
        if len(tiles) < self.num_aux_image:
            raise ValueError(
                f'PoseMosaic: of {self.num_aux_image * MAX_DRAWS} images of '
                f'{type(dataset).__name__} {len(tiles)} could be read: see the log for '
                'their names.'
            )
        return tiles

    def apply_mix(self, results: dict) -> dict:
        """Combine the image and the others; see the class for the keys.

        Args:
            results (dict): The first tile, and the others in ``mixed_data_list``.

        Returns:
            dict: The first tile's ``results``, changed.
        """
        others = results.pop('mixed_data_list')
        tiles = [results, *others]
        sizes = {tile['img'].shape[:2] for tile in tiles}
        if len(sizes) > 1:
            raise ValueError(
                f'PoseMosaic: tiles must be of one size, got {sorted(sizes)} (height, '
                'width): end its pipeline with PoseRandomAffine.'
            )
        height, width = sizes.pop()
        rows, columns = self.grid
        for i, tile in enumerate(tiles):
            corner = np.array([i % columns * width, i // columns * height], np.float32)
            tile['bbox'] = tile['bbox'] + np.tile(corner, 2)
            tile['keypoints'] = tile['keypoints'] + corner
        images = np.stack([tile['img'] for tile in tiles])
        results['img'] = np.concatenate(
            [
                np.concatenate(list(images[row * columns : (row + 1) * columns]), 1)
                for row in range(rows)
            ]
        )
        results['img_shape'] = results['img'].shape[:2]
        for key in INSTANCE_KEYS:
            if isinstance(results.get(key), np.ndarray):
                results[key] = np.concatenate([tile[key] for tile in tiles])
            elif key in results:
                results[key] = [value for tile in tiles for value in tile[key]]
        return results
