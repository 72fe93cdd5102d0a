from dataclasses import replace
from pathlib import Path

import pytest

from stt.errors import ConfigurationError, UnsupportedLanguage
from stt.languages import (
    BUNDLED_MODELS,
    SUPPORTED_LANGUAGES,
    Languages,
    ModelSource,
    choose_languages,
)

ALL = Languages(SUPPORTED_LANGUAGES.values())


def test_the_registry_has_the_required_models() -> None:
    assert {code: each.model.id for code, each in SUPPORTED_LANGUAGES.items()} == {
        "KR": "kresnik/wav2vec2-large-xlsr-korean",
        "EN": "facebook/wav2vec2-base-960h",
        "JA": "jonatasgrosman/wav2vec2-large-xlsr-53-japanese",
        "ZH": "jonatasgrosman/wav2vec2-large-xlsr-53-chinese-zh-cn",
    }


@pytest.mark.parametrize(
    ("code", "spellings"),
    {
        "KR": "KR kr Kr ko KO kor ko-KR ko_kr korean Korean",
        "EN": "EN en eng en-US en-GB EN_US english",
        "JA": "JA ja jp jpn ja-JP japanese",
        "ZH": "ZH zh cn cmn zho zh-CN chinese",
    }.items(),
)
def test_aliases(code: str, spellings: str) -> None:
    assert {ALL.resolve(each).code for each in spellings.split()} == {code}
    assert ALL.resolve(f"  {code} ").code == code


@pytest.mark.parametrize("spelling", ["xx", "KRR", "k", "한국어", "x" * 5000])
def test_an_unknown_code_names_the_supported_ones(spelling: str) -> None:
    with pytest.raises(UnsupportedLanguage, match=r"KR \(Korean\), EN \(English\)") as caught:
        ALL.resolve(spelling)
    assert len(caught.value.message) < 300


def test_the_default_is_korean_if_it_is_served() -> None:
    assert choose_languages(["EN", "KR"], {}, demo=False).resolve(None).code == "KR"
    assert choose_languages(["EN", "JA"], {}, demo=False).resolve("").code == "EN"
    assert choose_languages([], {}, demo=False).codes == ["KR"]


def test_the_demo_serves_the_bundled_models() -> None:
    demo = choose_languages([], {}, demo=True)
    assert {each.code: each.model.id for each in demo} == {"KR": "ko-mini", "EN": "en-mini"}
    assert choose_languages(["ko"], {}, demo=True).codes == ["KR"]
    with pytest.raises(ConfigurationError, match="'JA' is not served"):
        choose_languages(["JA"], {}, demo=True)


def test_models_replace_a_checkpoint_or_add_a_language() -> None:
    models = {"ko": ModelSource.parse("me/mine@v2"), "VI": ModelSource.parse("/models/vi")}
    languages = choose_languages(["KR", "vi"], models, demo=False)
    assert languages.resolve("KR").model == ModelSource("me/mine", "v2")
    assert languages.resolve("vi").model == ModelSource("vi", "local", Path("/models/vi"))
    assert languages.resolve("korean").name == "Korean"
    assert [each.tag for each in languages] == ["ko-KR", "vi"]


def test_an_unknown_code_in_the_settings_says_how_to_add_it() -> None:
    with pytest.raises(ConfigurationError, match="STT_MODELS=CODE=owner/name"):
        choose_languages(["KR", "XX"], {}, demo=False)


def test_two_languages_cannot_share_a_spelling() -> None:
    other = Languages([SUPPORTED_LANGUAGES["KR"]]).resolve("KR")
    with pytest.raises(ConfigurationError, match="means both"):
        Languages([SUPPORTED_LANGUAGES["KR"], replace(other, code="X", aliases=())])


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("a/b", ModelSource("a/b", "main")),
        (" a/b@0123abc ", ModelSource("a/b", "0123abc")),
        ("a/b@", ModelSource("a/b", "main")),
        ("/x/y", ModelSource("y", "local", Path("/x/y"))),
        ("./y", ModelSource("y", "local", Path.cwd() / "y")),
        ("bundled:ko-mini", BUNDLED_MODELS["ko-mini"]),
    ],
)
def test_model_sources(text: str, source: ModelSource) -> None:
    assert ModelSource.parse(text) == source


def test_a_folder_that_exists_needs_no_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ModelSource.parse("models/x").folder is None
    (tmp_path / "models" / "x").mkdir(parents=True)
    assert ModelSource.parse("models/x") == ModelSource("x", "local", tmp_path / "models" / "x")
    assert ModelSource.parse("C:\\models\\x#kor").folder is not None


@pytest.mark.parametrize(
    ("text", "adapter"),
    [
        ("a/b#kor", "kor"),
        ("a/b@v2#cmn-script_simplified", "cmn-script_simplified"),
        ("/x#kor", "kor"),
    ],
)
def test_a_language_of_many(text: str, adapter: str) -> None:
    source = ModelSource.parse(text)
    assert source.adapter == adapter
    assert source.name == f"{source.id}#{adapter}"
    with pytest.raises(ConfigurationError, match="expected a code such as kor"):
        ModelSource.parse("a/b#")


@pytest.mark.parametrize("text", ["", "name", "a/b/c", "/".join("abc"), "a/", "/".rjust(2, "a")])
def test_malformed_model_sources(text: str) -> None:
    with pytest.raises(ConfigurationError, match="owner/name"):
        ModelSource.parse(text)


@pytest.mark.parametrize("name", ["../../etc", "none", ""])
def test_an_unknown_bundled_model_names_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigurationError, match="the package has ko-mini, en-mini"):
        ModelSource.parse(f"bundled:{name}")


def test_a_model_is_found_by_its_id_or_its_code() -> None:
    languages = choose_languages(["KR", "EN"], {}, demo=True)
    for name in ("en-mini", "EN", " en ", "EN-MINI"):
        found = languages.find_model(name)
        assert found is not None and found.code == "EN"
    assert languages.find_model("whisper-1") is None
    assert languages.find_model("") is None


def test_any_region_and_script_of_a_language_is_understood() -> None:
    tags = {"en-AU": "EN", "en_IN": "EN", "zh-Hant-TW": "ZH", "zh-Hans": "ZH", "es-419": None}
    for tag, code in {**tags, "ko-KP": "KR", "cmn-Hans-CN": "ZH", "en-latn-us-x": None}.items():
        if code is None:
            with pytest.raises(UnsupportedLanguage):
                ALL.resolve(tag)
        else:
            assert ALL.resolve(tag).code == code
    for unspecified in (None, "", "auto", "AUTO", "null", "None", "und"):
        assert ALL.resolve(unspecified) is ALL.default


def test_a_model_for_a_region_adds_a_language() -> None:
    models = {"EN-AU": ModelSource("me/australian")}
    languages = choose_languages(["EN", "EN-AU"], models, demo=False)
    assert languages.resolve("en-au").model.id == "me/australian"
    assert languages.resolve("en-GB").model == SUPPORTED_LANGUAGES["EN"].model
