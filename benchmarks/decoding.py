"""What beam search with hotwords and language models brings, and what it costs.

The speech is synthetic (espeak-ng) and held out: the bundled models never heard its texts, nor do
their language models know them.
"""

import argparse
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.report import table
from benchmarks.setting import describe
from stt.decoding.factory import GREEDY, Decoding
from stt.decoding.hotwords import Hotword, parse_hotwords
from stt.engines.torch import TorchEngine
from stt.engines.wants import Top
from stt.evaluation.errors import score
from stt.frames import DecodableFrames, Frames, TopFrames
from stt.language_model.source import LanguageModel, load_language_model
from stt.normalisation import normalise_basic
from stt.types import SAMPLE_RATE, join_words
from training.everyday import spelled_once
from training.held_out import Corpus, Subject, everyday_sentences

NAMES = {
    "ko-mini": (
        "강남역 해운대 판교 삼성전자 카카오뱅크 박서준 김태희 이순신 뽀로로 한라산 경복궁 여의도 "
        "넷플릭스 배달의민족 정자동 광화문 홍길동 제주공항 인사동 롯데타워"
    ),
    "en-mini": (
        "kowalski nakamura reykjavik timbuktu fitzgerald okonkwo zimbabwe beethoven kubernetes "
        "postgres shakespeare vladivostok ljubljana mcallister oxfordshire quetzal rasmussen "
        "tchaikovsky worcester yokohama"
    ),
}
"""Twenty names that the models never heard. The English ones are not spelled as they sound."""
SENTENCES = {
    "ko-mini": (
        "내일 {} 앞에서 만나요", "{} 가는 길을 알려 주세요", "저는 {} 이야기를 들었어요",
        "어제 {} 사진을 봤어요", "여기는 {} 근처입니다", "{}에서 친구를 기다려요",
    ),
    "en-mini": (
        "please call {} tomorrow morning", "i read about {} yesterday", "where is {} now",
        "we talked about {} for an hour", "the book of {} is on the table", "send it to {} today",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Spoken:
    """Texts and the frames of their speech."""

    texts: tuple[str, ...]
    best: tuple[Frames, ...]
    top: tuple[TopFrames, ...]
    seconds: float

    @classmethod
    def of(cls, corpus: Corpus, engine: TorchEngine, most: int) -> "Spoken":
        """Compute a corpus."""
        n = min(most, len(corpus))
        waveforms = [corpus.waveform(index) for index in range(n)]
        want = Top(engine.vocabulary.blank)
        top = tuple(engine.forward([each], want)[0] for each in waveforms)
        best = tuple(best_of(each, engine.calibration.temperature) for each in top)
        return cls(tuple(corpus.texts[:n]), best, top, sum(map(len, waveforms)) / SAMPLE_RATE)

    def __add__(self, other: "Spoken") -> "Spoken":
        return Spoken(
            self.texts + other.texts, self.best + other.best, self.top + other.top,
            self.seconds + other.seconds,
        )  # fmt: skip

    def hypotheses(self, decoding: Decoding, engine: TorchEngine) -> list[str]:
        """The text of each."""
        frames: Sequence[DecodableFrames] = self.best if decoding.is_greedy else self.top
        texts = []
        for each in frames:
            decoder = decoding.open(engine).decoder
            texts.append(join_words(decoder.feed(each) + decoder.finish()))
        return texts

    def rates(self, decoding: Decoding, engine: TorchEngine) -> tuple[float, float]:
        """CER and WER."""
        hypotheses = map(normalise_basic, self.hypotheses(decoding, engine))
        scores = score(zip(map(normalise_basic, self.texts), hypotheses, strict=True))
        return scores.characters.rate or 0.0, scores.words.rate or 0.0


def best_of(top: TopFrames, temperature: float) -> Frames:
    """The best symbols alone, as an engine returns them for greedy decoding."""
    log_probs = top.log_probs[:, 0]
    return Frames(top.columns[:, 0], log_probs, log_probs / temperature - top.log_norms)


def change(before: float, after: float) -> str:
    """Two rates and their relative change."""
    relative = (after - before) / before if before else 0.0
    return f"{before:.2%} → {after:.2%} ({relative:+.0%})"


def accuracy(
    subject: Subject, engine: TorchEngine, models: dict[str, LanguageModel], sets: dict[str, Spoken]
) -> list[list[str]]:
    """A row for each set and language model."""
    rows = []
    for split, spoken in sets.items():
        before = spoken.rates(GREEDY, engine)
        for name, model in models.items():
            after = spoken.rates(Decoding(language_model=model), engine)
            cells = [change(*pair) for pair in zip(before, after, strict=True)]
            rows.append([subject.name, split, str(len(spoken.texts)), name, *cells])
    return rows


def n_found(names: Sequence[str], texts: Sequence[str]) -> int:
    """How often the names occur in texts, spaces aside."""
    joined = [normalise_basic(text).replace(" ", "") for text in texts]
    return sum(text.count(name) for text in joined for name in names)


def recall(
    subject: Subject, engine: TorchEngine, kind: str, names: Sequence[str], other: Spoken
) -> list[str]:
    """A row: how many of the spoken names are found, and how many that nobody said."""
    names = [normalise_basic(name) for name in names]
    texts = [form.format(name) for name in names for form in SENTENCES[subject.name]]
    spoken = Spoken.of(subject.speak_texts(kind, texts), engine, len(texts))
    hotwords = Decoding(parse_hotwords("\n".join(names)))
    counts = [n_found(names, spoken.hypotheses(each, engine)) for each in (GREEDY, hotwords)]
    heard = zip(other.hypotheses(hotwords, engine), other.texts, strict=True)
    false = sum(max(0, n_found(names, [text]) - n_found(names, [said])) for text, said in heard)
    before, after = other.rates(GREEDY, engine), other.rates(hotwords, engine)
    return [
        subject.name, kind, f"{len(texts)}", *(f"{count / len(texts):.0%}" for count in counts),
        f"{false} in {other.seconds / 60:.0f} min", change(before[0], after[0]),
    ]  # fmt: skip


def many(n: int, letters: str) -> tuple[Hotword, ...]:
    """Random hotwords of five letters."""
    random = np.random.default_rng(0)
    words = {"".join(random.choice(list(letters), 5)) for _ in range(2 * n)}
    return tuple(Hotword(word) for word in sorted(words)[:n])


def cost(engine: TorchEngine, model: LanguageModel, spoken: Spoken) -> list[list[str]]:
    """A row for each way to decode Korean, and its speed."""
    letters = "가나다라마바사아자차카타파하"
    ways = {
        "greedy": GREEDY,
        "20 hotwords": Decoding(many(20, letters)),
        "1,000 hotwords": Decoding(many(1_000, letters)),
        "language model": Decoding(language_model=model),
        "language model, 20 hotwords": Decoding(many(20, letters), model),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(5):  # in turns, since the machine's speed varies
        for name, way in ways.items():
            spoken.hypotheses(way, engine)
            started = time.perf_counter()
            spoken.hypotheses(way, engine)
            times[name].append(time.perf_counter() - started)
    return [
        [name, f"{spoken.seconds / float(np.median(seconds)):,.0f}"]
        for name, seconds in times.items()
    ]


def memory_of_three_hours(engine: TorchEngine, model: LanguageModel, spoken: Spoken) -> str:
    """Growth of the peak memory while one decoder decodes three hours."""
    decoder = Decoding(language_model=model).open(engine).decoder
    for frames in spoken.top:
        decoder.feed(frames)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    n_frames, n_words = 0, 0
    while n_frames * engine.grid.stride_samples < 3 * 3600 * SAMPLE_RATE:
        for frames in spoken.top:
            n_words += len(decoder.feed(frames))
            n_frames += len(frames)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return f"{n_words} words in three hours; the peak of memory grew by {grown:.1f} MiB."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=300, help="at most so many of each set")
    parser.add_argument(
        "--off-domain", type=Path, action="append", default=[], metavar="FILE",
        help="an ARPA file of other texts: KO then EN",
    )  # fmt: skip
    parser.add_argument(
        "--everyday", type=Path, metavar="CSV",
        help="songys/Chatbot_data's, for held-out sentences that people wrote; all are spoken",
    )  # fmt: skip
    options = parser.parse_args()
    print(describe())
    rates, hotwords = [], []
    for index, name in enumerate(("ko-mini", "en-mini")):
        subject = Subject.bundled(name)
        engine = subject.load(threads=1)
        bundled = load_language_model(subject.folder / "language_model")
        models = {"bundled": bundled}
        if index < len(options.off_domain):
            models["off-domain"] = load_language_model(options.off_domain[index])
        sets = {
            split: Spoken.of(subject.speak(split, split), engine, options.clips)
            for split in ("test_sentences", "test_pairs", "test_words")
        }
        if name == "ko-mini" and options.everyday:
            texts = spelled_once(everyday_sentences(options.everyday))
            spoken = subject.speak_texts("everyday", texts)
            everyday = {"everyday": Spoken.of(spoken, engine, len(spoken))}
            rates += accuracy(subject, engine, models, everyday)
        rates += accuracy(subject, engine, models, sets)
        other = sum(sets.values(), start=Spoken.of(subject.speak("dev", "dev"), engine, 10_000))
        hotwords.append(recall(subject, engine, "names", NAMES[name].split(), other))
        unheard = subject.unheard_words(20)
        hotwords.append(recall(subject, engine, "unheard words", unheard, other))
        if name == "ko-mini":
            costs = cost(engine, bundled, sets["test_sentences"])
            flat = memory_of_three_hours(engine, bundled, other)
    print(table(["model", "set", "clips", "language model", "CER", "WER"], rates))
    heads = [
        "model",
        "hotwords",
        "spoken",
        "greedy",
        "as hotwords",
        "false ones",
        "CER of other speech",
    ]
    print(table(heads, hotwords))
    print(table(["decoding", "× real time"], costs))
    print(flat)


if __name__ == "__main__":
    main()
