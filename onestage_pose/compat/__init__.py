# Copyright (c) onestage_pose contributors.
"""Every patch of an installed package that importing onestage_pose makes.

One module a patch. It names the upstream version, and its test fails once upstream has
mended it, so that the patch can go. A patch is made when the module that it changes is
imported; this package imports none of them, and nothing of the rest of the project:
what replaces something is handed in by :mod:`onestage_pose` itself.
"""
