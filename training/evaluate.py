"""Measure every figure of a model card on the exported files.

``python -m training.evaluate ko-mini`` synthesises the held-out texts again (the same clips for the
same seed and espeak-ng), runs the float16 weights in float32 with transformers' own classes, one
clip at a time, and writes ``figures.json``, ``stt-card.json`` and ``README.md`` beside the weights. ``--only
words confidence precision`` measures these sections again, with the engines of the service, and
keeps the rest; ``--only`` alone renders the page again.
"""

import argparse
import datetime
import hashlib
import platform
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soxr
import torch
import transformers
from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

from stt.evaluation import errors
from training import confidence, precision, word_times
from training.augment import COLOURS, coloured_noise, hum
from training.card import write_card
from training.corpus import SAMPLE_RATE, Corpus, write_corpus
from training.everyday import EverydayTexts, everyday_texts
from training.export import BUNDLED
from training.figures import (
    EmptyFigure,
    Figures,
    LanguageModelFigure,
    Machine,
    PaddingFigure,
    Score,
    TrainingRun,
)
from training.held_out import Subject
from training.recipe import RECIPES, Recipe, n_output_frames
from training.served_card import served_card
from training.text_ko import hold_out

_N_VARIED = 120
"""Held-out sentences measured again in each manner of speaking and each kind of noise."""
_N_PER_VOICE = 40
_PAUSE_SECONDS = 0.35
_JOINED_LEVEL = 0.1


class Recogniser:
    """The exported model, loaded as a user of transformers would."""

    def __init__(self, folder: Path):
        self._processor = Wav2Vec2Processor.from_pretrained(folder)
        self._model = Wav2Vec2ForCTC.from_pretrained(folder, dtype=torch.float32).eval()

    @property
    def n_parameters(self) -> int:
        return sum(p.numel() for p in self._model.parameters())

    def logits(self, waveforms: Sequence[np.ndarray]) -> list[torch.Tensor]:
        """``[n_frames, n_vocab] float32`` of each waveform, all in one padded batch."""
        inputs = self._processor(
            list(waveforms), sampling_rate=SAMPLE_RATE, return_tensors="pt", padding=True
        )
        with torch.inference_mode():
            logits = self._model(**inputs).logits
        return [
            row[: n_output_frames(len(waveform))]
            for row, waveform in zip(logits, waveforms, strict=True)
        ]

    def text(self, logits: torch.Tensor) -> str:
        text = self._processor.tokenizer.decode(logits.argmax(-1))
        return " ".join(unicodedata.normalize("NFC", text).split())

    def transcribe(self, waveform: np.ndarray) -> str:
        return self.text(self.logits([waveform])[0])


def score(references: Sequence[str], texts: Sequence[str], target: float | None = None) -> Score:
    """Error rates as `stt.evaluation.errors` counts them; no reference is empty."""
    scores = errors.score(zip(references, texts, strict=True))
    return Score(
        n_clips=len(texts),
        cer=scores.characters.rate,
        cer_without_spaces=scores.characters_without_spaces.rate,
        wer=scores.words.rate,
        exact=sum(r == t for r, t in zip(references, texts, strict=True)) / len(texts),
        target=target,
    )


class Evaluation:
    """Scores a recogniser on the held-out sets of one recipe."""

    def __init__(
        self,
        recipe: Recipe,
        recogniser: Recogniser,
        folder: Path,
        seed: int,
        everyday: Path | None = None,
    ):
        self._recipe, self._recogniser = recipe, recogniser
        self._folder, self._seed = folder, seed
        self._splits = recipe.make_splits(recipe.n_train_texts, seed)
        self._everyday = everyday_texts(everyday, self._splits, seed) if everyday else None
        self._varied_texts = self._splits.test_sentences[:_N_VARIED]

    def _speak(self, name: str, texts: Sequence[str], **changes: object) -> Corpus:
        delivery = replace(self._recipe.delivery, **changes)
        lower = self._recipe.speaks_lower_case
        return write_corpus(self._folder / name, texts, delivery, self._seed, lower_case=lower)

    def _measure(
        self, corpus: Corpus, name: str, change: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> Score:
        waveforms = corpus.waveforms()
        if change:
            waveforms = [change(waveform) for waveform in waveforms]
        texts = [self._recogniser.transcribe(waveform) for waveform in waveforms]
        measured = score(corpus.texts, texts, self._recipe.targets.get(name))
        print(
            f"{name:24} CER {measured.cer:.4f}  WER {measured.wer:.4f}  n {measured.n_clips}",
            flush=True,
        )
        lines = [f"{r} | {t}" for r, t in zip(corpus.texts, texts, strict=True) if r != t]
        (self._folder / f"{name}.errors.txt").write_text("\n".join(lines), encoding="utf-8")
        return measured

    def scores(self) -> dict[str, Score]:
        """The score of each set by name, those with a target first."""
        splits, recipe = self._splits, self._recipe
        sentences = self._speak("test_sentences", splits.test_sentences)
        scores = {
            "test_sentences": self._measure(sentences, "test_sentences"),
            "test_pairs": self._measure(self._speak("test_pairs", splits.test_pairs), "test_pairs"),
            "test_words": self._measure(self._speak("test_words", splits.test_words), "test_words"),
        }
        if self._everyday:
            scores |= self._everyday_scores(self._everyday)
        manners = {
            "gap_0": {"word_gap": (0, 0)},
            "gap_3_to_6": {"word_gap": (3, 6)},
            "slow": {"words_per_minute": (80, 86)},
            "fast": {"words_per_minute": (205, 240)},
        }
        for name, changes in manners.items():
            scores[name] = self._measure(self._speak(name, self._varied_texts, **changes), name)
        for voice in recipe.unheard_voices:
            name = f"voice_{voice.partition('+')[2]}"
            texts = self._varied_texts[:_N_PER_VOICE]
            scores[name] = self._measure(self._speak(name, texts, voices=(voice,)), name)
        varied = self._speak("varied", self._varied_texts)
        scores["varied"] = self._measure(varied, "varied")
        for name, change in self._changes().items():
            scores[name] = self._measure(varied, name, change)
        for seconds, n_clips in ((10, 24), (20, 16), (60, 8)):
            scores[f"long_{seconds}_s"] = self._joined(sentences, seconds, n_clips)
        return scores

    def _everyday_scores(self, everyday: EverydayTexts) -> dict[str, Score]:
        """Held-out everyday sentences, and words that are held out of everyday sentences too."""
        kept_out = hold_out(self._seed).surfaces - everyday.common_words
        unseen = [t for t in self._splits.test_words if not kept_out.isdisjoint(t.split())]
        return {
            name: self._measure(self._speak(name, texts), name)
            for name, texts in (("everyday", everyday.held_out), ("test_unseen_words", unseen))
        }

    def _changes(self) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
        rng = np.random.default_rng(self._seed)

        def add_noise(exponent: float, ratio_db: float) -> Callable[[np.ndarray], np.ndarray]:
            def change(waveform: np.ndarray) -> np.ndarray:
                level = np.sqrt(np.mean(waveform**2)) * 10 ** (-ratio_db / 20)
                noise = coloured_noise(len(waveform), exponent, rng)
                return (waveform + level * noise).astype(np.float32)

            return change

        def round_trip(rate: int) -> Callable[[np.ndarray], np.ndarray]:
            def change(waveform: np.ndarray) -> np.ndarray:
                return soxr.resample(soxr.resample(waveform, SAMPLE_RATE, rate), rate, SAMPLE_RATE)

            return change

        noises = {
            f"{colour}_noise_{ratio_db}_db": add_noise(COLOURS[colour], ratio_db)
            for colour in ("white", "pink")
            for ratio_db in (20, 10, 5)
        }
        return {**noises, "telephone_8_khz": round_trip(8_000), "via_44_1_khz": round_trip(44_100)}

    def _joined(self, corpus: Corpus, seconds: int, n_clips: int) -> Score:
        """Join as many clips as fit into ``seconds`` and run each recording in one forward."""
        rng = np.random.default_rng((self._seed, seconds))
        references, texts = [], []
        for _ in range(n_clips):
            parts, words, n_samples = [], [], 0
            for index in rng.permutation(len(corpus)):
                waveform = corpus.waveform(index)
                n_samples += len(waveform) + int(_PAUSE_SECONDS * SAMPLE_RATE)
                if n_samples > seconds * SAMPLE_RATE:
                    break
                parts.append(waveform * (_JOINED_LEVEL / np.sqrt(np.mean(waveform**2))))
                parts.append(np.zeros(int(_PAUSE_SECONDS * SAMPLE_RATE), np.float32))
                words.append(corpus.texts[index])
            joined = np.concatenate(parts).astype(np.float32)
            references.append(" ".join(words))
            texts.append(self._recogniser.transcribe(joined))
        measured = score(references, texts)
        print(f"{f'long_{seconds}_s':24} CER {measured.cer:.4f}  n {n_clips}", flush=True)
        return measured

    def empty(self) -> EmptyFigure:
        """Transcribe silence and noise of several kinds, levels and lengths; the text should be empty."""
        rng = np.random.default_rng(self._seed + 1)
        clips: list[tuple[str, np.ndarray]] = []
        for seconds in (0.5, 2, 5, 20):
            n_samples = int(seconds * SAMPLE_RATE)
            clips.append((f"digital silence, {seconds} s", np.zeros(n_samples, np.float32)))
            for level_db in (-60, -40, -20, -10):
                level = np.float32(10 ** (level_db / 20))
                for colour, exponent in COLOURS.items():
                    noise = coloured_noise(n_samples, exponent, rng)
                    clips.append((f"{colour} noise, {level_db} dBFS, {seconds} s", noise * level))
                for hertz in (50, 60):
                    wave = hum(n_samples, hertz, rng)
                    clips.append((f"{hertz} Hz hum, {level_db} dBFS, {seconds} s", wave * level))
        texts = [(name, self._recogniser.transcribe(waveform)) for name, waveform in clips]
        written = {name: text for name, text in texts if text}
        print(f"empty clips: {len(clips)}, with text for {written}", flush=True)
        return EmptyFigure(len(clips), written)

    def padding(self, n_clips: int = 24) -> PaddingFigure:
        """Compare clips in a padded batch with the same clips alone."""
        waveforms = self._speak("varied", self._varied_texts).waveforms()[:n_clips]
        alone = [self._recogniser.logits([waveform])[0] for waveform in waveforms]
        together = []
        for first in range(0, n_clips, 8):
            together += self._recogniser.logits(waveforms[first : first + 8])
        texts = self._recogniser.text
        same = sum(texts(a) == texts(b) for a, b in zip(alone, together, strict=True))
        widest = max(float((a - b).abs().max()) for a, b in zip(alone, together, strict=True))
        print(f"padded batch: {same} of {n_clips} texts the same, logits within {widest:.2e}")
        return PaddingFigure(n_clips, same, widest)


def machine() -> Machine:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return Machine(
        processor=f"{len(names)} x {names[0]}" if names else platform.machine(),
        python=platform.python_version(),
        torch=torch.__version__,
        transformers=transformers.__version__,
    )


SECTIONS = ("words", "confidence", "precision")
"""Fields of `Figures` that can be measured separately."""


def measure_sections(subject: Subject, names: Sequence[str]) -> dict[str, object]:
    """Measure some sections with the engines of the service."""
    # A model that is only being tried must not overwrite the diagram in the documentation.
    is_bundled = subject.folder.resolve() == (BUNDLED / subject.name).resolve()
    diagram = Path(f"docs/images/confidence-{subject.name}.png") if is_bundled else None
    measures = {
        "words": lambda: word_times.measure(subject),
        "confidence": lambda: confidence.measure(subject, diagram),
        "precision": lambda: precision.measure(subject),
    }
    sections = {}
    for name in names:
        sections[name] = measures[name]()
        print(sections[name], flush=True)
    return sections


def digest(folder: Path) -> str:
    """SHA-256 of the weights file of a model."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def evaluate(
    recipe: Recipe,
    folder: Path,
    work_dir: Path,
    seed: int,
    run: TrainingRun,
    everyday: Path | None = None,
) -> Figures:
    """Measure everything and write ``figures.json`` and ``README.md`` into ``folder``."""
    recogniser = Recogniser(folder)
    heard = Evaluation(recipe, recogniser, work_dir / "evaluation", seed, everyday)
    subject = Subject(recipe.name, folder, work_dir, seed)
    figures = Figures(
        model=recipe.name,
        date=datetime.date.today().isoformat(),
        command=_command(recipe, everyday),
        seed=seed,
        machine=machine(),
        training=run,
        n_parameters=recogniser.n_parameters,
        n_bytes=(folder / "model.safetensors").stat().st_size,
        scores=heard.scores(),
        empty=heard.empty(),
        padding=heard.padding() if recipe.is_xlsr_like else None,
        weights=digest(folder),
        language_model=_language_model(folder / "figures.json"),
        **measure_sections(subject, SECTIONS),
    )
    return write(recipe, figures, folder)


def _language_model(path: Path) -> LanguageModelFigure | None:
    """The figures of the language model, which `training.language_model` makes."""
    return Figures.load(path).language_model if path.exists() else None


def _command(recipe: Recipe, everyday: Path | None) -> str:
    command = f"uv run --group training --extra openvino python -m training.evaluate {recipe.name}"
    return f"{command} --everyday {everyday.name}" if everyday else command


def update(
    recipe: Recipe, folder: Path, work_dir: Path, seed: int, names: Sequence[str]
) -> Figures:
    """Measure some sections again and write ``figures.json`` and ``README.md``.

    Raises:
        ValueError: The other figures come from other weights or another machine.
    """
    figures = Figures.load(folder / "figures.json")
    if figures.weights not in ("", digest(folder)):
        raise ValueError("figures.json has figures of other weights: run without --only")
    if names and figures.machine != machine():
        raise ValueError(
            f"figures.json comes from {figures.machine}: run without --only on this machine"
        )
    sections = measure_sections(Subject(recipe.name, folder, work_dir, seed), names)
    return write(recipe, replace(figures, weights=digest(folder), **sections), folder)


def write(recipe: Recipe, figures: Figures, folder: Path) -> Figures:
    """Write all files; return the figures as rounded in ``figures.json``."""
    figures.save(folder / "figures.json")
    saved = Figures.load(folder / "figures.json")
    write_card(recipe, saved, folder / "README.md")
    (folder / "stt-card.json").write_text(served_card(saved, folder).to_json(), encoding="utf-8")
    return saved


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work-dir", type=Path, help="default: runs/NAME")
    parser.add_argument("--folder", type=Path, help="default: stt/bundled/NAME")
    parser.add_argument("--everyday", type=Path, help="the CSV of everyday sentences")
    parser.add_argument(
        "--only", nargs="*", choices=SECTIONS, help="measure only these sections again"
    )
    options = parser.parse_args()
    recipe = RECIPES[options.recipe]
    folder = options.folder or BUNDLED / recipe.name
    work_dir = options.work_dir or Path("runs") / recipe.name
    if options.only is not None:
        try:
            update(recipe, folder, work_dir, options.seed, options.only)
        except ValueError as error:
            parser.error(str(error))
        return
    run = Figures.load(folder / "figures.json").training
    evaluate(recipe, folder, work_dir, options.seed, run, options.everyday)


if __name__ == "__main__":
    main()
