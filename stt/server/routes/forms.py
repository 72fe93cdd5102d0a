"""Reads the forms of the upload routes, within bounds and as clients really send them."""

import errno
import re
from collections.abc import Callable, Coroutine
from tempfile import SpooledTemporaryFile
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from stt.errors import InvalidParameter, OutOfStorage, SttError
from stt.server.problems import MAX_FIELD_BYTES, MAX_FIELDS

FILE_FIELDS = ("file", "audio_file")
"""Names of the part that is the recording."""
TEXT_FIELD = "text"
"""Name of the part that is a text to align."""
RAW = re.compile(r"(audio|video)/.+|application/(octet-stream|ogg)")
"""Content types of a body that is the recording itself."""
LIST_FIELD = re.compile(r"(timestamp_granularities|include)\[\d*\]")
"""How clients spell lists: OpenAI's ``include[]``, PHP's ``include[0]``. One name is declared, as
generators of clients make the same identifier of all."""
IN_MEMORY_BYTES = 1_000_000
TOO_MANY = (errno.EMFILE, errno.ENFILE)


class UploadRoute(APIRoute):
    """A route whose form, if it takes one, is an `UploadRequest`'s."""

    max_text_bytes = 0
    """Of the field `text`, which may be as long, also from a file; 0 if it is like any other."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Called by FastAPI."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle  # a body that nobody asked for would count towards no limit of uploads

        async def handle_upload(request: Request) -> Response:
            upload = UploadRequest(request.scope, request.receive)
            upload.max_text_bytes = self.max_text_bytes
            try:
                await upload.form()  # FastAPI would answer "error parsing the body" to our errors
            except ClientDisconnect:
                raise HTTPException(400, detail="The client left.") from None
            except OSError as error:
                raise storage_error(error) from error
            return await handle(upload)

        return handle_upload


def storage_error(error: OSError) -> SttError:
    """The error for a failure of the temporary folder; the log has the cause."""
    reason = "too many of its files are open" if error.errno in TOO_MANY else "its disk is full"
    if error.errno not in (*TOO_MANY, errno.ENOSPC, errno.EDQUOT):
        reason = "its temporary folder failed"
    return OutOfStorage(f"The service cannot store the upload: {reason}. Try again later.")


class UploadRequest(Request):
    """A request with at most one file and few fields.

    A body with an audio content type is the file, and the query has the fields. Any other body is
    an empty form: parsing urlencoded ones can take a minute, and they hold no file.
    """

    max_text_bytes = 0
    """See `UploadRoute`."""

    async def form(self, **_: object) -> FormData:  # type: ignore[override]
        """The fields and the file.

        Raises:
            InvalidParameter: there are several files.
            HTTPException: the form is malformed, or has too many or too large fields.
        """
        if self._form is None:
            content_type = self.headers.get("content-type", "")
            kind, options = parse_options_header(content_type)
            if kind == b"multipart/form-data":
                self._form = await self._parse(options.get(b"boundary", b""))
            elif RAW.fullmatch(kind.decode("latin-1")):
                self._form = await self._read_raw()
            else:
                self._form = FormData()
        return self._form

    async def _parse(self, boundary: bytes) -> FormData:
        # Without a charset, which the format does not have (RFC 7578, 5.1.2): Python keeps the
        # name of every unknown one for good.
        quoted = boundary.decode("latin-1").replace("\\", r"\\").replace('"', r"\"")
        headers = Headers({"content-type": f'multipart/form-data; boundary="{quoted}"'})
        parser = OneFileParser(
            headers, self.stream(), max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
        )
        parser.max_text_bytes = self.max_text_bytes
        try:
            form = await parser.parse()
        except MultiPartException as malformed:
            raise HTTPException(400, detail=malformed.message) from None
        return FormData(
            [(LIST_FIELD.sub(r"\1", name), value) for name, value in form.multi_items()]
        )

    async def _read_raw(self) -> FormData:
        spooled = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  # FastAPI closes the form
        upload = UploadFile(spooled, size=0, filename="body", headers=self.headers)  # type: ignore[arg-type]
        try:
            async for piece in self.stream():
                await upload.write(piece)
            await upload.seek(0)
        except BaseException:
            spooled.close()
            raise
        fields = [
            (LIST_FIELD.sub(r"\1", name), value)
            for name, value in self.query_params.multi_items()
            if name not in FILE_FIELDS
        ]
        return FormData([*fields, *((name, upload) for name in FILE_FIELDS)])


class OneFileParser(MultiPartParser):
    """Takes the recording's part for a file also without a name (or with ``filename*`` only)."""

    max_text_bytes = 0
    """See `UploadRoute`."""

    def on_headers_finished(self) -> None:
        """Called for each part, before its content."""
        part = self._current_part
        _, options = parse_options_header(part.content_disposition)
        name = options.get(b"name", b"").decode("latin-1")
        self.max_part_size = MAX_FIELD_BYTES
        if name == TEXT_FIELD and self.max_text_bytes:
            # `-F text=@book.txt` sends a file, `-F 'text=<book.txt'` a field: both are the text.
            part.content_disposition = b'form-data; name="text"'
            options.pop(b"filename", None)
            self.max_part_size = self.max_text_bytes
            self.max_text_bytes = 0  # one text for each form
        if name in FILE_FIELDS and b"filename" not in options:
            part.content_disposition = (part.content_disposition or b"") + b'; filename="upload"'
            options[b"filename"] = b"upload"
        if b"filename" in options and self._current_files:
            raise InvalidParameter(
                f"The form has another file in the part {name[:80]!r}. Send one file per request, "
                "and other fields without a file name."
            )
        super().on_headers_finished()
