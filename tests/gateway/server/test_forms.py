"""Multipart forms: read exactly, or refused with a reason; nothing in them is ambiguous."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.gateway.model import CallError
from mrblue_cli.gateway.server.forms import MOST_PARTS, read_form

TYPE = "multipart/form-data; boundary=b0"


def form(*parts: tuple[bytes, bytes]) -> bytes:
    """A body of (head, data) parts."""
    made = b"".join(
        b"--b0\r\ncontent-disposition: form-data; " + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts
    )
    return made + b"--b0--\r\n"


MODEL, SOUND = (b'name="model"', b"whisper-1"), (b'name="file"; filename="a.wav"', b"RIFF\r\n--b")


def why(body: bytes, content_type: str = TYPE) -> str:
    """The reason for which a form is refused."""
    with pytest.raises(CallError) as caught:
        read_form(content_type, body)
    assert caught.value.fault.kind == "bad_request"
    return caught.value.fault.message


def test_fields_and_the_file_come_apart():
    granular = b'name="timestamp_granularities[]"'
    fields, files = read_form(
        TYPE, form(MODEL, SOUND, (granular, b"word"), (granular, b"segment"), (b'name="prompt"', "ž".encode()))
    )
    assert fields == {"model": "whisper-1", "timestamp_granularities[]": ["word", "segment"], "prompt": "ž"}
    (file,) = files
    assert (file.name, file.data, file.filename, file.content_type) == ("file", b"RIFF\r\n--b", "a.wav", None)


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_bytes_come_back_as_they_were(data, at):
    if b"\r\n--b0" in data:
        return
    _, files = read_form(TYPE, form(MODEL, (SOUND[0], data)))
    assert files[0].data == data


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "end is missing"),
        (form(MODEL)[:-9], "end is missing"),
        (b"rubbish", "cannot be read"),
        (form(MODEL).replace(b"\r\n", b"\n"), "cannot be read"),
        (form(MODEL, MODEL), "'model' comes twice"),
        (form(SOUND, SOUND), "more than one file"),
        (form((b'name="model"; filename="x"', b"other")), "Only the field 'file'"),
        (form((b"x=1", b"v")), "no name"),
        (form((b'name=""', b"v")), "no name"),
        (form((b'name="' + b"n" * 101 + b'"', b"v")), "no name"),
        (form((b'name="a\xff"', b"v")), "not UTF-8"),
        (form((b'name="a\xc2\x85"', b"v")), "no name"),
        (form((b'name="model"', b"\xff")), "'model' is not UTF-8"),
        (form(*[(b'name="x[]"', b"v")] * (MOST_PARTS + 1)), f"more than {MOST_PARTS} parts"),
        (form((b'name="prompt"', b"p" * 1_100_000)), "too long"),
    ],
)
def test_what_is_not_clear_is_refused(body, says):
    assert says in why(body)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=b0",
        "multipart/form-data; boundary=" + "b" * 201,
    ],
)
def test_a_form_without_a_boundary_is_none(content_type):
    assert "names no boundary" in why(form(MODEL), content_type)


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        (b"../../etc/passwd", "passwd"),
        (b"a\\..\\b.wav", "b.wav"),
        (b"", "file"),
        (b"..\\", "file"),
        ("ž.wav".encode(), "ž.wav"),
        (b"\xff.wav", "\ufffd.wav"),
        (b"a\x01b\x7f.wav", "a_b_.wav"),
        (b"x" * 300 + b".wav", "x" * 196 + ".wav"),
    ],
)
def test_of_a_files_name_only_its_last_step_stays(given_name, kept):
    _, files = read_form(TYPE, form(MODEL, (b'name="file"; filename="' + given_name + b'"', b"")))
    assert files[0].filename == kept


@pytest.mark.parametrize(
    ("said", "kept"), [(b"audio/wav", "audio/wav"), (b"a\x01b", None), (b"", None), (b"a b", None), (b"\xff", None)]
)
def test_a_files_type_is_a_plain_word_or_none(said, kept):
    head = b'name="file"; filename="a"\r\ncontent-type: ' + said
    _, files = read_form(TYPE, form(MODEL, (head, b"x")))
    assert files[0].content_type == kept


def test_mangled_forms_are_read_or_refused_and_nothing_else():
    whole = form(MODEL, SOUND, (b'name="prompt"', b"x"))
    chance = random.Random(4)
    refusals = 0
    for _ in range(2000):
        at, size = chance.randrange(len(whole)), chance.randrange(4)
        body = whole[:at] + chance.randbytes(chance.randrange(4)) + whole[at + size :]
        try:
            read_form(TYPE, body)
        except CallError:
            refusals += 1
    assert 200 < refusals < 2000
