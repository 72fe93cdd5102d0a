"""``POST /align`` and ``POST /v1/audio/alignments``: when each word of a text is spoken."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Response, UploadFile

from stt.alignment.pipeline import MAX_TEXT_BYTES, align
from stt.formats.alignment import FORMATS, AlignmentResponse, Answer
from stt.languages import Language
from stt.server.problems import OPENAI_PROBLEMS, PROBLEMS
from stt.server.routes.forms import UploadRoute
from stt.server.routes.uploads import (
    ABOUT_TRACK,
    TRACK,
    LanguageName,
    ModelName,
    OneOf,
    document,
    requested_language,
    respond,
    spoken_language,
)
from stt.server.state import Service, get_service


class TextRoute(UploadRoute):
    """A route whose form has a long text besides the recording."""

    max_text_bytes = 4 * MAX_TEXT_BYTES
    """Longer ones are a malformed form; between the two, the answer says what the limit is. A text
    in NFD has up to three times as many bytes."""


router = APIRouter(tags=["alignment"], route_class=TextRoute)

Use = Annotated[Service, Depends(get_service)]
Recording = Annotated[UploadFile, File(description="The recording, in any accepted format.")]
GivenText = Annotated[
    str,
    Form(
        description="What is spoken, in UTF-8: lines, paragraphs, SubRip or WebVTT. A field, or a "
        f"text file; at most {MAX_TEXT_BYTES // 1024} KiB."
    ),
]
ResponseFormat = Annotated[str, OneOf(FORMATS), Form(description="Format of the answer.")]
Characters = Annotated[
    bool, Form(description="Also give the times of characters, in `json` and `textgrid`.")
]
Track = Annotated[int | None, TRACK, Form(description=ABOUT_TRACK)]
ANSWERS = document(FORMATS.values())


@router.post("/align", response_model=AlignmentResponse, responses=PROBLEMS | ANSWERS)
async def align_text(
    service: Use,
    file: Recording,
    text: GivenText,
    lang: Annotated[str | None, Depends(requested_language)],
    response_format: ResponseFormat = "json",
    characters: Characters = False,
    track: Track = None,
) -> Response:
    """Find when each word of a text is spoken in a recording of any length.

    Every word of the text comes back, in order, as written. Text that is not spoken and speech that
    is not in the text are found and reported.
    """
    language = service.languages.resolve(lang)
    return await _answer(service, file, text, language, response_format, characters, track)


@router.post(
    "/v1/audio/alignments", response_model=AlignmentResponse, responses=OPENAI_PROBLEMS | ANSWERS
)
async def create_alignment(
    service: Use,
    file: Recording,
    text: GivenText,
    model: ModelName = "",
    language: LanguageName = None,
    response_format: ResponseFormat = "json",
    characters: Characters = False,
    track: Track = None,
) -> Response:
    """The same as `/align`, in the manner of OpenAI's API, which has no such route."""
    spoken = spoken_language(service.languages, model, language)
    return await _answer(service, file, text, spoken, response_format, characters, track)


async def _answer(
    service: Service,
    file: UploadFile,
    text: str,
    language: Language,
    response_format: str,
    characters: bool,
    track: int | None,
) -> Response:
    engine = await service.engines.acquire(language)
    alignment = await align(service.transcriber, file.file, text, engine, language, track)
    answer = Answer(alignment, language.code, language.model.name, characters)
    return await respond(FORMATS[response_format], answer)
