"""``GET /languages``: the served languages and their models."""

from typing import Annotated

from fastapi import APIRouter, Depends

from stt.languages import Languages
from stt.server.schemas import LanguageEntry, LanguagesResponse
from stt.server.state import Service, get_service

router = APIRouter(tags=["service"])


@router.get("/languages")
async def languages(service: Annotated[Service, Depends(get_service)]) -> LanguagesResponse:
    """The served languages, their accepted spellings and their models."""
    return list_languages(service.languages)


def list_languages(languages: Languages) -> LanguagesResponse:
    """The answer for these languages."""
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
            )
            for language in languages
        ]
    )
