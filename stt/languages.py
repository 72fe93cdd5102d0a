"""The languages: codes, aliases and the checkpoint of each.

To add a language to the project, add an entry to `SUPPORTED_LANGUAGES`. To add one or change a
model in one installation, set ``STT_MODELS`` (see `stt.settings`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath
from types import MappingProxyType

from stt.conventions import KNOWN_CONVENTIONS, Convention
from stt.errors import ConfigurationError, UnsupportedLanguage
from stt.normalisation import compose, find_path
from stt.types import Calibration

BUNDLED_PREFIX, BUNDLED_REVISION = "bundled:", "bundled"
BUNDLED_FOLDER = Path(__file__).parent / "bundled"


def samples_folder() -> Path:
    """The folder of sample recordings, in the installed package or beside the sources."""
    package = Path(__file__).parent
    inside = package / "samples"
    return inside if inside.is_dir() else package.parent / "samples"


@dataclass(frozen=True)
class ModelSource:
    """Where a checkpoint comes from: a hub repository, or ``folder`` if set."""

    id: str
    """The hub's ``owner/name``, or the folder's name."""
    revision: str = "main"
    """Branch, tag or commit on the hub; unused for a folder."""
    folder: Path | None = None
    adapter: str | None = None
    """The language of a checkpoint that has many (MMS), as its files name it: ``kor``."""
    calibration: Calibration = field(default_factory=Calibration)
    """For word times and confidences; measured on speech with known word times."""

    @property
    def is_bundled(self) -> bool:
        """Whether it is one of the package's demo models."""
        return self.revision == BUNDLED_REVISION

    @property
    def name(self) -> str:
        """``id``, or ``id#adapter``. Responses carry it as ``model``."""
        return self.id if self.adapter is None else f"{self.id}#{self.adapter}"

    @classmethod
    def parse(cls, text: str) -> "ModelSource":
        """Parse ``owner/name``, ``owner/name@revision``, ``/a/folder``, or ``bundled:name``.

        ``#kor`` behind any of the first three chooses one language of many. Paths start with
        ``/``, ``.``, ``~`` or a Windows drive, or name a folder that exists; as in transformers, it
        comes before a hub id of the same name.

        Raises:
            ConfigurationError: the text is none of these.
        """
        text = text.strip()
        if text.startswith(BUNDLED_PREFIX):
            name = text.removeprefix(BUNDLED_PREFIX)
            if name not in BUNDLED_MODELS:
                raise ConfigurationError(
                    f"{text!r} is not bundled; the package has {', '.join(BUNDLED_MODELS)}."
                )
            return BUNDLED_MODELS[name]
        text, hash_sign, adapter = text.partition("#")
        if hash_sign and not adapter.replace("-", "").replace("_", "").isalnum():
            raise ConfigurationError(
                f"{adapter!r} is not the language of an adapter; expected a code such as kor "
                "after the #."
            )
        if _is_path(text):
            folder = find_path(Path(text).expanduser().absolute())
            return cls(compose(folder.name), "local", folder, adapter or None)
        hub_id, _, revision = text.partition("@")
        if hub_id.count("/") != 1 or not all(hub_id.split("/")):
            raise ConfigurationError(
                f"{text!r} is not a model; expected owner/name, owner/name@revision, a folder "
                f"that exists or starts with / or ./, or {BUNDLED_PREFIX}name."
            )
        return cls(hub_id, revision or "main", adapter=adapter or None)


def _is_path(text: str) -> bool:
    is_absolute = text[:1] in ("/", ".", "~") or PureWindowsPath(text).drive != ""
    return is_absolute or (text != "" and find_path(Path(text)).is_dir())


# benchmarks/word_times.py and benchmarks/confidence.py measured the calibrations.
BUNDLED_MODELS: Mapping[str, ModelSource] = MappingProxyType(
    {
        name: ModelSource(name, BUNDLED_REVISION, BUNDLED_FOLDER / name, calibration=calibration)
        for name, calibration in (
            ("ko-mini", Calibration(-0.008, -0.098, temperature=1.1)),
            ("en-mini", Calibration(0.0, -0.031, temperature=1.55)),
        )
    }
)
"""Small models inside the package, trained on a synthetic voice."""


@dataclass(frozen=True)
class Language:
    """One language that the service can transcribe."""

    code: str
    """Its name in the registry and in every response."""
    name: str
    native_name: str
    iso_639_1: str
    tag: str
    """BCP 47 tag: language and region."""
    model: ModelSource
    aliases: tuple[str, ...] = ()
    """Other spellings that requests may use, in any case."""
    set_convention: Convention | None = None
    """What ``STT_CONVENTIONS`` says."""

    @property
    def convention(self) -> Convention | None:
        """How its checkpoint writes; None if that is unknown."""
        is_known = self.model.folder is None or self.model.is_bundled
        known = KNOWN_CONVENTIONS.get(self.model.id) if is_known else None
        return self.set_convention or known

    def spellings(self) -> set[str]:
        """Every accepted spelling, in lower case."""
        return {text.lower() for text in (self.code, self.iso_639_1, self.tag, *self.aliases)}


# Clients depend on these codes. `KR` is a country code; the ISO 639-1 code of Korean is `ko`, and
# `kr` means Kanuri.
SUPPORTED_LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        language.code: language
        for language in (
            Language(
                code="KR",
                name="Korean",
                native_name="한국어",
                iso_639_1="ko",
                tag="ko-KR",
                model=ModelSource("kresnik/wav2vec2-large-xlsr-korean"),
                aliases=("kor", "kr", "korean"),
            ),
            Language(
                code="EN",
                name="English",
                native_name="English",
                iso_639_1="en",
                tag="en-US",
                model=ModelSource("facebook/wav2vec2-base-960h"),
                aliases=("eng", "en-GB", "english"),
            ),
            Language(
                code="JA",
                name="Japanese",
                native_name="日本語",
                iso_639_1="ja",
                tag="ja-JP",
                model=ModelSource("jonatasgrosman/wav2vec2-large-xlsr-53-japanese"),
                aliases=("jp", "jpn", "japanese"),
            ),
            Language(
                code="ZH",
                name="Chinese",
                native_name="中文",
                iso_639_1="zh",
                tag="zh-CN",
                model=ModelSource("jonatasgrosman/wav2vec2-large-xlsr-53-chinese-zh-cn"),
                aliases=("cn", "cmn", "zho", "chinese"),
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
"""The models that ``--demo`` serves."""


UNSPECIFIED = frozenset({"", "auto", "null", "none", "und"})
"""How clients say that they know no language."""
BCP_47 = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?")
"""A tag in lower case: language, script and region (RFC 5646, 2.1)."""


class Languages:
    """The languages that one process serves, found by any of their spellings."""

    def __init__(self, languages: Iterable[Language]) -> None:
        self._by_code = {language.code: language for language in languages}
        self._by_spelling: dict[str, Language] = {}
        for language in self._by_code.values():
            for spelling in language.spellings():
                other = self._by_spelling.setdefault(spelling, language)
                if other is not language:
                    raise ConfigurationError(
                        f"{spelling!r} means both {other.code} and {language.code}; give one of "
                        "them another code."
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
        """Korean if it is served, else the first language."""
        return self._by_code.get(DEFAULT_CODE) or next(iter(self._by_code.values()))

    def find(self, spelling: str) -> Language | None:
        """Find a language by exactly one of its spellings, in any case."""
        return self._by_spelling.get(_normal(spelling))

    def resolve(self, spelling: str | None) -> Language:
        """Find the language that a request names.

        None and `UNSPECIFIED` mean `default`. A tag with a script or a region that is not listed
        (en-AU, zh-Hant-TW) is found by its language alone.

        Raises:
            UnsupportedLanguage: no served language has that spelling.
        """
        tag = _normal(spelling or "")
        if tag in UNSPECIFIED:
            return self.default
        language = self.find(tag)
        if language is None and BCP_47.fullmatch(tag):
            language = self.find(tag.partition("-")[0])
        if language is None:
            shown = (spelling or "").strip()[:40]
            known = ", ".join(f"{each.code} ({each.name})" for each in self._by_code.values())
            raise UnsupportedLanguage(
                f"Language {shown!r} is not served here. Supported: {known}. "
                "GET /languages lists the accepted spellings."
            )
        return language

    def find_model(self, name: str) -> Language | None:
        """Find a language by its model id or code, in any case; None if there is no such one."""
        wanted = compose(name).strip().lower()
        for language in self._by_code.values():
            if wanted in (language.model.name.lower(), language.code.lower()):
                return language
        return None


def _normal(spelling: str) -> str:
    return compose(spelling).strip().lower().replace("_", "-")


def choose_languages(
    codes: Iterable[str],
    models: Mapping[str, ModelSource],
    *,
    demo: bool,
    conventions: Mapping[str, Convention] | None = None,
) -> Languages:
    """Choose the languages to serve from the registry.

    Args:
        codes: Registry codes or aliases; if empty, `DEFAULT_CODE`, or all demo models.
        models: Code to checkpoint; replaces the registry's checkpoint or adds a language.
        demo: Use `DEMO_MODELS` instead of the registry's checkpoints.
        conventions: Code to what its checkpoint writes, where that is not known.

    Raises:
        ConfigurationError: a code is unknown, or has no bundled model.
    """
    known = dict(SUPPORTED_LANGUAGES)
    if demo:
        known = {code: replace(known[code], model=model) for code, model in DEMO_MODELS.items()}
    registry = Languages(known.values())
    chosen_codes = list(codes) or (list(DEMO_MODELS) if demo else [DEFAULT_CODE])
    sources = {compose(code).strip().upper(): source for code, source in models.items()}
    for code, source in sources.items():
        base = registry.find(code) or Language(
            code, code, code, iso_639_1=code.lower(), tag=code.lower(), model=source
        )
        known[base.code] = replace(base, model=source)
    registry = Languages(known.values())
    for code, convention in (conventions or {}).items():
        language = registry.find(code)
        if language is None:
            raise ConfigurationError(
                f"STT_CONVENTIONS: {code!r} is no language here. Known: {', '.join(known)}."
            )
        known[language.code] = replace(language, set_convention=convention)
    registry = Languages(known.values())
    try:
        chosen = [registry.resolve(code) for code in chosen_codes]
    except UnsupportedLanguage as error:
        raise ConfigurationError(
            f"STT_LANGUAGES: {error.message.split(' GET ')[0]} "
            "To add a language, set its model: STT_MODELS=CODE=owner/name."
        ) from None
    return Languages(chosen)
