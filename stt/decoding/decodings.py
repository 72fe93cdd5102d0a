"""What each language of a service decodes with: its language model and its hotwords."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from stt.abbreviations import abbreviations
from stt.asked import Asked
from stt.decoding.factory import Decoding, check_hotwords, hotwords_as_said
from stt.decoding.hotwords import MAX_HOTWORDS, Hotword, parse_hotwords, split_entries
from stt.engines.base import Engine
from stt.errors import ConfigurationError, InvalidHotwords, NotSupported, SttError
from stt.language_model.source import LanguageModel, load_language_model
from stt.languages import Language, Languages
from stt.models.source import find_language_model
from stt.notices import Code, Notice
from stt.settings import Settings
from stt.types import Vocabulary

logger = logging.getLogger(__name__)

MAX_PROMPT_WORDS = 4
"""An entry of a prompt with more words is prose."""

Switch: TypeAlias = Literal["on", "off", "none"]


class Decodings:
    """The decodings of all served languages."""

    def __init__(self, languages: Languages, settings: Settings) -> None:
        """
        Raises:
            ConfigurationError: a file of hotwords is missing or malformed.
        """
        self._cache_dir = settings.cache_dir
        self._abbreviations = abbreviations(settings.abbreviations)
        self._files = _by_language(settings.lms, languages, "STT_LMS")
        hotword_files = _by_language(settings.hotword_files, languages, "STT_HOTWORD_FILES")
        self._hotwords = {code: read_hotwords(path) for code, path in hotword_files.items()}
        self._models: dict[str, LanguageModel | None] = {}
        self._loading = threading.Lock()

    def default(self, language: Language, engine: Engine) -> Decoding:
        """The decoding of requests that ask for nothing; blocks while its model is read.

        Raises:
            ConfigurationError, ModelBroken: the language model or the hotwords do not fit.
        """
        return self.choose(language, engine, Asked())

    def choose(self, language: Language, engine: Engine, asked: Asked) -> Decoding:
        """The decoding of a request; blocks while a language model is read for the first time.

        Raises:
            InvalidHotwords: the hotwords are malformed, or the checkpoint cannot write one.
            ConfigurationError: the language model does not fit the checkpoint.
            NotSupported: there is no language model.
        """
        wanted = asked.language_model
        model = None
        if wanted or (wanted is None and self._is_on(language)):
            model = self._model(language)
        if wanted and model is None:
            raise NotSupported(
                f"{language.name} has no language model here. Leave language_model out; the "
                "operator can set one with STT_LMS."
            )
        as_said = partial(self._as_said, language, engine.vocabulary)
        suggested, notices = read_prompt(asked.prompt, engine, as_said)
        usual, given = self._hotwords.get(language.code, ()), parse_hotwords(asked.hotwords)
        hotwords = {each.text: each for each in (*as_said(usual), *suggested, *as_said(given))}
        decoding = Decoding(tuple(hotwords.values()), model, notices)
        if not decoding.is_greedy:
            # What takes long, up to a second with many hotwords, is kept: it must not hold up the
            # event loop, where the request opens its decoder.
            decoding.open(engine)
        return decoding

    def _as_said(
        self, language: Language, vocabulary: Vocabulary, hotwords: Sequence[Hotword]
    ) -> Sequence[Hotword]:
        if language.iso_639_1 != "ko":
            return hotwords
        return hotwords_as_said(hotwords, vocabulary, self._abbreviations)

    def is_greedy(self, language: Language) -> bool:
        """Whether requests that ask for nothing take the best path."""
        has_model = self._is_on(language) and self._models.get(language.code) is not None
        return not has_model and language.code not in self._hotwords

    def language_model(self, language: Language) -> Switch:
        """Whether requests use the language's model unless they say otherwise; "none" without one.

        Looks for its files, but does not read them. A checkpoint that is still to be downloaded
        may bring one.
        """
        code = language.code
        if code in self._models:
            found = self._models[code] is not None
        else:
            found = code in self._files or self._folder(language) is not None
        if not found:
            return "none"
        return "on" if self._is_on(language) else "off"

    def _is_on(self, language: Language) -> bool:
        # The demo's figures are those of its acoustic models.
        return language.code in self._files or not language.model.is_bundled

    def _model(self, language: Language) -> LanguageModel | None:
        with self._loading:
            if language.code not in self._models:
                self._models[language.code] = self._load(language)
            return self._models[language.code]

    def _load(self, language: Language) -> LanguageModel | None:
        if language.code in self._files:
            return _read(self._files[language.code], language)
        folder = self._folder(language)
        if folder is None:
            return None
        try:
            return _read(folder, language)
        except SttError as error:
            logger.warning(
                "%s: decoding without its language model: %s", language.name, error.message
            )
            return None

    def _folder(self, language: Language) -> Path | None:
        return find_language_model(language.model, self._cache_dir)


def _by_language(files: Mapping[str, Path], languages: Languages, setting: str) -> dict[str, Path]:
    found = {}
    for code, path in files.items():
        language = languages.find(code)
        if language is None:
            logger.warning("%s: %s is not among the languages served", setting, code)
        else:
            found[language.code] = path
    return found


def _read(path: Path, language: Language) -> LanguageModel:
    model = load_language_model(path)
    logger.info(
        "%s has a language model of order %d", language.name, model.ngrams.order,
        extra={"language": language.code, "units": len(model.ngrams.units)},
    )  # fmt: skip
    return model


def read_hotwords(path: Path) -> tuple[Hotword, ...]:
    """Read a file of hotwords, one per line.

    Raises:
        ConfigurationError: it cannot be read; the message names it.
    """
    try:
        return parse_hotwords(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"The hotwords in {path} cannot be read: {reason}.") from None
    except InvalidHotwords as error:
        raise ConfigurationError(f"{path}: {error.message}") from None


def read_prompt(
    prompt: str, engine: Engine, as_said: Callable[[Sequence[Hotword]], Sequence[Hotword]]
) -> tuple[tuple[Hotword, ...], tuple[Notice, ...]]:
    """The hotwords of a Whisper prompt, and a notice of what is not used.

    A prompt is a list of hotwords if it has commas or lines and each entry is a few words, or if it
    is a single word. What the checkpoint cannot write is left out, since prompts are only hints.
    """
    if not prompt.strip():
        return (), ()
    entries = split_entries(prompt)
    most = MAX_PROMPT_WORDS if len(entries) > 1 else 1
    if any(len(entry.split()) > most or entry[-1] in ".?!。？！" for entry in entries):
        message = (
            "The prompt is prose, which CTC models cannot use. A list of words separated by commas "
            "is used as hotwords."
        )
        return (), (Notice(Code.UNUSED_PROMPT, message),)
    hotwords: list[Hotword] = []
    n_unused = 0
    for entry in entries[:MAX_HOTWORDS]:
        try:
            found = as_said(parse_hotwords(entry))
            check_hotwords(tuple(found), engine.vocabulary)
        except InvalidHotwords:
            n_unused += 1
        else:
            hotwords += found
    messages = []
    if n_unused:
        messages.append(
            f"{n_unused} of {len(entries)} words of the prompt cannot be written by the model."
        )
    if len(entries) > MAX_HOTWORDS:
        messages.append(f"The prompt has {len(entries)} words; the first {MAX_HOTWORDS} are used.")
    if not messages:
        return tuple(hotwords), ()
    return tuple(hotwords), (Notice(Code.UNUSED_PROMPT, " ".join(messages)),)
