# Copyright (c) onestage_pose contributors.
"""CVAT's XML for images."""

from onestage_pose.utils.errors import AnnotationError

import pytest

from tests.test_data_tools.conftest import write_image

META = """<meta><task><labels>
<label><name>dog</name><type>skeleton</type><svg>
&lt;line data-type="edge" data-node-from="2" data-node-to="1"&gt;&lt;/line&gt;
&lt;circle data-type="element node" data-node-id="1" data-label-name="tail"&gt;
&lt;circle data-type="element node" data-node-id="2" data-label-name="nose"&gt;
</svg></label>
<label><name>tail</name><type>points</type><parent>dog</parent></label>
<label><name>nose</name><type>points</type><parent>dog</parent></label>
</labels></task></meta>"""
SKELETON = """<skeleton label="dog" source="manual" z_order="0" group_id="{group}">
<points label="nose" outside="0" occluded="1" points="30.5,20.0"></points>
<points label="tail" outside="1" occluded="0" points="50.0,30.0"></points>
</skeleton>"""
BOX = '<box label="{}" occluded="0" xtl="20" ytl="10" xbr="60" ybr="40" group_id="{}"/>'


@pytest.fixture
def cvat(tmp_path):
    """Makes an export of one image with these elements."""

    def make(*shapes, meta=META, head='', more='', attributes=''):
        root = tmp_path / 'cvat'
        write_image(root / 'images/a.jpg')
        (root / 'annotations.xml').write_text(
            f'<?xml version="1.0" encoding="utf-8"?>{head}'
            f'<annotations><version>1.1</version>{meta}'
            f'<image id="0" name="a.jpg" width="100" height="50" {attributes}>'
            f'{"".join(shapes)}</image>{more}</annotations>'
        )
        return root

    return make


def test_a_skeleton_is_an_object_in_the_order_of_its_labels(cvat, convert):
    it = convert(cvat(SKELETON.format(group=0)))

    assert it.names == ['tail', 'nose']
    # outside is not labelled, occluded is hidden
    assert it.keypoints == [[0, 0, 0], [30.5, 20, 1]]
    assert it.content['categories'][0]['skeleton'] == [[2, 1]]


def test_the_ids_of_the_images_stay(cvat, convert):
    assert convert(cvat(SKELETON.format(group=0))).content['images'][0]['id'] == 0


@pytest.mark.parametrize('group, label', [(1, 'anything'), (0, 'dog')])
def test_a_skeleton_takes_the_box_of_its_group_or_around_it(
    cvat, convert, group, label
):
    it = convert(cvat(SKELETON.format(group=group), BOX.format(label, group)))

    assert it.read.bboxes.tolist() == [[20, 10, 60, 40]]
    assert len(it.content['annotations']) == 1


def test_single_points_are_grouped(cvat, convert):
    points = '<points label="{}" points="{}" occluded="0" group_id="3"/>'

    it = convert(
        cvat(
            BOX.format('cat', 3),
            points.format('ear', '30,20'),
            points.format('paw', '40,30'),
            meta='',
        )
    )

    assert it.names == ['ear', 'paw']
    assert it.keypoints == [[30, 20, 2], [40, 30, 2]]


def test_a_shape_of_several_points_has_numbers_for_names(cvat, convert):
    shape = '<points label="hand" points="30,20;40,30;50,40" occluded="0"/>'

    it = convert(cvat(shape, meta=''), keypoints=['wrist', 'thumb', 'palm'])

    assert it.names == ['wrist', 'thumb', 'palm']
    assert it.keypoints[2] == [50, 40, 2]


def test_subsets_are_splits(cvat, convert):
    second = '<image id="1" name="b.jpg" width="9" height="9" subset="Validation"/>'

    it = convert(
        cvat(SKELETON.format(group=0), attributes='subset="Train"', more=second)
    )

    assert sorted(it.done.files) == ['train', 'val']


def test_other_shapes_are_left_out_and_named(cvat, convert):
    polygon = '<polygon label="grass" points="0,0;1,0;1,1"/>'

    it = convert(cvat(SKELETON.format(group=0), polygon))

    assert 'shapes of the kind polygon' in it.done.left_out[0]


@pytest.mark.parametrize(
    'options, told',
    [
        (dict(more='<track id="0" label="dog"/>'), 'CVAT for images 1.1'),
        (dict(head='<!DOCTYPE annotations [<!ENTITY a "b">]>'), 'has a document type'),
        (dict(more='<'), 'is not valid XML'),
        (
            dict(more='<image name="b.jpg" width="no" height="9"/>'),
            "image b.jpg: 'no' is not a number",
        ),
    ],
)
def test_what_is_no_such_file_is_told(cvat, convert, options, told):
    with pytest.raises(AnnotationError, match=told):
        convert(cvat(SKELETON.format(group=0), **options))


def test_a_skeleton_with_a_point_twice_is_named(cvat, convert):
    twice = SKELETON.format(group=0).replace('"tail"', '"nose"')

    with pytest.raises(AnnotationError, match="image a.jpg, skeleton dog: .*'nose'"):
        convert(cvat(twice))
