# Copyright (c) onestage_pose contributors.
"""The options of each command, for ``onestage-pose`` and the scripts in ``tools/``.

Nothing here imports PyTorch or OpenMMLab, so help and mistyped options are answered
at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from ..apis.thresholds import BBOX_THR, KPT_THR, PEAK_KPT_THR
from ..data_tools.formats import FORMATS
from ..data_tools.sigmas import DEFAULT_SIGMA
from ..zoo import list_models
from .args import (
    Parser,
    above_zero,
    add_common_arguments,
    add_config_options,
    names,
    not_negative,
    pair,
    port,
    positive,
    probability,
    tiles,
)

TEST_OUT_SUFFIXES = ('.json', '.yaml', '.yml', '.pkl', '.pickle')


def parse(
    add_arguments: Callable[[argparse.ArgumentParser], None],
    argv: Sequence[str] | None = None,
    description: str | None = None,
) -> argparse.Namespace:
    """Parse the command line of a script with one command.

    Args:
        add_arguments (Callable): One of this module's.
        argv (Sequence[str] | None): The arguments, by default those of ``sys.argv``.
        description (str | None): What the script does, lines kept as they are.

    Returns:
        argparse.Namespace: The values.
    """
    parser = Parser(
        allow_abbrev=False,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return parser.parse_args(argv)


def add_predict_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of predictions on images and videos."""
    parser.epilog = (
        'docs/reference/results.md says what the scores mean and what the files hold.'
    )
    parser.add_argument(
        'input',
        help='an image, a folder, a pattern ("images/*.jpg"), a video, an address '
        "(http, https, rtsp), or a camera's number",
    )
    _add_model_arguments(parser)
    parser.add_argument(
        '--out-dir',
        type=Path,
        default=Path('outputs'),
        help='where the results go: drawings to visualizations/, and with '
        '--save-predictions the numbers to predictions/ (default: outputs)',
    )
    parser.add_argument(
        '--recursive', action='store_true', help='include the subfolders of a folder'
    )
    _add_device_argument(parser)
    parser.add_argument(
        '--batch-size',
        type=positive,
        default=1,
        help='images that a GPU processes together; on a CPU, decoded ahead '
        '(default: 1)',
    )
    _add_bbox_thr_argument(parser)
    parser.add_argument(
        '--kpt-thr',
        type=probability,
        help='do not draw keypoints whose score is under this (default: '
        f"{PEAK_KPT_THR} for a codec with score_mode='peak', whose scores are low, "
        f'else {KPT_THR})',
    )
    parser.add_argument('--draw-bbox', action='store_true', help='draw the boxes')
    parser.add_argument(
        '--draw-scores', action='store_true', help="write each person's score"
    )
    parser.add_argument(
        '--draw-heatmap', action='store_true', help='draw the heatmaps below the image'
    )
    parser.add_argument(
        '--color-by',
        choices=['side', 'person'],
        default='side',
        help='left green, right orange, or one colour for each person (default: side)',
    )
    parser.add_argument(
        '--radius',
        type=positive,
        help='radius of a keypoint, in pixels (default: in proportion to the image)',
    )
    parser.add_argument(
        '--thickness',
        type=positive,
        help='width of a limb, in pixels (default: in proportion to the image)',
    )
    _add_flip_test_argument(parser)
    parser.add_argument(
        '--save-predictions',
        action='store_true',
        help='also write keypoints, boxes and scores as JSON',
    )
    add_config_options(parser, 'model.test_cfg.rcnn.max_per_img=20')


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the server."""
    parser.epilog = (
        'docs/how_to/serve.md says what it answers, and how to run it safely.'
    )
    _add_model_arguments(parser)
    _add_address_arguments(
        parser,
        'the address to listen on; 0.0.0.0 for all (default: this machine alone)',
    )
    _add_device_argument(parser)
    parser.add_argument(
        '--batch-size',
        type=positive,
        default=8,
        help='largest number of images in a batch (default: 8)',
    )
    parser.add_argument(
        '--bbox-thr',
        type=probability,
        default=BBOX_THR,
        help='leave out people whose score is not over this, unless a request says '
        f'otherwise (default: {BBOX_THR})',
    )
    parser.add_argument(
        '--max-bytes',
        type=positive,
        default=32 * 2**20,
        help="largest size of a request's body (default: 32 MiB)",
    )
    parser.add_argument(
        '--max-pixels',
        type=positive,
        default=50_000_000,
        help='largest number of pixels of an image (default: 50 million)',
    )
    parser.add_argument(
        '--max-waiting',
        type=positive,
        default=64,
        help='largest number of waiting requests; more get status 503 (default: 64)',
    )
    parser.add_argument(
        '--timeout',
        type=above_zero,
        default=60.0,
        help='seconds that a request waits for the model (default: 60)',
    )
    parser.add_argument(
        '--allow-urls',
        action='store_true',
        help='also read images from addresses of public servers',
    )
    add_config_options(parser, 'model.test_cfg.rcnn.max_per_img=20')


def add_track_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of tracking in videos."""
    parser.epilog = 'docs/how_to/track.md describes the options and the lines of JSON.'
    parser.add_argument(
        'input',
        help='a video, an address (http, https, rtsp), or the number of a camera',
    )
    _add_model_arguments(parser)
    parser.add_argument(
        '--out', type=Path, metavar='FILE.mp4', help='draw the people into this video'
    )
    parser.add_argument(
        '--json',
        type=Path,
        metavar='FILE.jsonl',
        help='write a line of JSON for each frame',
    )
    parser.add_argument(
        '--show', action='store_true', help='show the video in a window; q ends it'
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        '--resume',
        action='store_true',
        help='continue the --json file of an interrupted run',
    )
    start.add_argument('--force', action='store_true', help='overwrite existing files')
    _add_device_argument(parser)
    parser.add_argument(
        '--batch-size',
        type=positive,
        default=1,
        help='frames that a GPU processes together (default: 1)',
    )
    parser.add_argument(
        '--bbox-thr',
        type=probability,
        default=BBOX_THR,
        help='smallest score of a new track; an existing track continues with a lower '
        f'score (default: {BBOX_THR})',
    )
    parser.add_argument(
        '--max-gap',
        type=not_negative,
        default=1.0,
        metavar='SECONDS',
        help='how long a person may be lost and keep the track id (default: 1)',
    )
    parser.add_argument(
        '--smooth',
        type=not_negative,
        default=1.0,
        metavar='STRENGTH',
        help='how much keypoints at rest are smoothed; 0 is off (default: 1)',
    )
    parser.add_argument(
        '--tiles',
        type=tiles,
        metavar='COLUMNSxROWS',
        help='for small people: also process so many overlapping tiles of each frame, '
        'each of which takes the time of a frame',
    )
    parser.add_argument(
        '--kpt-thr',
        type=probability,
        help='do not draw keypoints whose score is under this (default: as predict)',
    )
    parser.add_argument('--draw-bbox', action='store_true', help='draw the boxes too')
    parser.add_argument(
        '--color-by',
        choices=['side', 'person'],
        default='person',
        help='one colour for each person, or left green, right orange '
        '(default: person)',
    )
    _add_flip_test_argument(parser)
    add_config_options(parser, 'model.test_cfg.rcnn.max_per_img=20')


def add_bulk_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of predictions for many images."""
    parser.epilog = (
        'The same command continues an interrupted run. docs/how_to/bulk.md says what '
        'the files hold, and how to use a cluster.'
    )
    parser.add_argument(
        'source',
        metavar='SRC',
        help='a folder, a pattern ("images/*.jpg"), a list of paths (.txt, one a '
        'line), or Parquet files with images or paths; or an address of these (s3://)',
    )
    parser.add_argument(
        'destination', metavar='DST', help='the folder of the results, or its address'
    )
    _add_model_arguments(parser)
    parser.add_argument(
        '--workers',
        type=positive,
        metavar='N',
        help='processes, each with a model of its own (default: one a GPU, or else '
        'one; with --ray one a GPU, or else one a CPU of the cluster)',
    )
    parser.add_argument(
        '--ray',
        nargs='?',
        const='',
        metavar='ADDRESS',
        help='use a Ray cluster; without an address that of the variable RAY_ADDRESS, '
        'or else this machine',
    )
    parser.add_argument(
        '--format',
        choices=['parquet', 'coco'],
        default='parquet',
        help='tables, one row a person, or a JSON file of COCO results, for images '
        'whose file names are numbers (default: parquet)',
    )
    parser.add_argument(
        '--recursive', action='store_true', help='include the subfolders of a folder'
    )
    parser.add_argument(
        '--column',
        metavar='NAME',
        help='of Parquet files: holds the images or their paths (default: the only one '
        'that can)',
    )
    parser.add_argument(
        '--name-column',
        metavar='NAME',
        help='of Parquet files: holds the names of the images',
    )
    parser.add_argument(
        '--partition-size',
        type=positive,
        metavar='N',
        help='images in a file of the results, at most (default: 16 to 1000, by their '
        'number)',
    )
    _add_device_argument(parser)
    parser.add_argument(
        '--batch-size',
        type=positive,
        default=1,
        help='images that a GPU processes together (default: 1)',
    )
    _add_bbox_thr_argument(parser)
    _add_flip_test_argument(parser)
    add_config_options(parser, 'model.test_cfg.rcnn.max_per_img=20')


def _add_model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'config',
        nargs='?',
        default='nano',
        help='the name of a published model, or the config of a model, a Python file '
        '(default: nano)',
    )
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='the checkpoint, a file or an address; not for a model given by name',
    )


def _add_address_arguments(parser: argparse.ArgumentParser, host_help: str) -> None:
    parser.add_argument('--host', default='127.0.0.1', help=host_help)
    parser.add_argument(
        '--port', type=port, default=8000, help='0 for a free one (default: 8000)'
    )


def _add_device_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--device', help='cpu, cuda:0 (default: a GPU if there is one)')


def _add_bbox_thr_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--bbox-thr',
        type=probability,
        default=BBOX_THR,
        help=f'leave out people whose score is not over this (default: {BBOX_THR})',
    )


def _add_flip_test_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--flip-test', action='store_true', help='also process the mirrored image'
    )


def add_web_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the page in a browser."""
    parser.epilog = 'docs/how_to/browser.md says how to put the page on a server.'
    _add_model_arguments(parser)
    _add_address_arguments(
        parser,
        'the address to listen on (default: this machine alone; browsers give camera '
        'and threads to other machines only over https)',
    )
    parser.add_argument(
        '--build',
        type=Path,
        metavar='DIR',
        help='write the page, model and runtime to this folder, and do not serve',
    )
    parser.add_argument(
        '--ort',
        type=Path,
        metavar='PATH',
        help='the npm package onnxruntime-web, as a folder or a .tgz file (default: '
        'downloaded once)',
    )
    _add_weights_argument(parser)
    parser.add_argument(
        '--force', action='store_true', help='with --build, overwrite existing files'
    )
    add_config_options(parser, 'model.test_cfg.rcnn.max_per_img=20')


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of MMPose's train.py."""
    parser.add_argument('config', help='the training config, a Python file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from this checkpoint, or without a value from the latest valid '
        'one in the work dir (from the start where there is none)',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='train in mixed precision: float16 on a GPU, bfloat16 on a CPU with it',
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='do not evaluate while training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the batch size over auto_scale_lr.'
        'base_batch_size',
    )
    add_common_arguments(parser)


def add_finetune_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of fine-tuning on one's own annotations."""
    parser.epilog = (
        'The same command again resumes an interrupted run. '
        'docs/how_to/finetune.md describes every step.'
    )
    parser.add_argument(
        'data',
        type=Path,
        metavar='DATA',
        help='a COCO keypoint file, a folder that holds one, or what a labelling tool '
        'exported (as for convert-data)',
    )
    parser.add_argument(
        '--val',
        type=Path,
        help='validation data, in any of these forms (default: a fifth of DATA)',
    )
    parser.add_argument(
        '--images',
        type=Path,
        metavar='DIR',
        help='folder of the images (default: looked for beside the file)',
    )
    parser.add_argument(
        '--val-images', type=Path, metavar='DIR', help='folder of the images of --val'
    )
    parser.add_argument(
        '--model',
        type=str.lower,
        choices=list_models(),
        metavar='NAME',
        default='nano',
        help=f'the published model to start from: {", ".join(list_models())} '
        '(default: nano)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        metavar='DIR',
        help='folder to write to (default: work_dirs/finetune_NAME, after DATA)',
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        '--epochs',
        type=above_zero,
        help='how often each image is seen (default: by the number of images)',
    )
    length.add_argument(
        '--minutes', type=above_zero, help='approximate training time on this machine'
    )
    parser.add_argument(
        '--batch-size',
        type=positive,
        help='images in an iteration (default: 4, for large models 2)',
    )
    parser.add_argument(
        '--category',
        metavar='NAME',
        help='the only category to train on, if the file has several',
    )
    parser.add_argument(
        '--keypoints',
        type=names,
        metavar='NAME,NAME',
        help='names of the keypoints in order, if the file has none',
    )
    parser.add_argument(
        '--sides',
        type=pair,
        nargs='+',
        default=[],
        metavar='LEFT:RIGHT',
        help='further words for left and right in names of keypoints, such as '
        'gauche:droite; left, l, links and right, r, rechts are known',
    )
    parser.add_argument(
        '--swap',
        type=pair,
        nargs='+',
        default=[],
        metavar='A:B',
        help='keypoints that change places in mirrored images',
    )
    parser.add_argument(
        '--flip',
        action=argparse.BooleanOptionalAction,
        help='mirror images in training (default: if there are pairs of keypoints)',
    )
    parser.add_argument(
        '--sigma',
        type=above_zero,
        default=DEFAULT_SIGMA,
        help="sigma of OKS for keypoints without a name of COCO's (default: "
        f'{DEFAULT_SIGMA})',
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        help='random seed of the split and the training (default: 0)',
    )


def add_test_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of MMPose's test.py."""
    parser.add_argument(
        'config',
        help='the config of the model, a Python file, or the name of a published model',
    )
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='the checkpoint, a file or an address; not for a model given by name',
    )
    parser.add_argument(
        '--out',
        help=f'write the metrics to this file ({", ".join(TEST_OUT_SUFFIXES)})',
    )
    parser.add_argument(
        '--dump', help='write the predictions to this file (.pkl or .pickle)'
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='predict in mixed precision: float16 on a GPU, bfloat16 on a CPU with it',
    )
    add_common_arguments(parser)


def add_evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the report on a model or on results."""
    parser.epilog = 'docs/reference/metrics.md says what the numbers mean.'
    parser.add_argument(
        'ann_file', type=Path, metavar='ANN_FILE', help='COCO keypoint file'
    )
    parser.add_argument(
        'config',
        nargs='?',
        help='the name of a published model, or the config of a model, a Python file '
        '(default: nano)',
    )
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='the checkpoint, a file or an address; not for a model given by name',
    )
    parser.add_argument(
        '--results',
        type=Path,
        metavar='FILE',
        help='evaluate these COCO keypoint results (a JSON list) instead of a model',
    )
    parser.add_argument(
        '--images',
        type=Path,
        metavar='DIR',
        help="the folder that the annotation file's image names start from (default: "
        'looked for beside the file)',
    )
    parser.add_argument(
        '--metainfo',
        metavar='FILE',
        help="MMPose's description of the keypoints (default: that of the model's "
        "config; with --results the category's names, else COCO's)",
    )
    parser.add_argument(
        '--html',
        type=Path,
        metavar='FILE',
        default=Path('evaluation.html'),
        help='the page to write (default: evaluation.html)',
    )
    parser.add_argument(
        '--json', type=Path, metavar='FILE', help='write all numbers to this file'
    )
    parser.add_argument(
        '--markdown',
        type=Path,
        metavar='FILE',
        help='write the most important numbers as a table of Markdown',
    )
    parser.add_argument(
        '--save-results',
        type=Path,
        metavar='FILE',
        help="write the model's predictions as COCO results, for --results",
    )
    parser.add_argument(
        '--num-images',
        type=positive,
        metavar='N',
        help='evaluate a model on the first N images of ANN_FILE (default: all)',
    )
    parser.add_argument(
        '--score-thr',
        type=probability,
        default=BBOX_THR,
        help='count false people and doubles over this score; AP counts everybody '
        f'(default: {BBOX_THR})',
    )
    parser.add_argument(
        '--cases',
        type=positive,
        default=6,
        metavar='N',
        help='images shown of each kind of error (default: 6)',
    )
    parser.add_argument(
        '--batch-size',
        type=positive,
        default=1,
        help='images that a GPU processes together; on a CPU, decoded ahead '
        '(default: 1)',
    )
    _add_device_argument(parser)
    _add_flip_test_argument(parser)
    add_config_options(parser, 'model.test_cfg.rcnn.max_per_img=20')


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the export to ONNX."""
    parser.usage = '%(prog)s (CONFIG CHECKPOINT | NAME) OUT.onnx [options]'
    parser.add_argument(
        'words',
        nargs='+',
        metavar='WORD',
        help='config and checkpoint, or the name of a published model '
        f'({", ".join(list_models())}); then the file to write',
    )
    parser.add_argument(
        '--check',
        type=Path,
        metavar='IMAGES',
        help='compare with PyTorch on the images of this folder',
    )
    parser.add_argument(
        '--num-images',
        '--num-pictures',  # its former name
        type=positive,
        default=20,
        help='number of images to compare (default: 20)',
    )
    _add_weights_argument(parser)
    parser.add_argument(
        '--force', action='store_true', help='overwrite an existing file'
    )
    add_config_options(parser, 'model.test_cfg.rcnn.score_thr=0.3')


def _add_weights_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--weights',
        choices=['float32', 'float16'],
        default='float32',
        help='how the graph stores its weights; float16 halves the file, and the graph '
        'computes in float32 with either (default: float32)',
    )


def add_convert_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the conversion from and to Detectron2 and torchvision."""
    parser.add_argument('source', type=Path, metavar='SRC', help='checkpoint to read')
    parser.add_argument('target', type=Path, metavar='DST', help='file to write')
    parser.add_argument(
        '--config',
        type=Path,
        help="config of the model (default: this project's of the same backbone)",
    )
    parser.add_argument(
        '--reverse', action='store_true', help='from this project to Detectron2'
    )
    parser.add_argument(
        '--to',
        choices=['detectron2', 'torchvision'],
        help='the program that DST is for, with --reverse (default: detectron2)',
    )
    parser.add_argument(
        '--force', action='store_true', help='overwrite an existing DST'
    )


def add_models_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the list of models has no options."""


def add_download_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of downloads."""
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument(
        'names',
        nargs='*',
        default=[],
        metavar='NAME',
        help='names of models (onestage-pose models)',
    )
    chosen.add_argument('--all', action='store_true', help='all published models')
    parser.add_argument(
        '--keep-download',
        action='store_true',
        help='keep the published file beside the converted checkpoint',
    )


def add_convert_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the conversion of annotations."""
    formats = '; '.join(f'{name}: {what}' for name, what in FORMATS.items())
    parser.epilog = (
        f'Formats are {formats}. '
        'docs/reference/annotation_formats.md says what is read.'
    )
    parser.add_argument(
        'source',
        type=Path,
        metavar='SRC',
        help='the annotation file, or the folder that the program exported',
    )
    parser.add_argument(
        'target', type=Path, metavar='DST', help='the folder to write to'
    )
    parser.add_argument(
        '--format', choices=list(FORMATS), help='format of SRC (default: detected)'
    )
    parser.add_argument(
        '--images',
        type=Path,
        metavar='DIR',
        help='the folder of the images, if they are not where SRC says',
    )
    parser.add_argument(
        '--keypoints',
        type=names,
        metavar='NAME,NAME',
        help='all keypoints in order, if SRC has no names or no order',
    )
    parser.add_argument(
        '--category',
        metavar='NAME',
        help='keep only objects of this category; also the category of objects '
        'without one',
    )
    parser.add_argument(
        '--copy-images',
        action='store_true',
        help='copy the images to DST/images (default: they are not copied)',
    )
    parser.add_argument('--force', action='store_true', help='overwrite existing files')


def add_check_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the check of a data set."""
    parser.epilog = (
        'The exit status is 1 if an error was found, 0 if there are only warnings. '
        'docs/reference/data_checks.md lists all checks.'
    )
    parser.add_argument(
        'data',
        type=Path,
        metavar='DATA',
        help='a COCO keypoint file, or a folder that holds one or two of them',
    )
    parser.add_argument(
        'other',
        type=Path,
        nargs='?',
        metavar='OTHER',
        help='the file of another split, to find images that are in both',
    )
    parser.add_argument(
        '--images',
        type=Path,
        metavar='DIR',
        help='the folder that the image names start from (default: looked for '
        'beside the file)',
    )
    parser.add_argument(
        '--other-images',
        type=Path,
        metavar='DIR',
        help='the same for OTHER (default: that of --images)',
    )
    parser.add_argument(
        '--decode',
        action='store_true',
        help='decode every image, to find truncated ones',
    )
    parser.add_argument(
        '--json', type=Path, metavar='FILE', help='write counts and findings as JSON'
    )
    parser.add_argument(
        '--sheet',
        type=Path,
        metavar='FILE',
        help='draw images with their annotations on one sheet, suspicious ones first',
    )
    parser.add_argument(
        '--sheet-images',
        type=positive,
        default=20,
        help='number of images on the sheet (default: 20)',
    )
    parser.add_argument('--force', action='store_true', help='overwrite existing files')


def add_doctor_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the report on the installation has no options."""
