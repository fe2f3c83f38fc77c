# Copyright (c) onestage_pose contributors.
"""One file a format of annotations; ``..formats.FORMATS`` is the table.

A module has ``recognise(path, content)``, which says whether a file is of its format
(``content`` is what a JSON file holds, the parsed YAML, or the first characters of
another one), and ``read(source, remarks, options)``, which returns
:class:`..labels.Labels`.
"""
