"""``GET /languages``: the served languages and their models."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends

from stt.decoding.decodings import Switch
from stt.languages import Language, Languages
from stt.server.schemas import LanguageEntry, LanguagesResponse
from stt.server.state import Service, get_service

router = APIRouter(tags=["service"])


@router.get("/languages")
async def languages(service: Annotated[Service, Depends(get_service)]) -> LanguagesResponse:
    """The served languages, their accepted spellings and their models."""
    return list_languages(
        service.languages, service.decodings.language_model, service.written_forms.has
    )


def list_languages(
    languages: Languages,
    language_model: Callable[[Language], Switch],
    written: Callable[[Language], bool],
) -> LanguagesResponse:
    """The answer for these languages.

    ``language_model`` says how each uses one, ``written`` whether it has a written form.
    """
    return LanguagesResponse(
        languages=[
            LanguageEntry(
                code=language.code,
                name=language.name,
                native_name=language.native_name,
                tag=language.tag,
                aliases=sorted(language.spellings() - {language.code.lower()}),
                model_id=language.model.name,
                revision=language.model.revision,
                default=language is languages.default,
                language_model=language_model(language),
                written=written(language),
            )
            for language in languages
        ]
    )
