"""The quick reading of `mrblue ask` means what the real command line library reads, or leaves it to that."""

from __future__ import annotations

import pytest
import typer
from hypothesis import example, given
from hypothesis import strategies as st

from mrblue_cli.app.ask import AskOptions
from mrblue_cli.cli import ask as command
from mrblue_cli.cli.main import Globals
from mrblue_cli.cli.quick import quick_options

ARGUMENTS = st.sampled_from(
    [
        "--json", "--verbose", "-v", "--ai", "--no-ai", "--top", "--top=4", "1", "3", "20", "21", "0", "-1",
        "05", "x", "",
        " ", "-", "--", "--help", "-h", "--feedback", "--no-feedback", "--jso", "-vv", "-vx", "--ai=yes", "text", "a b",
        "listen EADDRINUSE", "-x", "---", "--debug", "--config", "٣", "+3", " 3", "3 ", "1_0", "--top ", "-v=1", "ask",
    ]
)  # fmt: skip


class Read(Exception):
    """Carries what the command line library read."""


@pytest.fixture(scope="module")
def really():
    """Reads arguments with the library; None where it refuses or does something else."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(context_settings={"help_option_names": ["-h", "--help"]})(command.ask)

    def read(arguments):
        seen = []
        original = command.run_ask
        command.run_ask = lambda options: seen.append(options) or 0
        try:
            app(list(arguments), standalone_mode=False, obj=Globals(None, False))
        except Exception:
            return None
        finally:
            command.run_ask = original
        return seen[0] if seen else None

    return read


@given(st.lists(ARGUMENTS, max_size=5))
@example(["--top", "3", "--json", "x"])
@example(["x", "--ai", "-v"])
@example(["--top", "3", "--top", "4"])
@example(["--", "--json"])
@example(["", ""])
def test_what_is_read_quickly_means_the_same_there(really, arguments):
    quick = quick_options(arguments)
    if quick is not None:
        assert really(arguments) == quick


@given(st.text(max_size=12), st.booleans(), st.sampled_from([None, True, False]), st.integers(1, 20))
def test_the_common_forms_are_read_quickly(really, text, as_json, ai, top):
    arguments = [text, "--top", str(top)]
    arguments += ["--json"] * as_json + {None: [], True: ["--ai"], False: ["--no-ai"]}[ai]
    quick = quick_options(arguments)
    if text.startswith("-") and text != "-":
        assert quick is None
        return
    assert quick == AskOptions(text=text, top=top, as_json=as_json, ai=ai)
    assert really(arguments) == quick


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"], ["-h"], ["--top"], ["--top", "0"], ["--top", "21"], ["--top", "x"], ["--top", "-1"], ["--top=3"],
        ["--feedback"], ["--no-feedback"], ["a", "b"], ["--ai", "--no-ai"], ["--", "x"], ["-vv"], ["--nonsense"],
        ["-x", "y"], ["--top", "٣"],
    ],
)  # fmt: skip
def test_the_rest_is_left_to_the_library(arguments):
    assert quick_options(arguments) is None


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], AskOptions()),
        (["-"], AskOptions("-")),
        (["x"], AskOptions("x")),
        (["-v", "x", "--json"], AskOptions("x", as_json=True, verbose=True)),
        (["--ai"], AskOptions(ai=True)),
        (["--no-ai", "x"], AskOptions("x", ai=False)),
        (["--top", "20", ""], AskOptions("", top=20)),
    ],
)
def test_each_form_by_hand(really, arguments, options):
    assert quick_options(arguments) == options == really(arguments)
