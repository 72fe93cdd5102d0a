"""``GET /languages``: the served languages and their models."""

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool

from stt.decoding.decodings import Switch
from stt.languages import Language, Languages
from stt.models.card import Evaluation
from stt.models.state import Status
from stt.server.schemas import LanguageEntry, LanguagesResponse
from stt.server.state import Service, get_service

router = APIRouter(tags=["service"])


@router.get("/languages")
async def languages(service: Annotated[Service, Depends(get_service)]) -> LanguagesResponse:
    """The served languages, their accepted spellings and their models."""
    return await run_in_threadpool(  # reads the models' cards
        list_languages,
        service.languages,
        {each.code: service.engines.state(each).status for each in service.languages},
        service.decodings.language_model,
        service.writings.has_written_form,
        service.writings.has_spacing,
        service.evaluations,
    )


def list_languages(
    languages: Languages,
    statuses: Mapping[str, Status],
    language_model: Callable[[Language], Switch],
    written: Callable[[Language], bool],
    spacing: Callable[[Language], bool],
    evaluations: Callable[[Language], list[Evaluation]],
) -> LanguagesResponse:
    """The answer for these languages.

    ``statuses`` has the state of each one's model. ``language_model`` says how each uses one,
    ``written`` whether it has a written form, ``spacing`` whether its missing spaces can be
    restored, and ``evaluations`` what was measured of its model.
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
                status=statuses[language.code].value,
                default=language is languages.default,
                language_model=language_model(language),
                written=written(language),
                spacing=spacing(language),
                convention=language.convention,
                evaluations=evaluations(language),
            )
            for language in languages
        ]
    )
