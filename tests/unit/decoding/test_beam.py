"""Beam search, against an exhaustive search over all paths, and by eye."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from flashlight.lib.text import decoder
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.decoding.factory import GREEDY, Decoding
from stt.decoding.hotwords import LETTER_BONUS, Hotword, parse_hotwords
from stt.engines.wants import BEST, Top
from stt.errors import ConfigurationError, InvalidHotwords
from stt.language_model.lookup import end_score, score
from stt.language_model.ngram import NgramModel
from stt.language_model.source import ALPHA, BETAS, UNKNOWN_OFFSETS, LanguageModel
from stt.language_model.tables import Ngrams
from stt.types import Calibration, LogProbs, Vocabulary, Word, join_words
from tests.fakes import LETTERS, FakeEngine, spell_log_probs

BLANK, SPACE, A, B, C = range(5)
HANGUL = Vocabulary(symbols=("<pad>", "|", "강", "남", "역", "에", "서", "감"), blank=0)
JAMO = Vocabulary(symbols=("<pad>", "|", "ㅎ", "ㅏ", "ㄴ"), blank=0)


class Speaks(FakeEngine):
    """An engine in name only: its vocabulary and its calibration."""

    def __init__(self, vocabulary: Vocabulary, calibration: Calibration | None = None) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.calibration = calibration or Calibration()


def decode(
    decoding: Decoding,
    log_probs: LogProbs,
    vocabulary: Vocabulary = LETTERS,
    cuts: Sequence[int] = (),
) -> list[Word]:
    opened = decoding.open(Speaks(vocabulary))
    words = []
    for piece in np.split(log_probs, cuts):
        words += opened.decoder.feed(opened.want.reduce(piece))
    return words + opened.decoder.finish()


def text(decoding: Decoding, log_probs: LogProbs, vocabulary: Vocabulary = LETTERS) -> str:
    return join_words(decode(decoding, log_probs, vocabulary))


def mixed(*frames: dict[int, float], n_vocab: int = 5) -> LogProbs:
    """Frames with these probabilities; what is left goes to the blank."""
    probs = np.full((len(frames), n_vocab), 1e-7, np.float32)
    for row, frame in zip(probs, frames, strict=True):
        row[0] = 1 - sum(frame.values())
        for column, prob in frame.items():
            row[column] = prob
    return np.log(np.maximum(probs, 1e-7))


def bigrams(scores: dict[tuple[str, str], float], units: Sequence[str]) -> NgramModel:
    """A bigram model: -3 for every unit, no back-off cost, and some pairs of their own."""
    vocabulary = ("<unk>", "<s>", "</s>", *units)
    number = {unit: index for index, unit in enumerate(vocabulary)}
    pairs = np.array([[number[a], number[b]] for a, b in scores], np.int32).reshape(-1, 2)
    return NgramModel.of(
        vocabulary,
        [
            Ngrams(
                np.arange(len(vocabulary), dtype=np.int32)[:, None],
                np.full(len(vocabulary), -3, np.float32),
                np.zeros(len(vocabulary), np.float32),
            ),
            Ngrams(pairs, np.array(list(scores.values()), np.float32), np.zeros(len(pairs), "f4")),
        ],
    )


def test_all_paths_of_a_text_count() -> None:
    # The best path is blank, blank; but three paths say "a".
    log_probs = mixed({A: 0.4}, {A: 0.4})
    opened = GREEDY.open(Speaks(LETTERS))
    assert opened.decoder.feed(BEST.reduce(log_probs)) + opened.decoder.finish() == []
    assert text(Decoding(parse_hotwords("ccc")), log_probs) == "a"


def exhaustive(log_probs: LogProbs, bonus: dict[str, float]) -> dict[tuple[int, ...], float]:
    """The score of every sequence of symbols: all its paths, and the bonus of its text."""
    totals: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        symbols = tuple(column for column, _ in itertools.groupby(path) if column != BLANK)
        score = float(sum(log_probs[frame, column] for frame, column in enumerate(path)))
        totals[symbols] = float(np.logaddexp(totals.get(symbols, -np.inf), score))
    for symbols in totals:
        words = "".join(LETTERS.written(column) for column in symbols).split()
        totals[symbols] += sum(bonus.get(word, 0.0) for word in words)
    return totals


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n_frames=st.integers(1, 6), cut=st.integers(0, 6))
def test_the_best_text_is_that_of_an_exhaustive_search(seed: int, n_frames: int, cut: int) -> None:
    random = np.random.default_rng(seed)
    log_probs: LogProbs = np.log(random.dirichlet(np.full(5, 0.7), n_frames)).astype(np.float32)
    log_probs = np.maximum(log_probs, -5)  # nothing is below the threshold of symbols
    log_probs -= np.log(np.exp(log_probs).sum(axis=1, keepdims=True))
    decoding = Decoding((Hotword("ab", 1.5),))
    scores = exhaustive(log_probs, {"ab": 3 * LETTER_BONUS})
    best = max(scores, key=lambda symbols: scores[symbols])
    expected = " ".join("".join(LETTERS.written(column) for column in best).split())
    found = join_words(decode(decoding, log_probs, cuts=[min(cut, n_frames)]))
    assert found == expected or _nearly(scores, expected, found)


def _nearly(scores: dict[tuple[int, ...], float], expected: str, found: str) -> bool:
    """Whether two texts score alike up to rounding."""

    def best(wanted: str) -> float:
        return max(
            score
            for symbols, score in scores.items()
            if " ".join("".join(LETTERS.written(column) for column in symbols).split()) == wanted
        )

    return abs(best(expected) - best(found)) < 1e-3


@pytest.mark.parametrize("is_word", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_so_it_is_with_a_language_model(seed: int, is_word: bool) -> None:
    # Seeds are fixed: in rare cases 32 beams do not hold the best text of all.
    random = np.random.default_rng(seed)
    log_probs: LogProbs = np.log(random.dirichlet(np.full(5, 0.7), 5)).astype(np.float32)
    log_probs = np.maximum(log_probs, -5)
    log_probs -= np.log(np.exp(log_probs).sum(axis=1, keepdims=True))
    units = ["ab", "b", "ca", "a"] if is_word else ["a", "b", "|"]
    pairs = itertools.product(["<s>", *units], [*units, "</s>"])
    ngrams = bigrams(
        {pair: -random.uniform(0.1, 6) for pair in pairs if random.random() < 0.4}, units
    )
    model = LanguageModel(ngrams, 0.8, 0.5, -2.0)
    scores = exhaustive(log_probs, {})
    for symbols in scores:
        words = "".join(LETTERS.written(column) for column in symbols).split()
        scores[symbols] += _score(model, words if is_word else list("|".join(words)))
    best = max(scores, key=lambda symbols: scores[symbols])
    expected = " ".join("".join(LETTERS.written(column) for column in best).split())
    found = text(Decoding(language_model=model), log_probs)
    assert found == expected or _nearly(scores, expected, found)


def _score(model: LanguageModel, units: Sequence[str]) -> float:
    """What a language model adds to a text; nothing to an empty one."""
    tables, state, total = model.ngrams.tables, model.ngrams.start_state, 0.0
    for text in units:
        unit = model.ngrams.unit(text)
        log_prob, state = score(tables, state, unit)
        offset = model.unknown_offset if unit == tables.unknown else 0.0
        total += model.alpha * (log_prob + offset) + model.beta
    return total + model.alpha * float(end_score(tables, state)) if units else 0.0


@given(
    columns=st.lists(st.sampled_from([BLANK, SPACE, A, B, C]), min_size=1, max_size=90),
    cuts=st.lists(st.integers(0, 90), max_size=4),
)
@settings(deadline=None)
def test_sure_frames_have_the_words_of_the_best_path(columns: list[int], cuts: list[int]) -> None:
    log_probs = spell_log_probs(columns, posterior=0.999)
    words = decode(Decoding(parse_hotwords("ccccc")), log_probs, cuts=sorted(cuts))
    opened = GREEDY.open(Speaks(LETTERS))
    expected = opened.decoder.feed(BEST.reduce(log_probs)) + opened.decoder.finish()
    assert [replace(word, confidence=0, tokens=()) for word in words] == [
        replace(word, confidence=0, tokens=()) for word in expected
    ]
    for word, other in zip(words, expected, strict=True):
        assert word.confidence == pytest.approx(other.confidence, abs=1e-4)


def test_a_hotword_wins_over_a_likelier_word() -> None:
    frames = mixed({A: 0.9}, {B: 0.4, C: 0.6}, {SPACE: 0.99}, {B: 0.45, C: 0.55})
    assert text(Decoding(parse_hotwords("cc")), frames) == "ac c"
    assert text(Decoding(parse_hotwords("ab")), frames) == "ab c"
    assert text(Decoding(parse_hotwords("ab:0.1")), frames) == "ac c"


def test_a_hotword_is_a_whole_word_in_scripts_with_spaces() -> None:
    longer = mixed({A: 0.99}, {B: 0.4, C: 0.6}, {A: 0.99})
    assert text(Decoding(parse_hotwords("ab")), longer) == "aca"
    assert text(Decoding(parse_hotwords("aba")), longer) == "aba"
    inside = mixed({C: 0.99}, {A: 0.99}, {B: 0.4, C: 0.6})
    assert text(Decoding(parse_hotwords("ab")), inside) == "cac"


def test_particles_may_follow_a_korean_hotword_and_spaces_do_not_matter() -> None:
    _, space, gang, nam, yeok, e, seo, gam = range(8)
    sure = 0.999
    spoken = mixed(
        {gang: 0.4, gam: 0.6}, {nam: sure}, {yeok: sure}, {e: sure}, {seo: sure}, n_vocab=8
    )
    assert text(Decoding(parse_hotwords("서에")), spoken, HANGUL) == "감남역에서"
    assert text(Decoding(parse_hotwords("강남역")), spoken, HANGUL) == "강남역에서"
    apart = mixed({gang: 0.4, gam: 0.6}, {nam: sure}, {space: sure}, {yeok: sure}, n_vocab=8)
    assert text(Decoding(parse_hotwords("강남역")), apart, HANGUL) == "강남 역"
    joined = mixed({gang: 0.4, gam: 0.6}, {nam: sure}, {yeok: sure}, n_vocab=8)
    assert text(Decoding(parse_hotwords("강남 역")), joined, HANGUL) == "강남역"


def test_a_hotword_within_another_has_its_chance() -> None:
    _, space, gang, nam, _, e, seo, gam = range(8)
    spoken = mixed(
        {e: 0.99}, {space: 0.99}, {gang: 0.4, gam: 0.6}, {nam: 0.99}, {seo: 0.99}, n_vocab=8
    )
    # 에강역 begins with 에 and 강, but is not completed.
    assert text(Decoding(parse_hotwords("에강역, 강남")), spoken, HANGUL) == "에 강남서"


def test_a_word_model_prefers_the_words_it_knows() -> None:
    frames = mixed({A: 0.99}, {B: 0.4, C: 0.6}, {SPACE: 0.99}, {B: 0.99})
    model = LanguageModel(bigrams({("ab", "b"): -0.1}, ["ab", "ac", "b"]), 1.0, 0.0, -10.0)
    assert text(Decoding(language_model=model), frames) == "ab b"
    unknown = LanguageModel(bigrams({}, ["ab", "b"]), 1.0, 0.0, -10.0)
    assert text(Decoding(language_model=unknown), frames) == "ab b"
    light = replace(unknown, alpha=0.01)
    assert text(Decoding(language_model=light), frames) == "ac b"
    # A hotword need not be in the model.
    assert text(Decoding(parse_hotwords("ac"), unknown), frames) == "ac b"


@pytest.mark.parametrize("unit", ["ab", "a"])
def test_nothing_is_left_out_because_the_model_does_not_know_it(unit: str) -> None:
    ngrams = Ngrams(np.array([[0], [1]], np.int32), np.full(2, -3, "f4"), np.zeros(2, "f4"))
    known = NgramModel.of(("</s>", unit), [ngrams])
    model = LanguageModel(known, ALPHA, BETAS[known.kind], UNKNOWN_OFFSETS[known.kind])
    frames = spell_log_probs([A, C, SPACE, A, B, SPACE, C, A, C], posterior=0.99999)
    assert text(Decoding(language_model=model), frames) == "ac ab cac"


def test_a_character_model_knows_the_space_between_words() -> None:
    frames = mixed({A: 0.99}, {SPACE: 0.55}, {B: 0.99})
    together = LanguageModel(bigrams({("a", "b"): -0.1}, ["a", "b", "|"]), 1.0, 0.0, 0.0)
    apart = LanguageModel(
        bigrams({("a", "|"): -0.1, ("|", "b"): -0.1}, ["a", "b", "|"]), 1.0, 0.0, 0.0
    )
    assert text(Decoding(language_model=together), frames) == "ab"
    assert text(Decoding(language_model=apart), frames) == "a b"


def test_syllables_are_no_units_for_letters_that_do_not_tell_where_one_ends() -> None:
    syllables = LanguageModel(bigrams({}, ["하", "나"]), 1.0, 0.0, 0.0)
    with pytest.raises(ConfigurationError, match="--unit word"):
        Decoding(language_model=syllables).open(Speaks(JAMO))
    words = LanguageModel(bigrams({}, ["하나", "한"]), 1.0, 0.0, 0.0)
    assert text(Decoding(language_model=words), spell_log_probs([2, 3, 4, 3]), JAMO) == "하나"


def test_words_are_no_units_for_a_vocabulary_that_writes_nothing_between_them() -> None:
    words = LanguageModel(bigrams({}, ["東京", "都"]), 1.0, 0.0, 0.0)
    vocabulary = Vocabulary(symbols=("<pad>", "東", "京", "都"), blank=0)
    with pytest.raises(ConfigurationError, match="--unit syllable"):
        Decoding(language_model=words).open(Speaks(vocabulary))


def test_words_leave_while_the_recording_goes_on_and_a_copy_changes_nothing() -> None:
    opened = Decoding(parse_hotwords("cc")).open(Speaks(LETTERS))
    minute = spell_log_probs([A, B, SPACE, C, BLANK] * 600)
    early = []
    for piece in np.array_split(minute, 10):
        early += opened.decoder.feed(Top(BLANK).reduce(piece))
        preview = opened.decoder.copy()
        preview.feed(Top(BLANK).reduce(spell_log_probs([C] * 9)))
        preview.finish()
    assert len(early) > 540  # all but those of the last seconds
    whole = ["ab", *["cab"] * 599, "c"]
    assert join_words([*early, *opened.decoder.finish()]) == " ".join(whole)


def test_beams_that_never_agree_are_decided_in_time() -> None:
    opened = Decoding(parse_hotwords("cc")).open(Speaks(LETTERS))
    # "a" or "b" at the start, equally likely, and no more evidence for a minute.
    first = mixed({A: 0.5, B: 0.499})
    rest = spell_log_probs([SPACE, C] * 1_500, posterior=0.9999)
    words = opened.decoder.feed(Top(BLANK).reduce(np.concatenate([first, rest])))
    assert len(words) > 900


@pytest.mark.parametrize(
    ("hotwords", "sentence"),
    [
        ("ab:0", "weight of the hotword 'ab' is '0'; expected a number from 0.1 to 10"),
        ("ab:many", "weight of the hotword 'ab' is 'many'"),
        ("a" * 101, "has 101 characters; the limit is 100"),
        (",".join(f"a{n}" for n in range(1001)), "There are 1001 hotwords; the limit is 1000"),
        ("ab, zebra", "cannot write 'z', 'e', 'r' of the hotword 'zebra'"),
        ("!?", "has no letter"),
    ],
)
def test_bad_hotwords_are_refused_with_a_sentence(hotwords: str, sentence: str) -> None:
    with pytest.raises(InvalidHotwords, match=sentence):
        Decoding(parse_hotwords(hotwords)).open(Speaks(LETTERS))


def test_hotwords_are_parsed() -> None:
    assert parse_hotwords(" ab:2.5,\n c c\r\n, ab : 3 ,") == (Hotword("ab", 3.0), Hotword("c c"))
    assert parse_hotwords("") == ()
    decomposed = parse_hotwords("\u1100\u1161\u11bc")
    assert decomposed == (Hotword("강"),)


def flashlight_text_of(log_probs: LogProbs) -> str:
    """The text of flashlight-text's decoder, which also sums over paths."""
    options = decoder.LexiconFreeDecoderOptions(
        beam_size=32, beam_size_token=32, beam_threshold=14.0, lm_weight=0.0, sil_score=0.0,
        log_add=True, criterion_type=decoder.CriterionType.CTC,
    )  # fmt: skip
    reference = decoder.LexiconFreeDecoder(options, decoder.ZeroLM(), SPACE, BLANK, [])
    frames = np.ascontiguousarray(log_probs)
    best = reference.decode(frames.ctypes.data, *frames.shape)[0].tokens
    columns = [column for column, _ in itertools.groupby(best) if column >= 0]
    return " ".join("".join(LETTERS.written(column) for column in columns).split())


def log_prob_of(said: str, log_probs: LogProbs) -> float:
    """The exact log-prob of a text, by torch's CTC loss."""
    columns = torch.tensor([LETTERS.symbols.index("|" if each == " " else each) for each in said])
    frames = torch.from_numpy(log_probs)[:, None]
    loss = torch.nn.functional.ctc_loss(
        frames, columns[None], torch.tensor([len(frames)]), torch.tensor([len(columns)]),
        reduction="sum",
    )  # fmt: skip
    return -float(loss)


@pytest.mark.parametrize("sharpness", [0.1, 0.2, 0.5])
def test_texts_are_as_likely_as_those_of_a_reference_decoder(sharpness: float) -> None:
    gains = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        log_probs = np.log(random.dirichlet(np.full(5, sharpness), 40)).astype(np.float32)
        log_probs = np.maximum(log_probs, -5)  # nothing is below the threshold of symbols...
        log_probs[:, SPACE] = -20  # ... but spaces: several symbols can write the same ones
        log_probs -= np.log(np.exp(log_probs).sum(axis=1, keepdims=True))
        found = text(Decoding(parse_hotwords("cccccccccc:0.1")), log_probs)
        expected = flashlight_text_of(log_probs)
        gains.append(log_prob_of(found, log_probs) - log_prob_of(expected, log_probs))
    # In flat frames either may lose the best text; this search does so less often.
    assert min(gains) > -1
    assert sum(gains) > 0


def test_a_symbol_has_the_time_at_which_it_is_surest() -> None:
    # Later, what little is left of the hypothesis without "a" might emit it again.
    early = mixed({A: 0.9}, *[{}] * 9, {A: 0.01})
    late = mixed({A: 0.1}, *[{}] * 9, {A: 0.95})
    for frames, start, confidence in ((early, 0, 0.9), (late, 10, 0.95)):
        (word,) = decode(Decoding(parse_hotwords("ccc")), frames)
        assert word.text == "a"
        assert word.start == pytest.approx(start * 0.02, abs=0.03)
        assert word.confidence == pytest.approx(confidence, abs=1e-3)


def test_the_likeliest_symbol_is_tried_however_improbable_it_is() -> None:
    vocabulary = Vocabulary(
        symbols=("<pad>", "|", *map(chr, range(0xAC00, 0xAC00 + 2000))), blank=0
    )
    log_probs = np.full((1, 2002), np.log(1 / 2002), np.float32)
    log_probs[0, 7] += 0.5
    log_probs[
        0, 2
    ] = -20  # not among the top symbols, whose order is the processor's where they tie
    assert text(Decoding(parse_hotwords("각")), log_probs, vocabulary) == "갅"


def test_a_hotword_has_its_own_weight_though_it_begins_a_heavier_one() -> None:
    frames = mixed({A: 0.99}, {B: 0.05, C: 0.95}, {SPACE: 0.99})
    assert text(Decoding(parse_hotwords("ab:0.1, abcab:10")), frames) == "ac"
    assert text(Decoding(parse_hotwords("ab:10, abcab:0.1")), frames) == "ab"
    assert text(Decoding(parse_hotwords("ab:10, abc:0.1")), frames) == "ab"


def test_a_hotword_that_begins_a_longer_one_does_not_end_it() -> None:
    frames = mixed({A: 0.99}, {B: 0.99}, {SPACE: 0.99}, {B: 0.8, C: 0.2}, {BLANK: 0.9}, {B: 0.99})
    assert text(Decoding(parse_hotwords("ab cb")), frames) == "ab cb"
    assert text(Decoding(parse_hotwords("ab cb, ab")), frames) == "ab cb"
    # What the shorter one gained is kept if the longer one is not completed.
    unsure = mixed({A: 0.99}, {B: 0.4, C: 0.6}, {SPACE: 0.99}, {A: 0.999}, {B: 0.99})
    assert text(Decoding(parse_hotwords("ab cb, ab")), unsure) == "ab ab"


def test_hotwords_are_found_anywhere_in_scripts_without_spaces() -> None:
    symbols = ("<pad>", "私", "は", "東", "京", "凍", "都", "に", "A", "I", "J")
    for vocabulary in (
        Vocabulary(symbols=symbols, blank=0),
        Vocabulary(symbols=(*symbols, "|"), blank=0),
    ):
        n_vocab = len(vocabulary.symbols)
        sure = 0.999
        spoken = mixed(
            {1: sure}, {2: sure}, {3: 0.4, 5: 0.6}, {4: sure}, {6: sure}, {7: sure}, n_vocab=n_vocab
        )
        assert text(Decoding(parse_hotwords("都に")), spoken, vocabulary) == "私は凍京都に"
        assert text(Decoding(parse_hotwords("東京")), spoken, vocabulary) == "私は東京都に"
        assert text(Decoding(parse_hotwords("は凍に, 東京")), spoken, vocabulary) == "私は東京都に"
        latin = mixed({1: sure}, {8: sure}, {9: 0.4, 10: 0.6}, {2: sure}, n_vocab=n_vocab)
        assert text(Decoding(parse_hotwords("東")), latin, vocabulary) == "私AJは"
        assert text(Decoding(parse_hotwords("AI")), latin, vocabulary) == "私AIは"


def test_hotwords_may_have_compounds_of_letters_that_the_vocabulary_has() -> None:
    vocabulary = Vocabulary(symbols=("<pad>", "|", *"ㄱㅗㅏㅅㅓ"), blank=0)
    spoken = mixed({2: 0.999}, {3: 0.999}, {4: 0.4, 6: 0.6}, n_vocab=7)
    assert text(Decoding(parse_hotwords("각")), spoken, vocabulary) == "고ㅓ"
    assert text(Decoding(parse_hotwords("과")), spoken, vocabulary) == "과"


def test_a_heavy_hotword_that_is_not_spoken_costs_nothing() -> None:
    # All but the first and the last letter are those of the hotword.
    spoken = spell_log_probs([C, *[A, B] * 10, C], posterior=0.99)
    hotwords = "b" + "ab" * 10 + "b:10"
    assert text(Decoding(parse_hotwords(hotwords)), spoken) == "c" + "ab" * 10 + "c"
