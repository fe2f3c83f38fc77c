# Copyright (c) onestage_pose contributors.
"""Sphinx's configuration: what ``make docs`` builds the site with."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]

from onestage_pose.version import __version__  # noqa: E402

import generated_pages  # noqa: E402
from mmcv.transforms.utils import cache_randomness  # noqa: E402

project = 'onestage_pose'
author = 'onestage_pose contributors'
copyright = author
version = release = __version__

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
    'sphinx_copybutton',
    'sphinx_design',
]
exclude_patterns = ['_build', 'data']

# pages in Markdown
smartquotes = False  # quotation marks are meant as they are typed
myst_enable_extensions = ['colon_fence', 'deflist']
myst_heading_anchors = 4

# docstrings
napoleon_use_ivar = True  # the fields of named tuples are described there already
autodoc_member_order = 'bysource'
autodoc_mock_imports = generated_pages.NOT_INSTALLED
autodoc_typehints = 'none'  # the docstrings have them, with shapes
napoleon_use_rtype = False
# Only names of this project are looked up: other projects' inventories take a network.
nitpicky = True
nitpick_ignore_regex = [(r'py:.*', r'(?!onestage_pose\.).*')]

html_theme = 'pydata_sphinx_theme'
html_title = f'onestage_pose {version}'
html_static_path = ['_static']
html_css_files = ['site.css']
html_theme_options = dict(
    logo=dict(text='onestage_pose'),
    navbar_align='left',
    navigation_with_keys=False,
    show_toc_level=2,
    use_edit_page_button=False,
    footer_start=['copyright'],
    footer_end=['theme-version'],
)
html_show_sourcelink = False
# A page's whole title is long for the side bar on a telephone.
html_sidebars = {'index': []}

# `$` and comments are not part of a command that is copied.
copybutton_exclude = '.linenos, .gp, .go'

linkcheck_timeout = 20
linkcheck_retries = 2
# A file that is downloaded at first use, and test addresses.
linkcheck_ignore = [r'http://localhost.*', r'http://127\.0\.0\.1.*']


def _read_from_the_class(descriptor, instance, owner=None):
    # mmcv's takes no look from the class, which autodoc has
    if instance is None:
        return descriptor
    return _mmcv_get(descriptor, instance, owner)


_mmcv_get = cache_randomness.__get__
cache_randomness.__get__ = _read_from_the_class


def setup(app):
    """Write the pages that come from the code before the others are read."""
    app.connect('builder-inited', lambda _: generated_pages.write(DOCS))
