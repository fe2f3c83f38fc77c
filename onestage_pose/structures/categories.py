# Copyright (c) onestage_pose contributors.
"""Categories with keypoints of their own, and the union of all their keypoints.

A model of several categories predicts the union: the keypoints of the first category,
then those of the second, and so on. Metainfo that mmpose has parsed says which are
whose (:func:`..metainfo.parse_metainfo`):

- ``categories``: a list with ``name``, ``id`` (of COCO files) and ``keypoints`` (first
  place and the one behind the last) of each; its place in the list is its label;
- ``keypoint_categories``: the label of the category of each of the K keypoints.

Metainfo of one skeleton has neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..utils.errors import AnnotationError
from ..utils.suggestions import did_you_mean
from .coco_records import quote

#: Between a category and its keypoint in the names of the union: ``dog/nose``.
SEPARATOR = '/'


@dataclass(frozen=True)
class Category:
    """A category and its part of the union.

    Attributes:
        label (int): Its place among the categories, as the box branch counts them.
        name (str): As annotation files have it.
        id (int): ``category_id`` of results and of ground truth.
        start (int): Place of its first keypoint in the union.
        stop (int): The place behind its last one.
        keypoint_names (tuple[str, ...]): As annotation files have them.
    """

    label: int
    name: str
    id: int
    start: int
    stop: int
    keypoint_names: tuple[str, ...]

    @property
    def places(self) -> slice:
        """slice: Its keypoints in the union."""
        return slice(self.start, self.stop)

    @property
    def num_keypoints(self) -> int:
        """int: How many keypoints it has."""
        return self.stop - self.start


def get_categories(metainfo: Mapping[str, Any] | None) -> tuple[Category, ...]:
    """Return the categories of metainfo.

    Args:
        metainfo (Mapping | None): As mmpose has parsed it.

    Returns:
        tuple[Category, ...]: By their labels; empty where it has one skeleton.
    """
    found = []
    for label, entry in enumerate((metainfo or {}).get('categories') or ()):
        start, stop = map(int, entry['keypoints'])
        prefix = f'{entry["name"]}{SEPARATOR}'
        names = metainfo['keypoint_id2name']
        own = tuple(names[k].removeprefix(prefix) for k in range(start, stop))
        found.append(Category(label, entry['name'], int(entry['id']), start, stop, own))
    return tuple(found)


def has_whole_categories(metainfo: Mapping[str, Any]) -> bool:
    """Say whether categories share all keypoints in turn, or there are none.

    Args:
        metainfo (Mapping): With ``keypoint_id2name``; from a file, so that it may hold
            anything else.

    Returns:
        bool: Whether :func:`get_categories` understands it, and
        ``keypoint_categories`` says the same.
    """
    owners = metainfo.get('keypoint_categories')
    if metainfo.get('categories') is None and owners is None:
        return True
    try:
        found = get_categories(metainfo)
        expected = [each.label for each in found for _ in range(each.start, each.stop)]
        starts = [0, *(each.stop for each in found)]
        return (
            all(isinstance(each.name, str) for each in found)
            and starts == [*(each.start for each in found), len(owners)]
            and len(owners) == len(metainfo['keypoint_id2name'])
            and list(map(int, owners)) == expected
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def find_own_keypoints(
    labels: np.ndarray, metainfo: Mapping[str, Any]
) -> np.ndarray | None:
    """Say which keypoints of the union are an instance's own.

    Args:
        labels (np.ndarray): (N,) int, the categories of instances.
        metainfo (Mapping): As mmpose has parsed it, of K keypoints.

    Returns:
        np.ndarray | None: (N, K) bool; None where it has one skeleton.
    """
    owners = metainfo.get('keypoint_categories')
    if owners is None:
        return None
    return np.asarray(labels)[:, None] == np.asarray(owners)


def take_category(metainfo: Mapping[str, Any], category: Category) -> dict[str, Any]:
    """Return the metainfo of one category by itself.

    Args:
        metainfo (Mapping): As mmpose has parsed it, of the union.
        category (Category): Of its categories.

    Returns:
        dict: As mmpose parses that of one skeleton; its keypoints are numbered from 0
        on and have the names that annotation files have.
    """
    start, stop = category.start, category.stop
    links = np.array(metainfo['skeleton_links'], int).reshape(-1, 2)
    own_links = ((links >= start) & (links < stop)).all(1)
    names = dict(enumerate(category.keypoint_names))
    own = dict(
        dataset_name=f'{metainfo["dataset_name"]}{SEPARATOR}{category.name}',
        num_keypoints=category.num_keypoints,
        keypoint_id2name=names,
        keypoint_name2id={name: place for place, name in names.items()},
        skeleton_links=[tuple(link) for link in (links[own_links] - start).tolist()],
        num_skeleton_links=int(own_links.sum()),
        flip_pairs=[
            (one - start, other - start)
            for one, other in metainfo['flip_pairs']
            if start <= one < stop
        ],
        flip_indices=[k - start for k in metainfo['flip_indices'][start:stop]],
        skeleton_link_colors=np.asarray(metainfo['skeleton_link_colors']).reshape(
            -1, 3
        )[own_links],
    )
    for key in ('upper_body_ids', 'lower_body_ids'):
        own[key] = [k - start for k in metainfo[key] if start <= k < stop]
    for key in ('keypoint_colors', 'dataset_keypoint_weights', 'sigmas'):
        own[key] = metainfo[key][start:stop]
    rest = {
        key: value
        for key, value in metainfo.items()
        if key not in ('categories', 'keypoint_categories')
    }
    return {**rest, **own}


def match_categories(
    file: str,
    records: Sequence[Mapping],
    used: Iterable[int],
    categories: Sequence[Category],
) -> tuple[dict[int, Category], list[str]]:
    """Find the categories of the metainfo that those of an annotation file are.

    By their names, in upper or lower case; in a file without "categories" by ids.

    Args:
        file (str): Path of the file, for messages.
        records (Sequence[Mapping]): Its "categories".
        used (Iterable[int]): The ``category_id`` of its annotations.
        categories (Sequence[Category]): Of the metainfo.

    Returns:
        tuple[dict[int, Category], list[str]]: By the file's ids; and remarks on ids
        that differ.

    Raises:
        AnnotationError: Annotations are of a category that the metainfo has not.
    """
    by_name = {category.name.casefold(): category for category in categories}
    by_id = {category.id: category for category in categories}
    named = {record['id']: record.get('name') for record in records}
    found, remarks = {}, []
    for id_ in sorted(set(used)):
        name = named.get(id_)
        category = by_name.get(str(name).casefold()) if records else by_id.get(id_)
        if category is None:
            known = [each.name for each in categories]
            what = f'{quote(name)} (category_id={id_})' if records else f'id {id_}'
            raise AnnotationError(
                f'{file}: annotations are of the category {what}, and the metainfo has '
                f'{", ".join(f"{each.name} (id {each.id})" for each in categories)}; '
                'add it to `categories` of the metainfo, or take these annotations '
                f'out.{did_you_mean(str(name), known)}'
            )
        if category.id != id_:
            remarks.append(
                f'its category {quote(name)} has id {id_} and that of the metainfo '
                f'id {category.id}, which results are written with; state id={id_} '
                'there for the same'
            )
        found[id_] = category
    return found, remarks
