"""Words of a text -> the columns of a checkpoint's vocabulary that emit them."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from stt.alignment import readings
from stt.alignment.text import GivenWord
from stt.decoding import scripts
from stt.decoding.alphabet import form_in
from stt.errors import NotSupported
from stt.types import Vocabulary

_SPACE = " "
_PIECE_COST, _MISSING_COST = 1, 1_000


@dataclass(frozen=True)
class Character:
    """The smallest part of a word that has a time: a character with its marks, or a number."""

    text: str
    """As written."""
    columns: tuple[int, ...]
    """What emits it; empty for punctuation, for what the checkpoint cannot spell, and for a
    character that a symbol of several characters emits together with the one before."""


@dataclass(frozen=True)
class SpelledWord:
    """One word, and the columns that emit it."""

    characters: tuple[Character, ...]
    missing: str = ""
    """Its letters and digits that the checkpoint cannot spell."""

    @property
    def columns(self) -> tuple[int, ...]:
        """Those of all characters; none if the word cannot be heard."""
        return tuple(column for each in self.characters for column in each.columns)


@dataclass
class _Unit:
    """One character to find a piece for, and the character of the word that it stands for."""

    text: str
    owner: int


class WordSpeller:
    """Spells with one vocabulary, in as few symbols as possible."""

    def __init__(self, vocabulary: Vocabulary, language: str) -> None:
        """
        Args:
            vocabulary: That of the checkpoint.
            language: ISO 639-1 code of what is spoken; decides how digits are read.

        Raises:
            NotSupported: the symbols are phonemes.
        """
        if vocabulary.symbols_are_words:
            raise NotSupported(
                "This model writes phonemes, which no text can be aligned with. Choose a model "
                "that writes letters, syllables or word pieces."
            )
        self._language = language
        self._marks_starts = bool(vocabulary.word_start)
        self._columns: dict[str, int] = {}
        for column in range(len(vocabulary.symbols)):
            written = vocabulary.written(column)
            if written.strip():
                self._columns.setdefault(written, column)
        self._longest = max(map(len, self._columns), default=1)
        self._alphabet = frozenset("".join(self._columns))

    def needs_reading(self, word: str) -> bool:
        """Whether the word has something that is read but not in the vocabulary."""
        return any(
            not self._found(each) and (each.isalnum() or each in readings.SIGNS) for each in word
        )

    def spell(
        self, word: str, *, space_before: bool = True, before: str = "", after: str = ""
    ) -> SpelledWord:
        """Spell a word.

        Args:
            word: In NFC, without white space.
            space_before: Whether white space separates it from the word before.
            before: The word before, which can decide how a number is read; "" if there is none.
            after: The word after.
        """
        texts: list[str] = []
        units = [_Unit(_SPACE, 0)] if self._marks_starts and space_before else []
        missing = ""
        for text, spoken in self._characters(word, before, after):
            if spoken == "" and texts and scripts.leans_back(text[0]):
                texts[-1] += text
                continue
            texts.append(text)
            if spoken:
                units += [_Unit(each, len(texts) - 1) for each in spoken]
            elif _is_heard(text):
                missing += text
        columns: list[list[int]] = [[] for _ in texts]
        for column, owner in self._pieces(units):
            columns[owner].append(column)
        characters = (
            Character(text, tuple(each)) for text, each in zip(texts, columns, strict=True)
        )
        return SpelledWord(tuple(characters), missing)

    def _characters(self, word: str, before: str, after: str) -> Iterator[tuple[str, str]]:
        """Each character, or number, and what the vocabulary can spell it with; "" if nothing.

        A space is what separates the parts of a word, for vocabularies that mark where words begin.
        """
        parts: Iterable[tuple[str, str]] = [(word, word)]
        if self.needs_reading(word):
            parts = readings.read(word, before, after, self._language)
        begins = True
        for written, said in parts:
            spoken = "" if said == written else self._spoken(said)
            if spoken.strip():
                yield written, spoken
                begins = False
                continue
            for character in written:
                found = self._found(character)
                if not found and self._marks_starts and not (begins or character.isalnum()):
                    found = _SPACE
                yield character, found
                begins = False

    def _spoken(self, said: str) -> str:
        """A reading, as far as the vocabulary can spell it."""
        space = _SPACE if self._marks_starts else ""
        return "".join(space if each == _SPACE else self._found(each) for each in said)

    def _found(self, character: str) -> str:
        """The character as the vocabulary has it; "" if it has it in no form."""
        return form_in(self._alphabet, character) or ""

    def _pieces(self, units: Sequence[_Unit]) -> Iterator[tuple[int, int]]:
        """The fewest symbols that write the units: columns and owners, in order."""
        text = "".join(unit.text for unit in units)
        costs: list[float] = [0.0]
        steps: list[tuple[int, int | None]] = [(0, None)]
        for end in range(1, len(text) + 1):
            dropped = 0 if text[end - 1] == _SPACE else _MISSING_COST
            best: tuple[float, int, int | None] = (costs[end - 1] + dropped, end - 1, None)
            for begin in range(max(0, end - self._longest), end):
                column = self._columns.get(text[begin:end])
                # Of equally few, the one whose last symbol is longest.
                if column is not None and costs[begin] + _PIECE_COST < best[0]:
                    best = (costs[begin] + _PIECE_COST, begin, column)
            costs.append(best[0])
            steps.append(best[1:])
        found, end = [], len(text)
        while end:
            begin, column = steps[end]
            if column is not None:
                # A symbol that begins a word belongs to the letter, not to the space before.
                lead = end - begin - len(text[begin:end].lstrip(_SPACE))
                found.append((column, units[min(begin + lead, end - 1)].owner))
            end = begin
        yield from reversed(found)


def _is_heard(text: str) -> bool:
    """Whether this is a letter, a digit or a sign that is read; punctuation is not."""
    return text.isalnum() or unicodedata.category(text[0]) in ("Sm", "Sc", "So")


def spell_all(
    words: Sequence[GivenWord], vocabulary: Vocabulary, language: str
) -> tuple[SpelledWord, ...]:
    """Spell all words of a text; arguments and errors are those of `WordSpeller`."""
    speller = WordSpeller(vocabulary, language)
    known: dict[tuple[str, bool], SpelledWord] = {}
    spelled = []
    texts = ["", *(word.text for word in words), ""]
    for index, word in enumerate(words):
        key = (word.text, word.space_before)
        found = known.get(key)
        if found is None:
            found = speller.spell(
                word.text,
                space_before=word.space_before,
                before=texts[index],
                after=texts[index + 2],
            )
            if not speller.needs_reading(word.text):  # else its neighbours matter
                known[key] = found
        spelled.append(found)
    return tuple(spelled)
