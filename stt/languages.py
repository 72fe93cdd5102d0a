"""The one list of languages: codes, aliases and the checkpoint behind each.

To add a language to the project, add an entry to `SUPPORTED_LANGUAGES`. To add one, or change a
model, on one installation, set ``STT_MODELS`` (see `stt.settings`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from stt.errors import ConfigurationError, UnsupportedLanguage
from stt.types import Calibration

BUNDLED_PREFIX = "bundled:"
BUNDLED_FOLDER = Path(__file__).parent / "bundled"


def samples_folder() -> Path:
    """The sample recordings, in an installed package or beside the sources."""
    package = Path(__file__).parent
    inside = package / "samples"
    return inside if inside.is_dir() else package.parent / "samples"


@dataclass(frozen=True)
class ModelSource:
    """Where a checkpoint comes from: a hub repository, or a folder if ``folder`` is set."""

    id: str
    """The hub's ``owner/name``, or the folder's name. Answers carry it as ``model``."""
    revision: str = "main"
    """Branch, tag or commit on the hub; of no meaning for a folder."""
    folder: Path | None = None
    calibration: Calibration = field(default_factory=Calibration)
    """Of word times and confidences; measured where there is speech of known truth."""

    @classmethod
    def parse(cls, text: str) -> "ModelSource":
        """Read ``owner/name``, ``owner/name@revision``, ``/a/folder``, or ``bundled:name``.

        A path is told from a hub id by its first character: ``/``, ``.`` or ``~``.

        Raises:
            ConfigurationError: for anything else.
        """
        text = text.strip()
        if text.startswith(BUNDLED_PREFIX):
            name = text.removeprefix(BUNDLED_PREFIX)
            if name not in BUNDLED_MODELS:
                raise ConfigurationError(
                    f"{text!r} is not in the package; it has {', '.join(BUNDLED_MODELS)}."
                )
            return BUNDLED_MODELS[name]
        if text[:1] in ("/", ".", "~"):
            folder = Path(text).expanduser().absolute()
            return cls(id=folder.name, revision="local", folder=folder)
        hub_id, _, revision = text.partition("@")
        if hub_id.count("/") != 1 or not all(hub_id.split("/")):
            raise ConfigurationError(
                f"{text!r} names no model; expected owner/name, owner/name@revision, a folder "
                f"that starts with / or ./, or {BUNDLED_PREFIX}name."
            )
        return cls(id=hub_id, revision=revision or "main")


def parse_models(text: str) -> dict[str, ModelSource]:
    """Read ``CODE=MODEL,CODE=MODEL``.

    Raises:
        ConfigurationError: for anything else.
    """
    models = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        code, equals, source = entry.partition("=")
        if not equals or not code.strip():
            raise ConfigurationError(f"{entry!r} is not of the form CODE=MODEL")
        models[code.strip()] = ModelSource.parse(source)
    return models


# The calibrations are benchmarks/word_times.py's and benchmarks/confidence.py's.
BUNDLED_MODELS: Mapping[str, ModelSource] = MappingProxyType(
    {
        name: ModelSource(name, "bundled", BUNDLED_FOLDER / name, calibration)
        for name, calibration in (
            ("ko-mini", Calibration(-0.009, -0.097, temperature=1.25)),
            ("en-mini", Calibration(0.0, -0.031, temperature=1.55)),
        )
    }
)
"""Small models inside the package, trained on a synthetic voice."""


@dataclass(frozen=True)
class Language:
    """One language that can be asked for."""

    code: str
    """What the registry and every answer call it."""
    name: str
    native_name: str
    iso_639_1: str
    model: ModelSource
    aliases: tuple[str, ...] = ()
    """Other spellings that requests may use; compared without regard to case."""

    def spellings(self) -> set[str]:
        """Every accepted spelling, in lower case."""
        return {text.lower() for text in (self.code, self.iso_639_1, *self.aliases)}


# The registry's codes are what the service's first clients send. ISO 639-1 has `ko` for Korean,
# and `kr` there is Kanuri: `KR` is the country, kept because clients use it.
SUPPORTED_LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        language.code: language
        for language in (
            Language(
                code="KR",
                name="Korean",
                native_name="한국어",
                iso_639_1="ko",
                model=ModelSource("kresnik/wav2vec2-large-xlsr-korean"),
                aliases=("kor", "ko-KR", "kr", "korean"),
            ),
            Language(
                code="EN",
                name="English",
                native_name="English",
                iso_639_1="en",
                model=ModelSource("facebook/wav2vec2-base-960h"),
                aliases=("eng", "en-US", "en-GB", "english"),
            ),
            Language(
                code="JA",
                name="Japanese",
                native_name="日本語",
                iso_639_1="ja",
                model=ModelSource("jonatasgrosman/wav2vec2-large-xlsr-53-japanese"),
                aliases=("jp", "jpn", "ja-JP", "japanese"),
            ),
            Language(
                code="ZH",
                name="Chinese",
                native_name="中文",
                iso_639_1="zh",
                model=ModelSource("jonatasgrosman/wav2vec2-large-xlsr-53-chinese-zh-cn"),
                aliases=("cn", "cmn", "zho", "zh-CN", "chinese"),
            ),
        )
    }
)

DEFAULT_CODE = "KR"

DEMO_MODELS: Mapping[str, ModelSource] = MappingProxyType(
    {
        "KR": BUNDLED_MODELS["ko-mini"],
        "EN": BUNDLED_MODELS["en-mini"],
    }
)
"""What ``--demo`` serves."""


class Languages:
    """The languages that one process serves, and how their names are read."""

    def __init__(self, languages: Iterable[Language]) -> None:
        self._by_code = {language.code: language for language in languages}
        self._by_spelling: dict[str, Language] = {}
        for language in self._by_code.values():
            for spelling in language.spellings():
                other = self._by_spelling.setdefault(spelling, language)
                if other is not language:
                    raise ConfigurationError(
                        f"The spelling {spelling!r} stands for both {other.code} and "
                        f"{language.code}; give one of them another code."
                    )

    def __iter__(self) -> Iterator[Language]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)

    @property
    def codes(self) -> list[str]:
        return list(self._by_code)

    @property
    def default(self) -> Language:
        """Korean where it is served, else the language named first."""
        return self._by_code.get(DEFAULT_CODE) or next(iter(self._by_code.values()))

    def resolve(self, spelling: str | None) -> Language:
        """The language that a request means; None or "" is `default`.

        Raises:
            UnsupportedLanguage: naming what is served.
        """
        if not spelling or not spelling.strip():
            return self.default
        language = self._by_spelling.get(spelling.strip().lower().replace("_", "-"))
        if language is None:
            shown = spelling.strip()[:40]
            known = ", ".join(f"{each.code} ({each.name})" for each in self._by_code.values())
            raise UnsupportedLanguage(
                f"Language {shown!r} is not served here. Supported: {known}. "
                "GET /languages lists the accepted spellings."
            )
        return language

    def find_model(self, name: str) -> Language | None:
        """The language whose model or code this is, in any case; None for any other name."""
        wanted = name.strip().lower()
        for language in self._by_code.values():
            if wanted in (language.model.id.lower(), language.code.lower()):
                return language
        return None


def choose_languages(
    codes: Iterable[str], models: Mapping[str, ModelSource], *, demo: bool
) -> Languages:
    """The languages to serve: ``codes`` of the registry, with ``models`` put over it.

    Args:
        codes: Registry codes or aliases; none means `DEFAULT_CODE`, or all demo models.
        models: Code to checkpoint, replacing the registry's or adding a language to it.
        demo: Take `DEMO_MODELS` instead of the registry's checkpoints.

    Raises:
        ConfigurationError: a code is in no list, or has no bundled model.
    """
    known = dict(SUPPORTED_LANGUAGES)
    if demo:
        known = {code: replace(known[code], model=model) for code, model in DEMO_MODELS.items()}
    registry = Languages(known.values())
    chosen_codes = list(codes) or (list(DEMO_MODELS) if demo else [DEFAULT_CODE])
    sources = {code.strip().upper(): source for code, source in models.items()}
    for code, source in sources.items():
        try:
            base = registry.resolve(code)
        except UnsupportedLanguage:
            base = Language(code, name=code, native_name=code, iso_639_1=code.lower(), model=source)
        known[base.code] = replace(base, model=source)
    registry = Languages(known.values())
    try:
        chosen = [registry.resolve(code) for code in chosen_codes]
    except UnsupportedLanguage as error:
        raise ConfigurationError(
            f"STT_LANGUAGES: {error.message.split(' GET ')[0]} "
            "A language that is not in the list needs a model: STT_MODELS=CODE=owner/name."
        ) from None
    return Languages(chosen)
