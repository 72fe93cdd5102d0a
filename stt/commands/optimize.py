"""``stt optimize``: convert a checkpoint to run several times faster on a CPU."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from stt.commands.arguments import add_settings, begin, given_path
from stt.commands.calibration import Clip, augment, read_clips, with_noise
from stt.commands.recognition import choose_language, find_checkpoint
from stt.decoding.factory import GREEDY
from stt.engines.agreement import REFERENCE_FRAMES, Agreement, Reference
from stt.engines.base import Engine
from stt.engines.device import forward_threads
from stt.engines.lengths import CONTEXT_FRAMES
from stt.errors import ConfigurationError
from stt.evaluation.errors import Errors, score
from stt.languages import Language
from stt.settings import Settings
from stt.types import SAMPLE_RATE, join_words


@dataclass(frozen=True)
class Cost:
    """How an optimised model differs from the checkpoint in fp32."""

    n_clips: int
    disagreement: float
    """Character error rate of the optimised model's text against fp32's."""
    cer_fp32: float | None
    """Against the reference texts, if there are any."""
    cer_optimized: float | None
    n_characters: int
    """Characters that `loss` is computed over."""
    agreement: Agreement
    """With fp32, at every length that the graph may get."""

    @property
    def loss(self) -> float:
        """What the threshold limits: the added CER if there are references, else `disagreement`."""
        if self.cer_fp32 is None or self.cer_optimized is None:
            return self.disagreement
        return max(0.0, self.cer_optimized - self.cer_fp32)

    @property
    def resolution(self) -> float:
        """The smallest loss that these recordings can show: one character."""
        return 1 / max(1, self.n_characters)

    def exceeds(self, threshold: float) -> bool:
        """Whether the loss is above the threshold; a single wrong character never is."""
        is_accident = 0 < self.loss < 1.5 * self.resolution
        return self.loss > threshold and not is_accident

    def is_acceptable(self, threshold: float) -> bool:
        """Whether to keep the model: correct at every length and within the threshold."""
        return self.agreement.holds and not self.exceeds(threshold)


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of this command's flags."""
    parser = argparse.ArgumentParser(
        prog="stt optimize",
        allow_abbrev=False,
        description="Convert a language's checkpoint for OpenVINO (the extra `openvino`), compare "
        "the result with the original, and keep it if it is as good. The service then uses it "
        "(STT_BACKEND=auto). Exit status: 0 kept, 1 not as good, 2 wrong usage or settings.",
    )
    parser.add_argument("lang", nargs="?", metavar="CODE", help="language: code or alias [KR]")
    parser.add_argument(
        "--calibration",
        type=given_path,
        metavar="FOLDER",
        help="recordings like those you will transcribe, ideally 100 or more; with a texts.tsv "
        "(columns file or path, and text), both error rates are printed [the package's samples]",
    )
    parser.add_argument(
        "--to", choices=("int8", "bf16"), default="int8", help="precision to convert to [int8]"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.5,
        metavar="PERCENT",
        help="largest loss to accept: character error rate, absolute [0.5]",
    )
    parser.add_argument(
        "--max-clips", type=int, default=300, metavar="N", help="most recordings to use [300]"
    )
    add_settings(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status.

    Raises:
        SttError: the conversion could not start.
    """
    options, settings = begin(make_parser(), arguments)
    language = choose_language(options.lang, settings)
    clips = read_clips(options.calibration, language, options.max_clips, settings.window_seconds)
    checkpoint_folder = find_checkpoint(language.model, settings)
    cost, folder = optimize(
        language, checkpoint_folder, clips, options.to, options.threshold / 100, settings
    )
    sys.stdout.write(render(cost, options.to, language, options.threshold / 100, folder))
    return 0 if folder is not None else 1


def optimize(
    language: Language,
    checkpoint_folder: Path,
    clips: Sequence[Clip],
    precision: str,
    threshold: float,
    settings: Settings,
) -> tuple[Cost, Path | None]:
    """Convert, compare, and keep the result if it is acceptable.

    Returns:
        The cost, and the folder of the kept model, or None.
    """
    from stt.engines.checkpoint import read_checkpoint
    from stt.engines.openvino import load_openvino_engine
    from stt.engines.openvino_cache import place_of
    from stt.engines.openvino_export import convert
    from stt.engines.torch import load_torch_engine

    place = place_of(language.model, checkpoint_folder, precision, settings.cache_dir)
    try:
        place.folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".making-", dir=place.folder.parent))
    except OSError as error:
        raise ConfigurationError(
            f"The optimised model cannot be stored ({error.strerror}). Set STT_CACHE_DIR to a "
            "writable folder."
        ) from None
    try:
        speech = [clip.waveform for clip in clips]
        adapter = language.model.adapter
        convert(read_checkpoint(checkpoint_folder, adapter), work, precision, with_noise(speech))
        exact = load_torch_engine(
            checkpoint_folder, device="cpu", precision="fp32", language=adapter
        )
        compared = augment(clips, exact.grid)
        exact_texts = texts_of(exact, compared, "fp32")
        longest = exact.grid.n_frames(int(settings.window_seconds * SAMPLE_RATE))
        every_length = Reference.of(
            exact,
            speech,
            # disable=None: no bar unless standard error is a terminal
            tqdm(graph_lengths(longest), desc="every length, fp32", disable=None, leave=False),
        )
        Reference.of(exact, speech, [n for n in REFERENCE_FRAMES if n <= longest]).save(work)
        optimized_engine = load_openvino_engine(
            work,
            precision=precision,
            cpu_threads=forward_threads(settings.cpu_threads),
        )
        cost = compare(
            compared,
            exact_texts,
            texts_of(optimized_engine, compared, precision),
            every_length.compare(optimized_engine),
        )
        if not cost.is_acceptable(threshold):
            return cost, None
        (work / place.report.name).write_text(
            json.dumps({"model": language.model.name, "precision": precision, **asdict(cost)})
        )
        if place.folder.exists():
            shutil.rmtree(place.folder)
        work.chmod(0o755)
        work.rename(place.folder)
        return cost, place.folder
    finally:
        shutil.rmtree(work, ignore_errors=True)


def texts_of(engine: Engine, clips: Sequence[Clip], label: str) -> list[str]:
    """Transcribe each clip."""
    texts = []
    for clip in tqdm(clips, desc=f"comparing, {label}", unit="clip", disable=None, leave=False):
        opened = GREEDY.open(engine)
        [frames] = engine.forward([clip.waveform], opened.want)
        texts.append(join_words(opened.decoder.feed(frames) + opened.decoder.finish()))
    return texts


def graph_lengths(longest: int) -> list[int]:
    """Every number of frames that the context graph computes for recordings up to a window.

    Kernels differ by length, and a faulty one shows only at its own lengths.
    """
    return [1, 2, 5, *range(CONTEXT_FRAMES, longest + 1, CONTEXT_FRAMES)]


def compare(
    clips: Sequence[Clip], exact: Sequence[str], optimized: Sequence[str], agreement: Agreement
) -> Cost:
    """Compare the optimised texts with fp32's, and both with the references, if any."""
    known = [index for index, clip in enumerate(clips) if clip.text]

    def errors(texts: Sequence[str]) -> Errors:
        return score((clips[index].text or "", texts[index]) for index in known).characters

    between = score((a, b) for a, b in zip(exact, optimized, strict=True) if a).characters
    truth = errors(exact)
    return Cost(
        len({clip.name for clip in clips}),
        between.rate or 0.0,
        truth.rate if known else None,
        errors(optimized).rate if known else None,
        truth.reference_units if known else between.reference_units,
        agreement,
    )


def render(
    cost: Cost, precision: str, language: Language, threshold: float, folder: Path | None
) -> str:
    """Format the result for people."""
    lines = [
        f"{language.name}, {language.model.name}, {precision} against fp32, {cost.n_clips} clips",
        f"  characters that differ from fp32              {cost.disagreement:.2%}",
    ]
    if cost.cer_fp32 is not None and cost.cer_optimized is not None:
        lines.append(f"  character error rate in fp32                  {cost.cer_fp32:.2%}")
        lines.append(f"  character error rate in {precision:<22}{cost.cer_optimized:.2%}")
    else:
        lines.append("  character error rates: unknown without a texts.tsv in --calibration")
    lines.append(f"  {cost.agreement}")
    if cost.resolution > threshold:
        lines.append(
            f"  too few recordings to measure {threshold:.2%}: one of their {cost.n_characters} "
            f"characters is {cost.resolution:.2%}"
        )
    if not cost.agreement.holds:
        lines.append(
            f"NOT kept: at {cost.agreement.shift_frames} frames its output differs from fp32 on "
            "this processor. The service keeps using torch. --to bf16 may help; `stt doctor` "
            "lists this processor's features."
        )
    elif folder is None:
        lines.append(
            f"NOT kept: it loses {cost.loss:.2%}, more than {threshold:.2%} (--threshold). The "
            "service keeps using torch. More recordings in --calibration, or --to bf16, may help."
        )
    else:
        lines.append(f"Kept in {folder}. The service uses it after its next start.")
    return "\n".join(lines) + "\n"
