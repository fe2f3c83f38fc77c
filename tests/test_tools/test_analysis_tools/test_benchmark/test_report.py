# Copyright (c) onestage_pose contributors.
"""What was measured is told truly, complete or not."""

import argparse
import json

import pytest
from benchmark import report
from benchmark.timing import Case, Results


def cells(table):
    """The stripped cells of a table in Markdown, row by row."""
    rows = [line for line in table.splitlines() if line.startswith('|')]
    return [[cell.strip() for cell in row.strip('|').split('|')] for row in rows]


def test_ratios_are_taken_turn_by_turn():
    # a machine that gets twice as slow in the middle
    seconds = {'a': [1.0, 1.0, 2.0, 2.0], 'b': [2.0, 2.0, 4.0, 4.0]}
    assert report.ratios(seconds, 'a', 'b').tolist() == [0.5, 0.5, 0.5]


def test_an_interrupted_turn_does_not_count():
    seconds = {'a': [1.0, 1.0, 7.0], 'b': [2.0, 2.0]}
    assert report.ratios(seconds, 'a', 'b').tolist() == [0.5, 0.5, 0.5]


def test_times_are_compared_with_torchvision_in_float32():
    seconds = {
        ('torchvision', 'float32', 8): [2.0, 4.0],
        ('gcm', 'bfloat16', 8): [0.5, 1.0],
    }
    assert cells(report.report_times(seconds))[2:] == [
        ['gcm', 'bfloat16', '8', '750 (625 to 875)', '0.25 (0.25 to 0.25)'],
        ['torchvision', 'float32', '8', '3000 (2500 to 3500)', '1.00 (1.00 to 1.00)'],
    ]


@pytest.mark.parametrize(
    ('seconds', 'text'), [(2.0634, '2063'), (0.02551, '25.5'), (-0.006, '-6.0')]
)
def test_few_milliseconds_have_a_decimal_place(seconds, text):
    assert report.format_ms(seconds) == text


def test_slope_is_that_of_each_further_person():
    seconds = {('gcm', 'float32', 8): [1.0, 1.0], ('gcm', 'float32', 32): [1.24, 1.24]}
    assert ['gcm', 'float32', '10.0'] in cells(report.report_per_person(seconds))


@pytest.mark.parametrize('number', [8, 32])
def test_there_is_no_slope_of_one_number(number):
    assert report.report_per_person({('gcm', 'float32', number): [1.0]}) == ''


def test_one_stage_is_compared_with_two_in_the_same_precision():
    seconds = {
        ('gcm', 'float32', 8): [1.0, 1.5],
        ('two-stage', 'float32', 8): [2.0, 3.0],
        ('gcm', 'bfloat16', 8): [1.0, 1.0],
    }
    told = report.report_against_two_stage(seconds)
    assert told == 'gcm of two-stage, float32, 8 people: 0.50 (0.50 to 0.50)'


def test_stages_are_columns():
    stages = {('gcm', 'float32', 8): {'RPN': 0.284, 'the rest': -0.006}}
    heading, _, row = cells(report.report_stages(stages))
    assert heading == ['model', 'dtype', 'people', 'RPN', 'the rest']
    assert row == ['gcm', 'float32', '8', '284', '-6.0']


def test_products_are_told_from_the_rest():
    spent = dict(mm=0.5, mkldnn_convolution=1.5, copy_=0.2, relu_=0.3, sort=0.1)
    told = report.describe_operators(('gcm', 'float32', 8), spent, number=2)
    assert told == (
        'gcm, float32, 8 people, ms by operator: convolutions and products 2000, '
        'all else 600, of which relu_ 300, copy_ 200'
    )


@pytest.mark.parametrize('name', ['throughput', 'training', 'memory'])
def test_medians_are_given_with_three_digits(name):
    results = Results()
    getattr(results, name)[Case('gcm', 'float32', 2)] = [68.14, 1.0, 100.0]
    row = cells(report.report_field(results, name))[2]
    assert row == ['gcm', 'float32', '2', '68.1']


def test_nothing_is_said_where_nothing_was_measured():
    assert report.report_field(Results(), 'seconds') == ''


def test_a_report_of_nothing_names_the_machine_alone():
    args = argparse.Namespace(size=(800, 1088), repeat=5)
    told = report.report_all(Results(), args)
    assert told.endswith('an image of 800x1088, 5 turns')
    assert 'PyTorch' in told and '\n' not in told


def test_json_has_every_value_by_case(tmp_path):
    results = Results()
    results.seconds[Case('gcm', 'float32', 8)] = [1.0, 2.0]
    results.memory[Case('gcm', 'float32', 8)] = [692.0]
    report.write_json(results, tmp_path / 'benchmark.json')
    assert json.loads((tmp_path / 'benchmark.json').read_text()) == {
        'seconds': {'gcm, float32, 8': [1.0, 2.0]},
        'stages': {},
        'operators': {},
        'throughput': {},
        'training': {},
        'memory': {'gcm, float32, 8': [692.0]},
    }


def test_json_has_memory_only_where_it_was_measured(tmp_path):
    report.write_json(Results(), tmp_path / 'benchmark.json')
    assert 'memory' not in json.loads((tmp_path / 'benchmark.json').read_text())
