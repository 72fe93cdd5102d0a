"""``stt lm build``: make a language model from texts."""

import argparse
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from stt.commands.arguments import given_path
from stt.errors import ConfigurationError
from stt.language_model.arpa import read_arpa
from stt.language_model.build import DEFAULT_ORDER, MAX_ORDER, Perplexity, Plan, build, measure
from stt.language_model.ngram import NgramModel
from stt.language_model.source import SUFFIXES
from stt.language_model.texts import CUTS, is_held_out, normalise, read_lines
from stt.observability.logs import configure_logging

logger = logging.getLogger(__name__)

SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kMG]?)B?", re.IGNORECASE)
BYTES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of this command's flags."""
    parser = argparse.ArgumentParser(
        prog="stt lm", allow_abbrev=False, description="Make n-gram language models."
    )
    command = parser.add_subparsers(dest="action", required=True, metavar="build").add_parser(
        "build",
        allow_abbrev=False,
        help="make a model from texts",
        description="Make an n-gram model from texts, with modified Kneser-Ney smoothing, and "
        "write it as ARPA. A line of the texts is a sentence. Texts are converted to NFC and lower "
        "case, and lose their punctuation. Exit status: 0 written, 2 wrong usage, or texts that "
        "cannot be read.",
    )
    command.add_argument(
        "texts", nargs="+", type=given_path, metavar="TEXT",
        help="files of UTF-8 text, plain or .gz; - is standard input",
    )  # fmt: skip
    command.add_argument(
        "-o", "--output", type=_output, required=True, metavar="FILE",
        help="the model to write: .arpa or .arpa.gz",
    )  # fmt: skip
    command.add_argument(
        "--unit", choices=CUTS, default="syllable",
        help="syllable: each character is a unit, so a Korean syllable or a letter, and so are "
        "spaces; word: what stands between spaces [syllable]",
    )  # fmt: skip
    command.add_argument(
        "--order", type=_order, default=DEFAULT_ORDER, metavar="N",
        help=f"the longest n-grams [{DEFAULT_ORDER}]",
    )  # fmt: skip
    command.add_argument(
        "--max-size", type=_size, metavar="SIZE", help="prune until the file has it, such as 3MB"
    )
    command.add_argument(
        "--prune", type=_threshold, default=0.0, metavar="LOSS",
        help="remove n-grams that lose less than this, in nats per unit of text, such as 1e-7 [0]",
    )  # fmt: skip
    command.add_argument(
        "--held-out", action="store_true",
        help="leave every tenth sentence out of the model and print its perplexity on them",
    )  # fmt: skip
    command.add_argument(
        "--keep-case", action="store_true", help="do not convert the texts to lower case"
    )
    return parser


def _output(text: str) -> Path:
    if not text.endswith(SUFFIXES):
        raise argparse.ArgumentTypeError(f"{text!r} ends with neither {' nor '.join(SUFFIXES)}")
    if not Path(text).parent.is_dir():
        raise argparse.ArgumentTypeError(f"the folder of {text!r} does not exist")
    return Path(text)


def _order(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_ORDER:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MAX_ORDER}")
    return int(text)


def _size(text: str) -> int:
    match = SIZE.fullmatch(text.strip())
    if not match or not float(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 500kB, 3MB or 1.5GB")
    return int(float(match[1]) * BYTES[match[2].upper()])


def _threshold(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return value


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status.

    Raises:
        ConfigurationError: a text cannot be read, or the model cannot be written.
    """
    options = make_parser().parse_args(arguments)
    configure_logging("info", "text")
    plan = Plan(options.unit, options.order, options.prune, options.max_size)
    held_out: list[str] = []
    texts = _read(options.texts, lower_case=not options.keep_case)
    if options.held_out:
        texts = _without(is_held_out, texts, held_out)
    try:
        build(texts, plan, options.output, lambda step: logger.info("%s", step))
    except OSError as error:
        raise ConfigurationError(f"{options.output}: {error.strerror}.") from None
    model = NgramModel.of(*read_arpa(options.output))
    sys.stdout.write(describe(model, options.output, options.unit))
    if options.held_out:
        sys.stdout.write(describe_held_out(measure(model, held_out, options.unit), len(held_out)))
    return 0


def _read(paths: Sequence[Path], *, lower_case: bool) -> Iterator[str]:
    """The normalised lines of all files, with a bar of the bytes read on a terminal."""
    total = sum(path.stat().st_size for path in paths if path.is_file())
    bar = tqdm(total=total or None, unit="B", unit_scale=True, leave=False, disable=None)
    with bar, logging_redirect_tqdm():
        for path in paths:
            for line in read_lines(path, bar.update):
                yield normalise(line, lower_case=lower_case)


def _without(
    is_wanted: Callable[[str], bool], texts: Iterable[str], taken: list[str]
) -> Iterator[str]:
    """The texts but those that a test chooses, which are collected."""
    for text in texts:
        if is_wanted(text):
            taken.append(text)
        else:
            yield text


def describe(model: NgramModel, path: Path, unit: str) -> str:
    """What was built, in two lines."""
    counts = ", ".join(f"{count:,}" for count in model.counts)
    megabytes = path.stat().st_size / 1e6
    return (
        f"{path}: {megabytes:.2f} MB, order {model.order}, {len(model.units):,} units ({unit})\n"
        f"n-grams by order: {counts}\n"
    )


def describe_held_out(measured: Perplexity, n_texts: int) -> str:
    """How well it predicts what it has not seen, in one line."""
    if not measured.n_units:
        return "held out: no text; there are too few\n"
    share = measured.n_unknown / (measured.n_units + measured.n_unknown)
    return (
        f"held out: {n_texts:,} texts, perplexity {measured.per_unit:.2f} per unit, "
        f"{measured.bits_per_character:.3f} bits per character, {100 * share:.2f} % unknown units\n"
    )
