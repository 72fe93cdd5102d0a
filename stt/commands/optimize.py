"""``stt optimize``: a checkpoint made several times as fast on a CPU, and what that cost."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from stt.commands.arguments import add_settings, begin
from stt.commands.calibration import Clip, heard_again, read_clips, with_noise
from stt.commands.recognition import choose_language, find_checkpoint
from stt.commands.scoring import Errors, score
from stt.engines.agreement import REFERENCE_FRAMES, Agreement, Reference
from stt.engines.base import Engine
from stt.engines.device import available_cores
from stt.engines.openvino import CONTEXT_FRAMES
from stt.errors import ConfigurationError
from stt.languages import Language
from stt.recognition.ctc import GreedyDecoder
from stt.settings import Settings
from stt.types import SAMPLE_RATE


@dataclass(frozen=True)
class Cost:
    """What an optimised model does otherwise than the checkpoint in fp32."""

    n_clips: int
    disagreement: float
    """Character error rate of the optimised text against the fp32 text."""
    cer_fp32: float | None
    """Against the true texts, where those are known."""
    cer_optimized: float | None
    n_characters: int
    """Of the texts that `loss` is counted in."""
    agreement: Agreement
    """With fp32, at every length that the graph can see."""

    @property
    def loss(self) -> float:
        """What the threshold is held against: more errors where truth is known, else difference."""
        if self.cer_fp32 is None or self.cer_optimized is None:
            return self.disagreement
        return max(0.0, self.cer_optimized - self.cer_fp32)

    @property
    def resolution(self) -> float:
        """One character: no smaller loss can be seen in these recordings."""
        return 1 / max(1, self.n_characters)

    def exceeds(self, threshold: float) -> bool:
        """Whether more is lost; a single character is an accident, however few there are."""
        is_accident = 0 < self.loss < 1.5 * self.resolution
        return self.loss > threshold and not is_accident

    def is_acceptable(self, threshold: float) -> bool:
        """Whether the model may be kept: right at every length, and within the threshold."""
        return self.agreement.holds and not self.exceeds(threshold)


def make_parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    parser = argparse.ArgumentParser(
        prog="stt optimize",
        allow_abbrev=False,
        description="Convert a language's checkpoint once for OpenVINO (the extra `openvino`), "
        "compare it with the original, and keep it if it is as good. The service takes it from "
        "then on (STT_BACKEND=auto). Exit status: 0 kept, 1 not as good, 2 wrong usage or "
        "settings.",
    )
    parser.add_argument("lang", nargs="?", metavar="CODE", help="language: code or alias [KR]")
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FOLDER",
        help="recordings like those that will come, best 100 or more; where it has a texts.tsv "
        "(columns file or path, and text) both error rates are printed [samples of the package]",
    )
    parser.add_argument(
        "--to", choices=("int8", "bf16"), default="int8", help="precision to make [int8]"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.5,
        metavar="PERCENT",
        help="keep it if it loses no more: character error rate, absolute [0.5]",
    )
    parser.add_argument(
        "--max-clips", type=int, default=300, metavar="N", help="recordings to use [300]"
    )
    add_settings(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit status.

    Raises:
        SttError: nothing could be begun.
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
    """Convert, compare, and keep the result if its loss is within the threshold.

    Returns:
        The cost, and the folder it is kept in, or None if it is not.
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
            "folder that can be written to."
        ) from None
    try:
        speech = [clip.waveform for clip in clips]
        convert(read_checkpoint(checkpoint_folder), work, precision, with_noise(speech))
        exact = load_torch_engine(checkpoint_folder, device="cpu", precision="fp32")
        compared = heard_again(clips, exact.grid)
        exact_texts = texts_of(exact, compared, "fp32")
        longest = exact.grid.n_frames(int(settings.window_seconds * SAMPLE_RATE))
        every_length = Reference.of(
            exact,
            speech,
            # The bar is for people: nothing is drawn where standard error is no terminal.
            tqdm(graph_lengths(longest), desc="every length, fp32", disable=None, leave=False),
        )
        Reference.of(exact, speech, [n for n in REFERENCE_FRAMES if n <= longest]).save(work)
        optimized_engine = load_openvino_engine(
            work,
            precision=precision,
            cpu_threads=settings.cpu_threads or available_cores(),
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
            json.dumps({"model": language.model.id, "precision": precision, **asdict(cost)})
        )
        if place.folder.exists():
            shutil.rmtree(place.folder)
        work.chmod(0o755)
        work.rename(place.folder)
        return cost, place.folder
    finally:
        shutil.rmtree(work, ignore_errors=True)


def texts_of(engine: Engine, clips: Sequence[Clip], label: str) -> list[str]:
    """What an engine makes of each clip."""
    texts = []
    # The bar is for people: nothing is drawn where standard error is no terminal.
    for clip in tqdm(clips, desc=f"comparing, {label}", unit="clip", disable=None, leave=False):
        decoder = GreedyDecoder(engine.vocabulary, engine.grid)
        words = decoder.feed(engine.forward([clip.waveform])[0]) + decoder.finish()
        texts.append(" ".join(word.text for word in words))
    return texts


def graph_lengths(longest: int) -> list[int]:
    """Every number of frames that the context graph computes for recordings up to a window.

    Kernels differ by length, and a wrong one shows at its own lengths only.
    """
    return [1, 2, 5, *range(CONTEXT_FRAMES, longest + 1, CONTEXT_FRAMES)]


def compare(
    clips: Sequence[Clip], exact: Sequence[str], optimized: Sequence[str], agreement: Agreement
) -> Cost:
    """The optimised model's texts against fp32's, and both against the truth where it is known."""
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
    """What a person is told at the end."""
    lines = [
        f"{language.name}, {language.model.id}, {precision} against fp32, {cost.n_clips} clips",
        f"  characters that read otherwise than in fp32   {cost.disagreement:.2%}",
    ]
    if cost.cer_fp32 is not None and cost.cer_optimized is not None:
        lines.append(f"  character error rate in fp32                  {cost.cer_fp32:.2%}")
        lines.append(f"  character error rate in {precision:<22}{cost.cer_optimized:.2%}")
    else:
        lines.append("  character error rates: not known without a texts.tsv in --calibration")
    lines.append(f"  {cost.agreement}")
    if cost.resolution > threshold:
        lines.append(
            f"  too few recordings to tell {threshold:.2%}: one of their {cost.n_characters} "
            f"characters is {cost.resolution:.2%}"
        )
    if not cost.agreement.holds:
        lines.append(
            f"NOT kept: at {cost.agreement.shift_frames} frames it computes something else than "
            "fp32 on this processor. The service goes on with torch. --to bf16 may help; "
            "`stt doctor` says what this processor has."
        )
    elif folder is None:
        lines.append(
            f"NOT kept: it loses {cost.loss:.2%}, more than {threshold:.2%} (--threshold). The "
            "service goes on with torch. More recordings in --calibration, or --to bf16, may help."
        )
    else:
        lines.append(f"Kept in {folder}. The service takes it from its next start on.")
    return "\n".join(lines) + "\n"
