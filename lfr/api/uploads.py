"""Multipart forms, read in memory.

The framework's own reader rolls parts above one megabyte to a temporary file; a picture of a person must not touch a
disk unsealed (D4), so the body is bounded by its route and parsed here from memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import ClientException
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

MAX_PARTS = 64
TEXT = Schema(type=OpenAPIType.STRING)
NUMBER = Schema(type=OpenAPIType.NUMBER)
FILE = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)


def form_operation(required: list[str], properties: Mapping[str, Schema]) -> type[Operation]:
    """The `operation_class` of a route whose form is read here, by hand: so it is described by hand too."""
    form = Schema(type=OpenAPIType.OBJECT, required=required, properties=dict(properties))
    body = RequestBody(required=True, content={"multipart/form-data": OpenAPIMediaType(schema=form)})

    @dataclass
    class FormOperation(Operation):
        def __post_init__(self) -> None:
            self.request_body = body

    return FormOperation


class Form(msgspec.Struct, frozen=True):
    """Text fields by name (the last one wins), and files in order as (field, file name, bytes)."""

    fields: dict[str, str]
    files: tuple[tuple[str, str, bytes], ...]


def one_file(form: Form, name: str) -> bytes:
    """The file of that field. Raises ClientException (400) unless there is exactly one."""
    files = [content for key, _, content in form.files if key == name]
    if len(files) != 1:
        raise ClientException(extra=[{"key": name, "message": "one file is needed"}])
    return files[0]


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """The request's form. Raises ClientException: 400 if it is none, 413 above the route's limit."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise ClientException(extra=[{"key": "Content-Type", "message": "must be multipart/form-data with a boundary"}])
    return parse_form(await request.body(), boundary)


def parse_form(body: bytes, boundary: bytes) -> Form:
    """A whole body. Raises ClientException (400)."""
    reader = _Reader()
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeDecodeError) as error:
        raise ClientException(extra=[{"key": "body", "message": f"is not a valid form: {error}"}]) from error
    if not reader.ended:
        raise ClientException(extra=[{"key": "body", "message": "is not a valid form: it is cut short"}])
    return Form(reader.fields, tuple(reader.files))


class _Reader:
    """Gathers what the parser calls back with."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.files: list[tuple[str, str, bytes]] = []
        self.ended = False
        self._parts = 0
        self._headers: dict[str, str] = {}
        self._name = bytearray()
        self._value = bytearray()
        self._content = bytearray()

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_begin": self._header_begin,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_part_data": lambda data, start, end: self._content.extend(memoryview(data)[start:end]),
            "on_part_end": self._finish,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise FormParserError(f"more than {MAX_PARTS} parts")
        self._headers, self._content = {}, bytearray()

    def _header_begin(self) -> None:
        self._name, self._value = bytearray(), bytearray()

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")

    def _finish(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", ""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if not name:
            raise FormParserError("a part has no name")
        if b"filename" in options:
            self.files.append((name, options[b"filename"].decode("utf-8", "replace"), bytes(self._content)))
        else:
            self.fields[name] = self._content.decode("utf-8")

    def _end(self) -> None:
        self.ended = True
