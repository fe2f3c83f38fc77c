# Copyright (c) onestage_pose contributors.
"""The documentation: commands parse, code imports, links lead somewhere, numbers are
those that were measured, and the tutorials run."""

import argparse
import ast
import importlib
import importlib.util
import re
import shlex
import subprocess
import sys

from onestage_pose.cli import parsers
from onestage_pose.cli.main import COMMANDS, build_parser, main
from onestage_pose.zoo.table import get_model_info

import measured
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from tests.tool_runs import REPOSITORY, clear_global_state

DOCS = REPOSITORY / 'docs'
PAGES = sorted(
    path
    for path in [*REPOSITORY.glob('*.md'), *DOCS.rglob('*.md')]
    if '_build' not in path.parts and path != DOCS / 'reference/cli.md'
)
TUTORIALS = ['people_in_images', 'own_keypoints', 'video']
# written by the build
GENERATED = ('reference/cli.md', 'reference/api/')
SCRIPTS = {
    'tools/train.py': parsers.add_train_arguments,
    'tools/test.py': parsers.add_test_arguments,
    'tools/finetune.py': parsers.add_finetune_arguments,
    'tools/deployment/export_onnx.py': parsers.add_export_arguments,
    'tools/model_converters/detectron2_to_mmpose.py': parsers.add_convert_arguments,
    'demo/image_demo.py': parsers.add_predict_arguments,
}


def name(path):
    return path.relative_to(REPOSITORY).as_posix()


def blocks(path, *languages):
    """Return the code blocks of a page: language, text, reason not to run it or ''."""
    text = path.read_text()
    found = []
    pattern = r'(?m)^( *)```(\w+)\n(.*?)^\1```$'
    for match in re.finditer(pattern, text, re.DOTALL):
        indent, language, code = match.groups()
        if language in languages:
            lines = [line.removeprefix(indent) for line in code.splitlines()]
            before = text[: match.start()].rstrip().rpartition('\n')[2]
            reason = re.match(r'<!-- not run: (.*) -->', before)
            found.append((language, '\n'.join(lines), reason[1] if reason else ''))
    return found


def commands(code):
    """Return the commands of a shell block as words, continued lines joined."""
    found = []
    for line in code.replace('\\\n', ' ').splitlines():
        words = shlex.split(line, comments=True)
        while words:
            end = next((i for i, word in enumerate(words) if word == '&&'), len(words))
            found.append(words[:end])
            words = words[end + 1 :]
    return [words for words in found if words]


def all_commands(first):
    return [
        pytest.param(words, id=f'{name(path)}: {" ".join(words)[:60]}')
        for path in PAGES
        for _, code, _ in blocks(path, 'bash', 'shell')
        for words in commands(code)
        if first(words)
    ]


def parse(parser, words):
    """Parse words of a page, in which ``[...]`` may stand about what is optional."""
    words = [word if '=' in word else word.strip('[]') for word in words]
    try:
        parser.parse_args(words)
    except SystemExit as error:
        pytest.fail(f'{words}: status {error.code}')


@pytest.mark.parametrize(
    'words', all_commands(lambda words: words[0] == 'onestage-pose')
)
def test_a_command_parses(words):
    parse(build_parser(), words[1:])


@pytest.mark.parametrize(
    'words', all_commands(lambda words: words[0] == 'python' and words[1] in SCRIPTS)
)
def test_a_script_that_is_a_command_parses(words):
    parser = argparse.ArgumentParser()
    SCRIPTS[words[1]](parser)
    parse(parser, words[2:])


@pytest.mark.parametrize(
    'words',
    all_commands(lambda words: words[0] in ('python', 'bash') and '/' in words[1]),
)
def test_a_script_exists(words):
    assert (REPOSITORY / words[1]).is_file()


@pytest.mark.parametrize('words', all_commands(lambda words: words[0] == 'make'))
def test_a_target_of_make_exists(words):
    targets = re.findall(r'(?m)^([a-z-]+):', (REPOSITORY / 'Makefile').read_text())
    wanted = [word for word in words[1:] if '=' not in word]

    assert set(wanted) <= set(targets)


#: What a page reads results with, which this project does not install.
OF_THE_READER = {'pandas', 'openvino'}


@pytest.mark.parametrize(
    'code',
    [
        pytest.param(code, id=f'{name(path)}-{number}')
        for path in PAGES
        for number, (_, code, _) in enumerate(blocks(path, 'python'))
    ],
)
def test_python_compiles_and_imports_what_is_there(code):
    tree = ast.parse(code)

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                package = alias.name.split('.')[0]
                assert package in OF_THE_READER or importlib.util.find_spec(package)
        elif isinstance(node, ast.ImportFrom):
            try:
                module = importlib.import_module(node.module)
            except ImportError as error:
                if 'onestage_pose[' not in str(error):
                    raise
                pytest.skip(f'an extra is not installed: {error}')
            assert all(hasattr(module, alias.name) for alias in node.names)


def slug(heading):
    """Return the anchor that GitHub and MyST give a heading."""
    heading = re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', heading).replace('`', '')
    heading = heading.replace('\\', '').lower()
    return re.sub(r'[^\w\- ]', '', heading).replace(' ', '-')


def anchors(path):
    text = re.sub(r'(?ms)^ *```.*?^ *```$', '', path.read_text())
    return {slug(match) for match in re.findall(r'(?m)^#+ (.*)$', text)}


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_links_lead_somewhere(page):
    text = re.sub(r'(?ms)^ *```.*?^ *```$|`[^`\n]*`', '', page.read_text())
    for target in re.findall(r'\]\(([^)\s]+)\)', text):
        if re.match(r'\w+:', target):
            continue
        file, _, anchor = target.partition('#')
        path = (page.parent / file).resolve() if file else page
        if path.is_relative_to(DOCS) and path.relative_to(DOCS).as_posix().startswith(
            GENERATED
        ):
            continue
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), target


@pytest.mark.parametrize(
    'folder', ['get_started', 'tutorials', 'how_to', 'reference', 'explanation']
)
def test_every_page_is_listed_in_its_folder(folder):
    index = (DOCS / folder / 'index.md').read_text()
    listed = re.search(r'(?s)```{toctree}\n:hidden:\n(.*?)```', index)[1].split()
    pages = {path.stem for path in (DOCS / folder).glob('*.md')} - {'index', 'cli'}

    assert pages <= set(listed)


def test_messages_name_pages_that_exist():
    files = [
        path
        for folder in ('onestage_pose', 'tools', 'configs', 'demo', 'tests', 'projects')
        for path in (REPOSITORY / folder).rglob('*')
        if path.suffix in ('.py', '.json', '.yml', '.ipynb') and path.is_file()
    ]
    named = {
        (page, name(path))
        for path in files
        for page in re.findall(r'docs/[\w/]+\.md', path.read_text())
    }

    assert len(named) > 20
    assert [each for each in named if not (REPOSITORY / each[0]).is_file()] == []


@pytest.mark.parametrize('page', measured.pages(), ids=name)
def test_a_page_has_the_numbers_of_the_data_files(page):
    text = page.read_text()

    assert measured.fill(text) == text


@pytest.mark.parametrize(
    'text, message',
    [
        ('AP <!-- nano.nothing -->1<!-- / -->', 'no number nano.nothing'),
        ('- <!-- nano.keypoint_ap -->1<!-- / -->', 'starts with nano.keypoint_ap'),
    ],
)
def test_a_number_that_cannot_be_inserted_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        measured.fill(text)


def test_readme_is_short():
    assert len((REPOSITORY / 'README.md').read_text().splitlines()) < 150


def test_a_new_nano_changes_all_its_numbers(tmp_path, monkeypatch):
    data, zoo = tmp_path / 'data', tmp_path / 'models.json'
    data.mkdir()
    for path in measured.DATA.glob('*.json'):
        (data / path.name).write_text(path.read_text())
    zoo.write_text(measured.ZOO.read_text())
    nano = measured.read('nano')
    nano['test'] |= {'coco/AP': 0.5004, 'bbox/AP': 0.6004}
    nano['evaluation']['cases'] = [1]
    for part in ('test', 'evaluation'):
        (tmp_path / f'{part}.json').write_text(measured.json.dumps(nano[part]))
    monkeypatch.setattr(measured, 'DATA', data)
    monkeypatch.setattr(measured, 'ZOO', zoo)

    measured.publish_nano(
        tmp_path / 'test.json', tmp_path / 'evaluation.json', '2030-01-01'
    )

    found = measured.substitutions()
    assert found['nano']['keypoint_ap'] == '50.0'
    assert '| `nano` | 50.0 | 60.0 |' in found['model_table']
    assert '2030-01-01' in found['nano_source']
    assert 'cases' not in measured.read('nano')['evaluation']


def test_every_command_has_its_options_in_the_reference():
    import generated_pages

    page = generated_pages.cli_page()

    assert all(f'\n## {command}\n' in page for command in COMMANDS)
    assert '`--bbox-thr BBOX_THR`' in page


def test_the_config_for_ones_own_coco_file_fits_its_keypoints(tmp_path):
    metainfo, config = (
        code for _, code, _ in blocks(DOCS / 'how_to/train.md', 'python')[:2]
    )
    (tmp_path / 'mine').mkdir()
    for folder in ('_base_', 'keypoint_rcnn'):
        (tmp_path / folder).symlink_to(REPOSITORY / 'configs' / folder)
    (tmp_path / 'mine/keypoints.py').write_text(metainfo)
    (tmp_path / 'mine/config.py').write_text(config)

    cfg = Config.fromfile(tmp_path / 'mine/config.py')
    skeleton = parse_pose_metainfo(dict(from_file=str(tmp_path / 'mine/keypoints.py')))

    head = cfg.model.roi_head.keypoint_head
    assert head.num_keypoints == skeleton['num_keypoints'] == 3
    assert cfg.train_dataloader.dataset.metainfo == cfg.metainfo
    assert get_model_info(cfg.load_from.removeprefix('zoo://'))


def test_the_head_of_the_page_is_one(tmp_path, monkeypatch):
    code, config = (
        text for _, text, _ in blocks(DOCS / 'how_to/extend.md', 'python')[:2]
    )
    (tmp_path / 'my_head.py').write_text(code)
    (tmp_path / 'config.py').write_text(config.replace('CLONE', str(REPOSITORY)))
    monkeypatch.syspath_prepend(str(tmp_path))

    cfg = Config.fromfile(tmp_path / 'config.py')
    head = MODELS.build({**cfg.model.roi_head.keypoint_head, '_scope_': 'mmdet'})

    assert head(torch.rand(2, 256, 14, 14)).logits.shape == (2, 17, 56, 56)


@pytest.mark.slow
@pytest.mark.parametrize('tutorial', TUTORIALS)
def test_a_tutorial_runs(tutorial, tmp_path, monkeypatch):
    page = DOCS / f'tutorials/{tutorial}.md'
    # fewer images and less training than in the tutorial
    shorter = {'draw_kites.py kites': 'draw_kites.py kites --number 8'}
    shorter['--epochs 12'] = '--epochs 0.5'
    monkeypatch.chdir(tmp_path)
    names = {}
    for language, code, reason in blocks(page, 'bash', 'python'):
        if reason:
            continue
        clear_global_state()
        if language == 'python':
            exec(compile(code, page, 'exec'), names)
            continue
        for old, new in shorter.items():
            code = code.replace(old, new)
        for words in commands(code):
            if words[0] == 'onestage-pose':
                main(words[1:])
            else:
                assert words[0] == 'python'
                run([sys.executable, str(REPOSITORY / words[1]), *words[2:]])


def run(words, **options):
    done = subprocess.run(words, capture_output=True, text=True, **options)
    assert done.returncode == 0, f'{done.stdout}\n{done.stderr}'


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    for module in ('sphinx', 'myst_parser', 'pydata_sphinx_theme', 'sphinx_design'):
        pytest.importorskip(module, reason='the extra "docs" is not installed')
    command = [sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-b', 'html']
    folders = [str(DOCS), str(tmp_path / 'html')]
    run([*command, '-d', str(tmp_path / 'read'), *folders], cwd=REPOSITORY)

    assert (tmp_path / 'html/search.html').is_file()
