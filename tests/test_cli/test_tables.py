# Copyright (c) onestage_pose contributors.
from onestage_pose.cli.tables import format_table


def test_columns_are_aligned_and_numbers_to_the_right():
    assert format_table(('model', 'ms'), [('gcm', 8), ('torchvision', 12)]) == (
        '| model       | ms |\n'
        '|-------------|----|\n'
        '| gcm         |  8 |\n'
        '| torchvision | 12 |'
    )


def test_brackets_are_no_markup():
    assert '| [red]x[/red] |' in format_table(('name',), [('[red]x[/red]',)])


def test_long_cells_are_not_folded():
    assert len(format_table(('name',), [('x' * 500,)]).splitlines()) == 3


def test_a_table_without_rows_has_its_heading():
    assert format_table(('name',), []).splitlines()[0] == '| name |'
