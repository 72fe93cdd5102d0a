"""All steps of an alignment: a recording and its text -> frames -> the time of each word."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import BinaryIO

from stt.alignment.aligner import Aligner
from stt.alignment.levels import Levels
from stt.alignment.spelling import SpelledWord, spell_all
from stt.alignment.text import GivenText
from stt.alignment.times import Timer
from stt.alignment.trellis import Trellis
from stt.alignment.words import Alignment, Span, Status
from stt.engines.base import Engine
from stt.engines.wants import Columns
from stt.errors import AlignmentFailed, InvalidText
from stt.languages import Language
from stt.normalisation import compose
from stt.notices import Code, Notice, Report
from stt.recognition.hearing import Hearing
from stt.recognition.pipeline import Transcriber

MAX_TEXT_BYTES = 2**20
"""Of a text in NFC and UTF-8: about twelve hours of speech."""
_MAX_WORDS = 150_000
"""Each has an entry in the answer."""
_MAX_WORD_SYMBOLS = 500
_SPARE_SYMBOLS, _SYMBOLS_PER_FRAME = 2_000, 10
"""A recording may be a short part of a text, but not so short."""


async def align(
    transcriber: Transcriber,
    source: BinaryIO,
    text: str,
    engine: Engine,
    language: Language,
    track: int | None = None,
) -> Alignment:
    """Find when each word of a text is spoken.

    Args:
        transcriber: Reads the recording and computes its frames.
        source: The recording: seekable, in any accepted container; not closed here.
        text: Lines, paragraphs, SubRip or WebVTT.
        engine: The model of the language.
        language: What is spoken.
        track: Number of the audio track, from 1; None chooses one.

    Raises:
        InvalidText: it is empty, too long, or nothing of it can be spelled.
        AlignmentFailed: it does not belong to this recording.
        NotSupported: the checkpoint writes phonemes.
        SttError: those of `Transcriber.words`.
    """
    given, spelled, trellis = await asyncio.to_thread(prepare, text, engine, language)
    aligner = await asyncio.to_thread(Aligner, trellis)
    levels = Levels()
    hearing = transcriber.hear(source, engine, track, levels.feed)
    want = Columns(trellis.columns)
    async with aclosing(transcriber.frames(hearing, engine, want)) as all_frames:
        async for frames in all_frames:
            await asyncio.to_thread(aligner.feed, frames.log_probs, frames.best)
    # In a thread, since the text may have many thousand words.
    return await asyncio.to_thread(_time, given, spelled, trellis, aligner, levels, hearing, engine)


def prepare(
    text: str, engine: Engine, language: Language
) -> tuple[GivenText, tuple[SpelledWord, ...], Trellis]:
    """Split and spell a text; errors are those of `align`."""
    text = compose(text)
    if len(text.encode(errors="replace")) > MAX_TEXT_BYTES:
        raise InvalidText(
            f"The text is longer than {MAX_TEXT_BYTES // 1024} KiB, which is the limit. Align the "
            "recording in parts."
        )
    given = GivenText.parse(text)
    if not given.words:
        raise InvalidText("The text is empty. Send the words that are spoken.")
    if len(given.words) > _MAX_WORDS:
        raise InvalidText(
            f"The text has {len(given.words)} words; the limit is {_MAX_WORDS}. Align the "
            "recording in parts."
        )
    spelled = spell_all(given.words, engine.vocabulary, language.iso_639_1)
    longest = max(spelled, key=lambda word: len(word.columns))
    if not longest.columns:
        raise InvalidText(
            f"The model for {language.name} can spell nothing of the text. Check that the language "
            "is right."
        )
    if len(longest.columns) > _MAX_WORD_SYMBOLS:
        raise InvalidText(
            f"The text has a word of {len(longest.columns)} symbols; the limit is "
            f"{_MAX_WORD_SYMBOLS}. Separate words with spaces."
        )
    return given, spelled, Trellis(spelled, engine.vocabulary)


def _time(
    given: GivenText,
    spelled: tuple[SpelledWord, ...],
    trellis: Trellis,
    aligner: Aligner,
    levels: Levels,
    hearing: Hearing,
    engine: Engine,
) -> Alignment:
    """End the search and find the times of all words; errors are those of `align`."""
    found = aligner.finish()
    _check_length(trellis, aligner.n_frames, hearing.seconds)
    timer = Timer(trellis, found, engine.grid, engine.calibration, levels, aligner.n_frames)
    segments = timer.segments(given, spelled)
    hearing.found_words = any(segment.is_spoken for segment in segments)
    if not hearing.found_words:
        raise AlignmentFailed(
            f"No word of the text was found in the {hearing.seconds:.1f} s of the recording. Check "
            "that the text belongs to it, that it has speech, and that the language is right."
        )
    alignment = Alignment(
        segments,
        timer.score(segments, spelled),
        hearing.seconds,
        timer.not_in_text(),
        given.is_captions,
    )
    return replace(alignment, report=_report(hearing.report, alignment, spelled))


def _check_length(trellis: Trellis, n_frames: int, seconds: float) -> None:
    n_symbols = len(trellis.symbols)
    if n_symbols > _SPARE_SYMBOLS + _SYMBOLS_PER_FRAME * n_frames:
        raise AlignmentFailed(
            f"The text is far longer than the recording can hold: {n_symbols} symbols for "
            f"{seconds:.1f} s. Send the part of the text that is spoken."
        )


def _report(heard: Report, alignment: Alignment, spelled: Sequence[SpelledWord]) -> Report:
    """The reader's report, and what does not match."""
    notices = list(heard.warnings)
    words = alignment.words
    n_absent = sum(word.status == Status.NOT_SPOKEN for word in words)
    if n_absent:
        hint = " Check that the text belongs to the recording." if n_absent > len(words) / 2 else ""
        notices.append(
            Notice(
                Code.TEXT_NOT_SPOKEN,
                f"{n_absent} of {len(words)} words of the text were not found in the recording."
                + hint,
            )
        )
    n_missing = sum(bool(word.missing) for word in spelled)
    if n_missing:
        notices.append(
            Notice(
                Code.TEXT_NOT_SPELLED,
                f"{n_missing} of {len(words)} words have characters that the model cannot spell. "
                "They were aligned without them.",
            )
        )
    if extra := sum(map(_seconds, alignment.not_in_text)):
        notices.append(
            Notice(Code.SPEECH_NOT_IN_TEXT, f"{extra:.1f} s of the speech are not in the text.")
        )
    return replace(heard, warnings=tuple(notices))


def _seconds(span: Span) -> float:
    return span.end - span.start
