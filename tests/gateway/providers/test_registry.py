"""Finding adapters: ours, those of other packages through a real entry point, and what goes wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mrblue_cli.core.errors import ConfigError
from mrblue_cli.gateway.model import CallError, FaultKind
from mrblue_cli.gateway.providers.registry import GROUP, kinds, provider, takes_prefill
from tests.gateway.providers.samples import chat, heard, read, target

ACME = '''
"""A provider of another house: plain text in, lines of text out."""

from mrblue_cli.gateway.model import CallError, Fault, FaultKind, HttpRequest, Piece, Reply, Usage
from mrblue_cli.gateway.providers.base import Traits


class Lines:
    def __init__(self):
        self.rest, self.over = b"", False

    def feed(self, data):
        *lines, self.rest = (self.rest + data).split(b"\\n")
        pieces = []
        for line in lines:
            if line == b".":
                self.over = True
                pieces.append(Piece(end=True))
            elif not self.over:
                text = line.decode("utf-8", "replace")
                choice = {"index": 0, "delta": {"content": text}}
                pieces.append(Piece(data={"choices": [choice]}, text=text, token=True))
        return pieces

    def close(self):
        if self.over:
            return []
        self.over = True
        return [Piece(fault=Fault(kind=FaultKind.BROKEN, message="cut"))]


class Acme:
    kind = "acme"
    traits = Traits(base_url="https://acme.example.org/say", key_variable="ACME_API_KEY")

    def request(self, call, target):
        asked = call.body["messages"][-1]["content"]
        return HttpRequest(url=self.traits.base_url, headers={"x-acme": target.api_key}, body=asked.encode())

    def reply(self, call, headers, body):
        text = body.decode()
        message = {"role": "assistant", "content": text}
        table = {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        return Reply(body=table, usage=Usage(output_tokens=1), finish="stop", text=text)

    def stream(self, call):
        return Lines()

    def fault(self, status, headers, body):
        return Fault(kind=FaultKind.SERVER, message="acme failed", status=status)
'''


class Shelf:
    """A folder on the path, into which packages are put as an installer would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, package: str, entries: dict[str, str], modules: dict[str, str]) -> None:
        for name, text in modules.items():
            (self.folder / f"{name}.py").write_text(text, "utf-8")
        info = self.folder / f"{package.replace('-', '_')}-1.0.dist-info"  # as installers write it
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", "utf-8")
        lines = "\n".join(f"{name} = {value}" for name, value in entries.items())
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}\n", "utf-8")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    sys.path.insert(0, str(tmp_path))
    before = set(sys.modules)
    yield Shelf(tmp_path)
    sys.path.remove(str(tmp_path))
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "") or "").startswith(str(tmp_path)):
            del sys.modules[name]


def test_a_third_party_works_like_one_of_ours(shelf: Shelf) -> None:
    assert "acme" not in kinds()
    shelf.put("acme-mrblue", {"acme": "acme_mrblue:Acme"}, {"acme_mrblue": ACME})
    assert "acme" in kinds()
    adapter = provider("acme")
    made = adapter.request(chat(), target("acme"))
    assert made.body == b"Which port is taken?"
    pieces = heard(read(adapter.stream(chat(stream=True)), [b"Port 30", b"00\nis taken\n.\n"]))
    assert (pieces.text, pieces.ends) == ("Port 3000is taken", 1)
    assert heard(read(adapter.stream(chat(stream=True)), [b"Port"])).fault == "broken"
    assert adapter.reply(chat(), {}, b"yes").text == "yes"
    assert adapter.fault(500, {}, b"").message == "acme failed"
    assert not takes_prefill(adapter, "any")


def test_a_package_may_bring_several_and_letters_case_does_not_matter(shelf: Shelf) -> None:
    shelf.put("acme-mrblue", {"Acme": "acme_two:Acme", "acme-eu": "acme_two:Acme"}, {"acme_two": ACME})
    assert {"acme", "acme-eu"} <= set(kinds())
    assert provider("ACME").kind == "acme"


@pytest.mark.parametrize(
    ("value", "module", "said"),
    [
        ("broken_one:Acme", "raise RuntimeError('no licence')", "no licence"),
        ("broken_two:Missing", "x = 1", "Missing"),
        ("nowhere_at_all:Acme", "", "nowhere_at_all"),
        ("broken_three:make", "def make():\n    return object()", "lacks request, reply, stream, fault, traits, kind"),
        ("broken_four:make", "def make(needed):\n    return None", "needed"),
        ("broken_five:bad syntax", "x = 1", "broken_five"),
    ],
)
def test_a_broken_plugin_is_named_and_breaks_nothing_else(shelf: Shelf, value: str, module: str, said: str) -> None:
    name = value.partition(":")[0]
    shelf.put("bad-house", {"bad": value}, {name: module} if module else {})
    with pytest.raises(ConfigError) as caught:
        provider("bad")
    assert "bad-house" in caught.value.what
    assert said in caught.value.what
    assert caught.value.hint
    assert provider("openai").kind == "openai"


@pytest.mark.parametrize("name", ["openai", "groq", "scripted"])
def test_nobody_takes_the_place_of_ours_unseen(shelf: Shelf, name: str) -> None:
    shelf.put("sly-house", {name: "sly:Acme"}, {"sly": ACME})
    with pytest.raises(ConfigError, match="sly-house registers a provider named") as caught:
        provider(name)
    assert "uninstall" in caught.value.hint
    assert kinds().count(name) == 1


def test_two_packages_with_one_name_are_refused(shelf: Shelf) -> None:
    shelf.put("house-a", {"twin": "twin_a:Acme"}, {"twin_a": ACME})
    shelf.put("house-b", {"twin": "twin_b:Acme"}, {"twin_b": ACME})
    with pytest.raises(ConfigError, match=r"house-a.*house-b"):
        provider("twin")


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("opneai", "openai"), ("antropic", "anthropic"), ("mistrall", "mistral"), ("open-router", "openrouter")],
)
def test_an_unknown_kind_gets_the_nearest_name(wrong: str, near: str) -> None:
    with pytest.raises(ConfigError) as caught:
        provider(wrong)
    assert wrong in caught.value.what
    assert near in caught.value.hint


def test_a_kind_like_nothing_gets_them_all() -> None:
    with pytest.raises(ConfigError) as caught:
        provider("zzzz")
    assert all(kind in caught.value.hint for kind in kinds())


@pytest.mark.parametrize(("name", "kind"), [("google", "gemini"), ("Claude", "anthropic"), (" Grok ", "xai")])
def test_other_names_for_ours(name: str, kind: str) -> None:
    assert provider(name).kind == kind


def test_an_adapter_is_made_once() -> None:
    assert provider("openai") is provider("openai")


def test_only_what_is_asked_for_is_imported() -> None:
    code = (
        "import sys; from mrblue_cli.gateway.providers.registry import provider, kinds; kinds(); provider('cohere');"
        "names = {name.rpartition('.')[2] for name in sys.modules if name.startswith('mrblue_cli.gateway.providers.')};"
        "assert 'cohere' in names; assert not names & {'openai', 'anthropic', 'gemini', 'azure', 'scripted'}, names;"
        "assert not {'numpy', 'openai', 'aiohttp', 'asyncio'} & set(sys.modules), 'heavy'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_prefill_depends_on_the_model_where_an_adapter_says_so() -> None:
    assert takes_prefill(provider("anthropic"), "claude-3-5-sonnet")
    assert not takes_prefill(provider("anthropic"), "claude-opus-4-6")
    assert takes_prefill(provider("mistral"), "anything")
    assert not takes_prefill(provider("openai"), "anything")


def test_an_unsupported_fault_names_the_provider_as_it_is_configured() -> None:
    with pytest.raises(CallError) as caught:
        provider("openai").request(chat(prefill="x"), target("openai", provider="main-openai"))
    assert caught.value.fault.kind is FaultKind.UNSUPPORTED
    assert "main-openai" in caught.value.fault.message
