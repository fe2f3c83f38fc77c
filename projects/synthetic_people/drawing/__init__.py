# Copyright (c) onestage_pose contributors.
"""Drawing code of the :class:`SyntheticPeople` dataset."""

from .render import MAX_PEOPLE, RenderedPerson, render

__all__ = ['MAX_PEOPLE', 'RenderedPerson', 'render']
