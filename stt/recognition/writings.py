"""How the words of a request are written: their spaces first, then their written form."""

from collections.abc import Sequence

from stt.asked import Asked
from stt.decoding.hotwords import Hotword
from stt.errors import ConfigurationError, NotSupported
from stt.languages import Language
from stt.recognition.spacing import Spacings
from stt.recognition.writer import OpenWriter, Writer
from stt.recognition.written_forms import WrittenForms
from stt.settings import Settings
from stt.types import Word


class InTurn:
    """Two writers, one after the other: the second gets the words of the first."""

    def __init__(self, first: Writer, second: Writer) -> None:
        self._first, self._second = first, second
        self.is_slow = first.is_slow or second.is_slow

    def feed(self, words: Sequence[Word]) -> list[Word]:
        """See `Writer.feed`."""
        return self._second.feed(self._first.feed(words))

    def finish(self) -> list[Word]:
        """See `Writer.finish`."""
        return self._second.feed(self._first.finish()) + self._second.finish()

    def preview(self, words: Sequence[Word]) -> list[Word]:
        """See `Writer.preview`."""
        return self._second.preview(self._first.preview(words))


class Writings:
    """The ways to write that requests can ask for."""

    def __init__(self, settings: Settings) -> None:
        """
        Raises:
            ConfigurationError: the file of abbreviations is missing or malformed.
        """
        self._spacings = Spacings()
        self._written_forms = WrittenForms(settings)

    def has_spacing(self, language: Language) -> bool:
        """Whether requests can ask for restored spaces."""
        return self._spacings.has(language)

    def has_written_form(self, language: Language) -> bool:
        """Whether requests can ask for the written form."""
        return self._written_forms.has(language)

    def preload(self) -> None:
        """Load the analyser that restores spaces.

        Raises:
            ConfigurationError: the extra is not installed.
        """
        try:
            self._spacings.load()
        except NotSupported as error:
            raise ConfigurationError(f"STT_PRELOAD_SPACING: {error.message}") from error

    def choose(
        self, language: Language, asked: Asked, hotwords: Sequence[Hotword] = ()
    ) -> OpenWriter:
        """The writer of a request; blocks while the analyser that restores spaces is loaded.

        Args:
            language: What is spoken.
            asked: What the request asks for.
            hotwords: Its hotwords, which are written as they were given.

        Raises:
            NotSupported: the language does not have what is asked, or an extra is not installed.
        """
        write = self._written_forms.choose(language, wanted=asked.written, hotwords=hotwords)
        if asked.spacing == "model":
            return write
        space = self._spacings.choose(language)
        return lambda: InTurn(space(), write())
