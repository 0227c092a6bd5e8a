"""Files of `mrblue match`: sorted out before anything is done, whole or not at all."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from mrblue_cli.cli.match_options import Typed
from mrblue_cli.cli.match_write import Writer, check_target, places, write_all
from mrblue_cli.core.errors import UsageError


def sorted_out(**typed):
    found = places(Typed(**typed))
    return found.source, {name: None if path is None else str(path) for name, path in found.targets.items()}


@pytest.mark.parametrize(
    ("typed", "source", "targets"),
    [
        ({"file": "u"}, "u", {}),
        ({"file": "-"}, "-", {}),
        ({"sample": True}, None, {}),
        ({"file": "u", "as_json": ""}, "u", {"json": None}),
        ({"file": "u", "as_json": "-"}, "u", {"json": None}),
        ({"file": "u", "as_json": "o"}, "u", {"json": "o"}),
        ({"as_json": "u"}, "u", {"json": None}),
        ({"as_json": "-"}, "-", {"json": None}),
        ({"as_csv": "u", "as_html": ""}, "u", None),
        ({"as_html": "u"}, "u", {"html": None}),
        ({"sample": True, "as_json": "o"}, None, {"json": "o"}),
        ({"file": "u", "as_json": "", "as_html": "p"}, "u", {"json": None, "html": "p"}),
        ({"file": "u", "as_json": "a", "as_csv": "b", "as_html": "c"}, "u", {"json": "a", "csv": "b", "html": "c"}),
    ],
)
def test_what_follows_a_format_is_its_file_or_else_the_input(typed, source, targets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if targets is None:
        with pytest.raises(UsageError, match="both go to standard output"):
            sorted_out(**typed)
    else:
        assert sorted_out(**typed) == (source, targets)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "no file with people"),
        ({"as_json": ""}, "no file with people"),
        ({"as_json": "a", "as_csv": "b"}, "not clear"),
        ({"file": "u", "sample": True}, "exclude each other"),
        ({"file": "u", "as_json": "", "as_csv": ""}, "both go to standard output"),
        ({"file": "u", "as_json": "o", "as_csv": "sub/../o"}, "the same file"),
        ({"file": "u", "as_json": "sub"}, "is a folder"),
        ({"file": "u", "as_json": "none/o"}, "there is no folder none"),
        ({"file": "u", "as_json": "u"}, "would overwrite the people"),
        ({"file": "u", "as_csv": "sub/../u"}, "would overwrite the people"),
    ],
)
def test_what_makes_no_sense_is_told_with_what_to_do(typed, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    Path("u").write_text("[]", encoding="utf-8")
    with pytest.raises(UsageError, match=words) as error:
        places(Typed(**typed))
    assert error.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sub", "u"]


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ('[{"id": "a", "roles": ["leader"]}]', True),
        ('{"users":[{"roles" : "both"}]}', True),
        ('{"id": 1, "Roles": "Leader"}', True),
        ("id,name,roles\n", True),
        ("roles\tid\n", True),
        ('"id";"roles"\r\n', True),
        ('{"roles": {"ana": "leader"}}', False),
        ('{"why": "both dance both roles"}', False),
        ("<p>roles, too</p>", False),
        ("rank,a,b,role\n", False),
        ("controles,id\n", False),
        ("a,b\nroles,x\n", False),
        ("", False),
    ],
)
def test_people_are_told_from_answers(tmp_path, text, people):
    target = tmp_path / "there"
    target.write_bytes(text.encode())
    if people:
        with pytest.raises(UsageError, match="holds people"):
            check_target(target)
    else:
        check_target(target)
    assert target.read_bytes() == text.encode()


def test_all_files_take_their_places_together(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("old", encoding="utf-8")
    with Writer() as writer:
        writer.write(one, ["a", "b"])
        assert one.read_text(encoding="utf-8") == "old"
        writer.write(other, iter(["c"]))
        assert not other.exists()
    assert (one.read_text(encoding="utf-8"), other.read_text(encoding="utf-8")) == ("ab", "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


@pytest.mark.parametrize("end", [KeyboardInterrupt, ZeroDivisionError, UsageError("x")])
def test_whatever_goes_wrong_nothing_is_left(tmp_path, end):
    def broken():
        yield "half"
        raise end

    old = tmp_path / "old"
    old.write_text("old", encoding="utf-8")

    def write():
        with Writer() as writer:
            writer.write(tmp_path / "first", ["whole"])
            writer.write(old, broken())

    with pytest.raises(end if isinstance(end, type) else type(end)):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert old.read_text(encoding="utf-8") == "old"


def test_a_failure_on_the_way_to_standard_output_comes_after_the_files(tmp_path, capsys):
    def broken():
        raise ZeroDivisionError
        yield ""

    with pytest.raises(ZeroDivisionError):
        write_all({"json": None, "csv": tmp_path / "o"}, {"json": lambda: iter("x"), "csv": broken})
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_is_told(tmp_path, capsys):
    done = write_all(
        {"json": None, "csv": tmp_path / "o"}, {"json": lambda: iter(["{", "}\n"]), "csv": lambda: iter(["a\n"])}
    )
    assert done == [tmp_path / "o"]
    assert capsys.readouterr().out == "{}\n"


def test_a_new_file_has_the_rights_of_any_new_file(tmp_path):
    old = os.umask(0o027)
    try:
        with Writer() as writer:
            writer.write(tmp_path / "o", ["x"])
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "o").stat().st_mode) == 0o640


def test_lines_end_as_they_were_written(tmp_path):
    with Writer() as writer:
        writer.write(tmp_path / "o", ["a\n", "ü\r\n"])
    assert (tmp_path / "o").read_bytes() == "a\nü\r\n".encode()


def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    with Writer() as writer:
        writer.write(pipe, ["through"])
    reader.join(timeout=10)
    assert read == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_to_a_new_file_stays_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    with Writer() as writer:
        writer.write(link, ["x"])
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "x"


def test_a_place_that_became_a_folder_meanwhile_is_an_error_and_nothing_is_left(tmp_path):
    target = tmp_path / "o"

    def write():
        with Writer() as writer:
            writer.write(target, ["x"])
            writer.write(tmp_path / "p", ["y"])
            target.mkdir()

    with pytest.raises(UsageError, match="cannot be written"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["o"]
