"""The bundled entries pass the linter, the linter finds every kind of fault, and the loader fears no file."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.knowledge.lint import lint_folder
from mrblue_cli.knowledge.loader import load_file, load_folder
from mrblue_cli.knowledge.places import bundled_folder

GOOD = {
    "title": "Flux capacitor is empty",
    "symptoms": ["flux capacitor drained on {host}"],
    "spoken": ["the flux capacitor is drained"],
    "causes": ["No plutonium"],
    "solutions": [
        {
            "title": "Refill it",
            "steps": ["flux --refill {host}"],
            "success_rate": 88,
            "risk": "changes",
            "why": "Fuel.",
        },
    ],
    "sources": ["https://example.org/flux"],
    "matches": ["flux capacitor drained on hill-valley"],
    "rejects": ["the weather is fine"],
}


def write(folder, name="film/flux", **changes):
    path = folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({**GOOD, **changes}), encoding="utf-8")
    return path


def messages(folder):
    return [fault.message for fault in lint_folder(folder).faults]


def test_the_bundled_entries_are_without_fault():
    report = lint_folder(bundled_folder())
    assert [str(fault) for fault in report.faults if fault.severity == "error"] == []
    base = load_base()
    assert len(base.entries) >= 40
    assert len(base.categories) >= 10


def test_a_good_entry_passes(tmp_path):
    write(tmp_path)
    assert messages(tmp_path) == []


def solution(**changes):
    return {"solutions": [{**GOOD["solutions"][0], **changes}]}


FAULTS = [
    ({"sources": []}, "'sources' is empty"),
    ({"sources": ["http://example.org"]}, "is not an https address"),
    ({"matches": ["something else entirely"]}, "no symptom leads from"),
    ({"rejects": ["flux capacitor drained on x"]}, "must not find this entry"),
    ({"spoken": ["it is not"]}, "spoken form"),
    ({"symptoms": ["flux"]}, "too short"),
    (solution(success_rate=101), "not in 0..100"),
    (solution(risk="destructive"), "first solution is destructive"),
    (solution(risk="mild"), "Invalid enum value"),
    (solution(steps=["flux {port}"]), "no symptom captures"),
    (solution(steps=["flux {gigawatts}"]), "no known kind"),
    (solution(platforms=["amiga"]), "unknown platform"),
    ({"symptom": ["x"]}, "unknown key 'symptom', did you mean 'symptoms'?"),
    ({"title": 5}, "Expected `str`"),
]


@pytest.mark.parametrize(("changes", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_every_fault_is_found(tmp_path, changes, message):
    write(tmp_path, **changes)
    assert any(message in found for found in messages(tmp_path)), messages(tmp_path)


def test_near_duplicates_are_pointed_out(tmp_path):
    write(tmp_path)
    write(tmp_path, "film/flux-again")
    assert any("nearly the same" in message for message in messages(tmp_path))


def test_faults_name_file_and_line(tmp_path):
    path = write(tmp_path)
    path.write_text("title: x\nsymptoms: [a\n")
    fault = load_folder(tmp_path).faults[0]
    assert fault.path == path
    assert fault.line >= 2
    path.write_text("title: x\nsymptoms: []\ncolour: red\n")
    assert load_folder(tmp_path).faults[0].line == 3


def test_hostile_files_are_refused(tmp_path):
    path = tmp_path / "a" / "b.yaml"
    path.parent.mkdir()
    path.write_text("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n")
    assert "aliases" in load_file(path)[1][0].message
    path.write_text("x" * 70_000)
    assert "larger" in load_file(path)[1][0].message
    path.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in load_file(path)[1][0].message
    path.write_text("title: !!python/object/apply:os.system [id]")
    assert load_file(path)[0] is None
    assert load_folder(tmp_path / "nowhere").faults


@given(st.binary(max_size=200))
def test_any_bytes_are_an_entry_or_a_fault(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("kb") / "x.yaml"
    path.write_bytes(data)
    entry, faults = load_file(path)
    assert (entry is None) == bool(faults)


def test_entries_of_your_own_win(tmp_path):
    entry = load_base().entry("node/port-in-use")
    other = {"symptoms": ["warp core breach"], "spoken": ["the warp core leaks"], "matches": ["warp core breach"]}
    write(tmp_path, "node/port-in-use", title="Mine", **other)
    write(tmp_path, "film/flux")
    base = load_base([tmp_path])
    assert base.entry("node/port-in-use").title == "Mine" != entry.title
    assert base.search("the flux capacitor is drained").confident


def test_a_broken_folder_is_a_configuration_error(tmp_path):
    write(tmp_path, title=5)
    with pytest.raises(ConfigError) as caught:
        load_base([tmp_path])
    assert "flux.yaml" in caught.value.what
    assert "kb lint" in caught.value.hint
