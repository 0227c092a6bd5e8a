"""The compiled index in its file: never stale, never trusted when damaged, safe with several builders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.knowledge.compiled import build
from mrblue_cli.knowledge.loader import load_folder
from mrblue_cli.knowledge.store import read, stamp, write
from tests.program import environment

ENTRY = """
title: {title}
symptoms: ["{words} happened in {{file}}"]
spoken: ["{words} happened"]
causes: [A cause]
solutions:
  - title: A way out
    steps: ["cat {{file}}"]
    success_rate: 80
    risk: safe
sources: ["https://example.org/"]
matches: ["{words} happened in a.txt"]
rejects: ["all is well"]
"""


def add(folder, name, words="flumox glorp", title="A title"):
    path = folder / "mine" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(ENTRY.format(title=title, words=words))
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "kb"
    add(path, "one")
    add(path, "two", "sprocket jam", "Another title")
    return path


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "cache" / "index.bin"


def index_of(folder):
    return build(load_folder(folder).entries)


def tables(index):
    return {name: getattr(index.tables, name) for name in index.tables.__slots__}


def test_what_is_written_is_what_is_read(folder, kept):
    index = index_of(folder)
    assert write(kept, "wanted", index)
    again = read(kept, "wanted")
    assert tables(again) == tables(index)
    assert [again.entry(number) for number in range(2)] == list(load_folder(folder).entries)
    assert [file.name for file in kept.parent.iterdir()] == ["index.bin"]


def test_what_was_built_from_something_else_is_not_read(folder, kept):
    write(kept, "wanted", index_of(folder))
    assert read(kept, "wante") is None
    assert read(kept, "wanted2") is None
    assert read(kept, "") is None
    assert read(kept.with_name("none"), "wanted") is None
    assert read(kept.parent, "wanted") is None


@pytest.mark.parametrize("where", [0, 5, 12, 13, 20, -1, -100])
def test_a_flipped_bit_anywhere_is_noticed(folder, kept, where):
    write(kept, "wanted", index_of(folder))
    data = bytearray(kept.read_bytes())
    data[where] ^= 4
    kept.write_bytes(data)
    assert read(kept, "wanted") is None


def test_a_truncated_file_is_noticed_at_every_length(folder, kept):
    write(kept, "wanted", index_of(folder))
    data = kept.read_bytes()
    for length in [*range(40), *range(40, len(data), 97), len(data) - 1]:
        kept.write_bytes(data[:length])
        assert read(kept, "wanted") is None
    kept.write_bytes(data + b"x")
    assert read(kept, "wanted") is None


@pytest.mark.parametrize(
    "data", [b"", b"\n\n\n", b"\xff" * 2000, b"mrblue-index\n", b"mrblue-index\nwanted 00000000\n"]
)
def test_a_foreign_file_is_noticed(kept, data):
    kept.parent.mkdir()
    kept.write_bytes(data)
    assert read(kept, "wanted") is None


def test_a_whole_file_with_foreign_contents_is_noticed(kept):
    import marshal
    import zlib

    kept.parent.mkdir()
    for value in (7, None, {"ids": ()}, {"nonsense": 1}, {1: 2}, []):
        body = marshal.dumps(value)
        kept.write_bytes(b"mrblue-index\n" + f"wanted {zlib.crc32(body):08x}\n".encode() + body)
        assert read(kept, "wanted") is None


def test_the_stamp_changes_with_every_change_of_the_entries(folder, tmp_path):
    seen = [stamp([folder])]
    assert stamp([folder]) == seen[0]

    def changed():
        now = stamp([folder])
        assert now not in seen
        seen.append(now)

    path = add(folder, "three")
    changed()
    path.write_text(path.read_text().replace("A title", "A longer title"))
    changed()
    os.utime(path, ns=(1, 10**15))
    changed()
    path.rename(path.with_name("four.yaml"))
    changed()
    path.with_name("four.yaml").unlink()
    shutil.copytree(folder / "mine", folder / "other")
    changed()
    other = tmp_path / "elsewhere"
    shutil.copytree(folder, other)
    assert stamp([folder, other]) != stamp([other, folder])
    assert stamp([folder, other]) != stamp([folder])
    assert stamp([tmp_path / "none"]) != stamp([])


def test_what_is_no_entry_does_not_change_the_stamp(folder):
    before = stamp([folder])
    (folder / "mine" / "notes.txt").write_text("x")
    (folder / "README.md").write_text("x")
    assert stamp([folder]) == before


def test_a_broken_link_among_the_entries_does_not_stop_the_program(folder, tmp_path):
    (folder / "mine" / "gone.yaml").symlink_to(tmp_path / "nowhere")
    assert stamp([folder])


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One folder for the whole module: every folder of entries has its own file there."""
    return tmp_path_factory.mktemp("cache")


def found(folder, cache, text):
    result = load_base([folder], cache=cache).search(text)
    return result.hits[0].entry.title if result.confident else None


def test_a_search_follows_every_change_of_the_users_entries(folder, cache):
    assert found(folder, cache, "flumox glorp happened in a.txt") == "A title"
    path = add(folder, "three", "wibble wobble", "The third")
    assert found(folder, cache, "wibble wobble happened in a.txt") == "The third"
    add(folder, "three", "wibble wobble", "The third, changed")
    os.utime(path, ns=(1, 10**15))
    assert found(folder, cache, "wibble wobble happened in a.txt") == "The third, changed"
    path.unlink()
    assert found(folder, cache, "wibble wobble happened in a.txt") is None


def test_a_damaged_index_is_built_anew(folder, cache):
    load_base([folder], cache=cache)
    (path,) = (file for file in cache.iterdir() if read(file, stamp_of(folder)) is not None)
    for data in (b"", b"foreign", path.read_bytes()[:5000]):
        path.write_bytes(data)
        assert found(folder, cache, "sprocket jam happened in b.txt") == "Another title"
        assert read(path, stamp_of(folder)) is not None


def stamp_of(folder):
    from mrblue_cli.knowledge.places import bundled_folder

    return stamp((bundled_folder(), folder))


def test_the_kept_index_answers_as_the_built_one(cache):
    load_base(cache=cache)
    kept, built = load_base(cache=cache), load_base()
    assert kept.entries == built.entries
    for text in ("EADDRINUSE :::3000", "No module named 'pandas'", "hello there", "permission denied (publickey)"):
        assert kept.search(text) == built.search(text)


def test_a_place_that_cannot_be_written_costs_only_time(folder, tmp_path):
    (tmp_path / "file").write_text("")
    assert not write(tmp_path / "file" / "index.bin", "wanted", index_of(folder))
    (tmp_path / "taken.bin").mkdir()
    assert not write(tmp_path / "taken.bin", "wanted", index_of(folder))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "kb", "taken.bin"]
    assert found(folder, tmp_path / "file" / "x", "flumox glorp happened in a.txt") == "A title"


def test_a_faulty_entry_is_an_error_every_time(folder, cache):
    load_base([folder], cache=cache)
    (folder / "mine" / "bad.yaml").write_text("title: [")
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            load_base([folder], cache=cache)
        assert "bad.yaml" in caught.value.what


BUILDER = """
import sys
from pathlib import Path
from mrblue_cli.knowledge.base import load_base
sys.stdin.readline()
base = load_base([Path(sys.argv[1])], cache=Path(sys.argv[2]))
print(base.search("flumox glorp happened in a.txt").hits[0].entry.title)
"""


def test_processes_that_build_at_once_leave_one_whole_index(folder, tmp_path):
    cache = tmp_path / "cache"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", BUILDER, str(folder), str(cache)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(),
        )
        for _ in range(2)
    ]  # fmt: skip
    for child in children:
        child.stdin.write(b"go\n")
        child.stdin.flush()
    for child in children:
        assert child.communicate()[0] == b"A title\n"
        assert child.returncode == 0
    (path,) = cache.iterdir()
    assert read(path, stamp_of(folder)) is not None
