"""`mrblue ask` from outside: its JSON, its exit codes, its words, and what it never does."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mrblue_cli.assistant.feedback import FeedbackStore
from mrblue_cli.knowledge.base import load_base
from mrblue_cli.knowledge.captures import fill
from tests.fakes.chat_server import ChatServer
from tests.fakes.terminal import Terminal
from tests.program import mrblue, python

PORT_ERROR = "Error: listen EADDRINUSE: address already in use :::3000"
SECRET = "hunter2" + "hunter2"
ESCAPE = "\x1b"


@pytest.fixture
def ask(ask_env):
    return lambda *args, stdin="", **more: mrblue("ask", *args, stdin=stdin, env=ask_env(**more))


@pytest.fixture
def data():
    folder = Path(os.environ["XDG_DATA_HOME"]) / "mrblue"
    folder.mkdir(parents=True)
    return folder


def config(text):
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "mrblue" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def two_lines(done, code):
    """What and what to do, and nothing more, on stderr."""
    assert done.returncode == code, done.stderr
    what, hint = done.stderr.splitlines()
    assert what.startswith("mrblue: ")
    assert hint.startswith("  → ")
    return what + hint


def test_the_json_holds_every_promised_key_and_type(ask):
    done = ask("--json", PORT_ERROR)
    assert (done.returncode, done.stderr) == (0, "")
    table = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert {"query", "category", "confident", "hits", "answer", "elapsed_ms"} <= set(table)
    assert table["query"] == PORT_ERROR
    assert isinstance(table["category"], str)
    assert table["confident"] is True
    assert table["answer"] is None
    assert isinstance(table["elapsed_ms"], float)
    assert 1 <= len(table["hits"]) <= 3
    confidences = [hit["confidence"] for hit in table["hits"]]
    assert confidences == sorted(confidences, reverse=True)
    for hit in table["hits"]:
        assert {
            "id", "title", "category", "confidence", "matched", "causes", "solutions", "sources"
        } <= set(hit)  # fmt: skip
        assert hit["id"].startswith(hit["category"] + "/")
        assert 0 <= hit["confidence"] <= 1
        for name in ("matched", "causes", "sources"):
            assert all(isinstance(text, str) for text in hit[name])
        for way in hit["solutions"]:
            assert {"title", "steps", "success_rate", "risk"} <= set(way)
            assert isinstance(way["success_rate"], int)
            assert 0 <= way["success_rate"] <= 100
            assert way["risk"] in {"safe", "changes", "destructive"}
            assert all(isinstance(step, str) for step in way["steps"])
    first = table["hits"][0]
    assert first["id"] == "node/port-in-use"
    assert first["solutions"][0]["risk"] != "destructive"
    assert "lsof -i :3000" in str(first["solutions"])


def test_nothing_found_has_the_same_keys_and_exit_code_1(ask):
    found, nothing = json.loads(ask("--json", PORT_ERROR).stdout), ask("--json", "best tango events in Buenos Aires")
    assert (nothing.returncode, nothing.stderr) == (1, "")
    table = json.loads(nothing.stdout)
    assert set(table) == set(found)
    assert table["confident"] is False
    assert table["category"] is None
    assert table["answer"] is None


@pytest.mark.parametrize("top", [1, 2, 5])
def test_at_most_top_hits(ask, top):
    hits = json.loads(ask("--json", "--top", str(top), "permission denied connection refused timeout").stdout)["hits"]
    assert len(hits) <= top


@pytest.mark.parametrize(
    ("args", "stdin", "code"),
    [
        ([PORT_ERROR], "", 0),
        (["-"], PORT_ERROR, 0),
        ([], PORT_ERROR, 0),
        (["404 people attended"], "", 1),
        (["-"], "", 2),
        (["-"], " \n", 2),
        ([""], "", 2),
        (["a", "b"], "", 2),
        (["--top", "0", "x"], "", 2),
        (["--nonsense", "x"], "", 2),
        ([], "", 1),
    ],
)
def test_exit_codes(ask, args, stdin, code):
    done = ask(*args, stdin=stdin)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if code == 2 or (not args and not stdin):
        two_lines(done, code)


def test_without_text_and_failures_it_says_how_to_get_some(ask):
    assert "shell-init" in two_lines(ask(), 1)


def test_without_text_the_last_failure_is_explained(ask, data):
    row = {"command": "npm start", "status": 1, "output": PORT_ERROR}
    crumb = {"place": "/srv", "action": "run", "time": 1.0, "metadata": row}
    (data / "breadcrumbs.jsonl").write_text(json.dumps(crumb) + "\n")
    table = json.loads(ask("--json").stdout)
    assert table["query"] == PORT_ERROR
    assert table["hits"][0]["id"] == "node/port-in-use"
    assert "npm start (exit status 1)" in ask("--verbose").stderr


def test_a_faulty_configuration_is_exit_code_3_that_names_it(ask):
    config("[ask]\ntopp = 3\n")
    assert "top" in two_lines(ask("x"), 3)


def test_a_faulty_entry_of_the_user_is_exit_code_3_that_names_it(ask, tmp_path):
    (tmp_path / "kb" / "mine").mkdir(parents=True)
    (tmp_path / "kb" / "mine" / "bad.yaml").write_text("title: 7\n")
    config(f'[knowledge]\nfolders = ["{tmp_path / "kb"}"]\n')
    assert "bad.yaml" in two_lines(ask("x"), 3)


def test_plain_output_has_the_fix_and_no_escape_codes(ask):
    done = ask(PORT_ERROR, TERM="xterm-256color", FORCE_COLOR="1", COLORTERM="truecolor")
    assert ESCAPE not in done.stdout
    assert done.stdout.startswith("Port already in use")
    assert "node/port-in-use" in done.stdout
    assert "lsof -i :3000" in done.stdout
    assert "by the editor's estimate" in done.stdout
    assert "https://" in done.stdout
    assert not [line for line in done.stdout.splitlines() if line != line.rstrip()]


def test_escape_codes_of_the_question_do_not_come_back(ask):
    done = ask(f"{ESCAPE}]0;evil\x07{ESCAPE}[31m{PORT_ERROR}{ESCAPE}[0m")
    assert done.returncode == 0
    assert ESCAPE not in done.stdout


def test_a_type_without_an_entry_gives_general_checks(ask):
    text = "the frobnicator said sigill"
    table = json.loads(ask("--json", text).stdout)
    assert (table["confident"], table["error_type"]) == (False, "crashed")
    done = ask(text)
    assert done.returncode == 1
    assert done.stdout.startswith("No entry fits well enough. It looks like: crashed")
    for check in table["checks"]:
        assert check in done.stdout


def on_terminal(env, *args, **more):
    with Terminal([sys.executable, "-m", "mrblue_cli", "ask", *args], env=env(**more)) as terminal:
        terminal.wait()
        return terminal


def test_a_terminal_gets_colours_and_links(ask_env):
    terminal = on_terminal(ask_env, "--no-feedback", PORT_ERROR, TERM="xterm-256color", NO_COLOR=None)
    assert terminal.status == 0
    assert f"{ESCAPE}[" in terminal.text
    assert f"{ESCAPE}]8;" in terminal.text
    assert "lsof -i :3000" in re.sub(r"\x1b\[[0-9;]*m", "", terminal.text)


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colours_gets_none(ask_env, more):
    terminal = on_terminal(ask_env, "--no-feedback", PORT_ERROR, **more)
    assert terminal.status == 0
    assert ESCAPE not in terminal.text
    assert "lsof -i :3000" in terminal.text


@pytest.mark.parametrize(("key", "tally"), [("w", (1, 0)), ("f", (0, 1)), ("x", None), ("\r", None)])
def test_one_key_after_a_hit_is_kept(ask_env, data, key, tally):
    command = [sys.executable, "-m", "mrblue_cli", "ask", PORT_ERROR]
    with Terminal(command, env=ask_env()) as terminal:
        terminal.expect("Did it help?")
        terminal.type(key)
        assert terminal.wait() == 0
    kept = FeedbackStore(data / "feedback.db").tallies()
    assert [(one.worked, one.failed) for one in kept.values()] == ([tally] if tally else [])
    assert all(entry == "node/port-in-use" for entry, _ in kept)


def test_the_question_for_a_key_can_be_switched_off(ask_env):
    config("[ask]\nfeedback_prompt = false\n")
    assert "Did it help" not in on_terminal(ask_env, PORT_ERROR).text


HOSTILE = [
    "$(touch {0})",
    "`touch {0}`",
    "; touch {0} ;",
    "&& touch {0}",
    "| touch {0}",
    "\ntouch {0}\n",
    "' ; touch {0} '",
]
TEMPLATES = [
    "ModuleNotFoundError: No module named 'x{0}'",
    "Error: listen EADDRINUSE: address already in use :::3000{0}",
    "Error: Cannot find module './x{0}'",
    "bash: ./x{0}: Permission denied",
    "error: pathspec 'x{0}' did not match any file(s) known to git",
    "fatal: A branch named 'x{0}' already exists.",
    'docker: Error response from daemon: Conflict. The container name "/x{0}" is already in use by container',
    "ssh: Could not resolve hostname x{0}: Name or service not known",
]


def test_values_out_of_an_error_text_cannot_smuggle_commands_into_steps(tmp_path, index_cache):
    """Searched in this process; every step is read the way a shell would."""
    base = load_base(cache=index_cache / "mrblue")
    proof = str(tmp_path / "proof")
    captured = 0
    for template in TEMPLATES:
        captured += any(hit.captures for hit in base.search(template.format("")).hits)
        for attack in HOSTILE:
            text = template.format(attack.format(proof))
            for hit in base.search(text, top=5).hits:
                steps = [step for way in hit.solutions for step in way.steps]
                assert not [step for step in steps if proof in unquoted(step)], text
    assert captured >= 5


def unquoted(step):
    """A step without what stands in single quotes."""
    return re.sub(r"'[^']*'", "", step)


def test_a_hostile_value_that_does_enter_a_step_is_quoted():
    for value in ("a b", "~/x y", "a;b", "$(x)", "`x`", "-rf", "a\nb", "'", "a'b"):
        step = fill("cat {file}", {"file": value})
        assert step == "cat <FILE>" or shlex.split(step) == ["cat", value]


HEAVY = ("textual", "numpy", "openai", "websockets", "typer", "yaml", "msgspec", "rich", "sqlite3", "asyncio", "httpx")
LOADED = f"""
import sys
from mrblue_cli.cli.entry import main
try:
    main()
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize("args", [["--json", PORT_ERROR], [PORT_ERROR], ["nothing that fits"], ["-v", PORT_ERROR]])
def test_nothing_heavy_is_loaded(ask_env, args):
    env = ask_env()
    python(LOADED.replace("import sys\n", f"import sys; sys.argv = ['mrblue', 'ask', *{args!r}]\n", 1), env=env)
    done = python(LOADED.replace("import sys\n", f"import sys; sys.argv = ['mrblue', 'ask', *{args!r}]\n", 1), env=env)
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_reader_who_leaves_is_no_error(ask_env):
    command = (
        f'{shlex.quote(sys.executable)} -m mrblue_cli ask "{PORT_ERROR}" --top 20 | head -n 1; echo ${{PIPESTATUS[0]}}'
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=ask_env(), check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"


def test_verbose_tells_the_stages_with_times_status_and_levels(ask):
    done = ask("--verbose", PORT_ERROR)
    rows = done.stderr.splitlines()
    assert all(re.match(r" *\d+\.\d{3}  (active|reviewing|escalated|idle)", row) for row in rows)
    for words in ("understanding context", "analysing intent", "generating the response", "validating quality"):
        assert any(words in row for row in rows)
    assert re.search(r"  (high|medium|low)$", done.stderr, re.MULTILINE)
    assert [float(row.split()[0]) for row in rows] == sorted(float(row.split()[0]) for row in rows)
    assert "understanding context" not in done.stdout


def test_binary_rubbish_and_long_logs_are_taken(ask):
    log = "INFO all well\n" * 5000 + PORT_ERROR + "\n" + "    at Server.listen (node:net:1)\n" * 20
    assert json.loads(ask("-", "--json", stdin=log).stdout)["hits"][0]["id"] == "node/port-in-use"
    done = ask("-", "--json", stdin=bytes(range(256)) * 50)
    assert done.returncode in {0, 1}
    assert json.loads(done.stdout)


# --- a model is asked


def test_ai_without_a_key_is_one_clear_line(ask):
    done = ask("--ai", "--json", PORT_ERROR)
    assert "OPENAI_API_KEY" in two_lines(done, 3)
    assert json.loads(done.stdout)["answer"] is None
    shown = ask("--ai", PORT_ERROR)
    assert "lsof" in shown.stdout
    two_lines(shown, 3)


def test_ai_answers_below_the_hits(ask):
    headers = {"x-mrblue-provider": "groq", "x-mrblue-cache": "hit-exact", "x-mrblue-cost-usd": "0.0025"}
    with ChatServer(("Kill it: ", "see [node/port-in-use]."), headers=headers) as server:
        done = ask("--ai", PORT_ERROR, BIFROST_BASE_URL=server.url)
        assert done.returncode == 0
        assert done.stdout.index("lsof -i :3000") < done.stdout.index("Kill it: see [node/port-in-use].")
        assert "— m-1 at groq, from the gateway's cache, $0.0025; used: node/port-in-use" in done.stdout
        table = json.loads(ask("--ai", "--json", PORT_ERROR, BIFROST_BASE_URL=server.url.removesuffix("/v1")).stdout)
    assert {"text", "provider", "model", "cached", "cost_usd"} <= set(table["answer"])
    assert table["answer"]["text"] == "Kill it: see [node/port-in-use]."
    assert table["answer"]["provider"] == "groq"
    assert table["answer"]["model"] == "m-1"
    assert table["answer"]["cached"] is True
    assert table["answer"]["cost_usd"] == 0.0025
    assert table["answer"]["entries"] == ["node/port-in-use"]
    assert "node/port-in-use" in server.prompt[0]
    assert PORT_ERROR in server.prompt[1]


def test_the_openai_key_never_goes_to_another_server(ask):
    with ChatServer() as server:
        ask("--ai", PORT_ERROR, BIFROST_BASE_URL=server.url, OPENAI_API_KEY=SECRET)
        ask("--ai", PORT_ERROR, BIFROST_BASE_URL=server.url, MRBLUE_CHAT_API_KEY="sk-chat")
    assert len(server.requests) == 2
    assert SECRET not in str(server.requests)
    assert server.requests[1][0]["authorization"] == "Bearer sk-chat"


def test_by_configuration_a_model_is_asked_only_when_nothing_fits(ask):
    with ChatServer(("It depends.",)) as server:
        config(f'[ask]\nai = "fallback"\n[chat]\nbase_url = "{server.url}"\nmodel = "tiny"\n')
        assert ask(PORT_ERROR).returncode == 0
        assert server.requests == []
        done = ask("flumox glorp zibble")
        assert done.returncode == 0
        assert "It depends." in done.stdout
        assert server.requests[0][1]["model"] == "tiny"
        assert ask("flumox glorp zibble", "--no-ai").returncode == 1
        assert len(server.requests) == 1
        config(f'[ask]\nai = "always"\n[chat]\nbase_url = "{server.url}"\n')
        ask(PORT_ERROR)
        assert len(server.requests) == 2


def test_a_fallback_that_fails_leaves_the_exit_code_alone(ask):
    with ChatServer(status=500) as server:
        config(f'[ask]\nai = "fallback"\n[chat]\nbase_url = "{server.url}"\n')
        two_lines(ask("flumox glorp zibble"), 1)
        two_lines(ask("--ai", PORT_ERROR), 5)


def test_nobody_there_is_exit_code_5(ask):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    assert "cannot be reached" in two_lines(ask("--ai", PORT_ERROR, BIFROST_BASE_URL=url), 5)


def test_a_refused_key_is_exit_code_5_and_not_shown(ask):
    with ChatServer(status=401) as server:
        done = ask("--ai", "--debug", PORT_ERROR, BIFROST_BASE_URL=server.url, MRBLUE_CHAT_API_KEY=SECRET)
        plain = ask("--ai", PORT_ERROR, BIFROST_BASE_URL=server.url, MRBLUE_CHAT_API_KEY=SECRET)
    assert "refused the key" in two_lines(plain, 5)
    assert SECRET not in plain.stdout + plain.stderr + done.stdout + done.stderr


def test_an_answer_that_breaks_off_says_so(ask):
    with ChatServer(("Half an ", "answer"), cut_after=1) as server:
        done = ask("--ai", "-v", PORT_ERROR, BIFROST_BASE_URL=server.url)
        table = json.loads(ask("--ai", "--json", PORT_ERROR, BIFROST_BASE_URL=server.url).stdout)
    assert "cut off before its end" in done.stdout
    assert "broke off" in done.stderr
    assert "escalated" in done.stderr
    assert table["answer"]["complete"] is False


@pytest.mark.parametrize(
    ("role", "mode", "code", "crumbs"),
    [
        ("god", "global", 0, True),
        ("admin", "chat", 0, False),
        ("user", "chat", 3, None),
        ("moderator", "visual_editor", 3, None),
    ],
)
def test_roles_and_modes_decide(ask, data, role, mode, code, crumbs):
    row = {"place": "/srv/shop", "action": "command", "time": 1.0, "metadata": {"command": "zorgblat -x", "status": 1}}
    (data / "breadcrumbs.jsonl").write_text(json.dumps(row) + "\n")
    config(f'[assistant]\nrole = "{role}"\nmode = "{mode}"\n')
    with ChatServer() as server:
        done = ask("--ai", PORT_ERROR, BIFROST_BASE_URL=server.url)
    assert done.returncode == code
    assert "lsof" in done.stdout
    if code:
        assert f"role {role} in mode {mode}" in done.stderr
        assert server.requests == []
    else:
        assert ("zorgblat -x" in server.prompt[0]) is crumbs


# --- feedback


def test_feedback_is_counted_shown_and_exported(ask, ask_env):
    def feedback(*args):
        return mrblue("feedback", *args, env=ask_env())

    title = json.loads(ask("--json", PORT_ERROR).stdout)["hits"][0]["solutions"][0]["title"]
    assert json.loads(feedback("--export").stdout) == {"format": "mrblue-feedback-1", "reports": []}
    for outcome in ("worked", "worked", "failed"):
        assert feedback("node/port-in-use", outcome).returncode == 0
    assert feedback("node/port-in-use", "worked").stdout == f"{title}: worked 3 of 4 here\n"
    way = json.loads(ask("--json", PORT_ERROR).stdout)["hits"][0]["solutions"]
    reported = next(one for one in way if one["title"] == title)
    assert reported["reports"] == {"worked": 3, "failed": 1}
    assert all(one["reports"] is None for one in way if one["title"] != title)
    assert "worked 3 of 4 times here" in ask(PORT_ERROR).stdout
    assert json.loads(feedback("--export").stdout)["reports"] == [
        {"entry": "node/port-in-use", "solution": title, "worked": 3, "failed": 1}
    ]


def test_failures_move_a_way_down(ask, ask_env):
    before = [way["title"] for way in json.loads(ask("--json", PORT_ERROR).stdout)["hits"][0]["solutions"]]
    for _ in range(12):
        FeedbackStore(Path(os.environ["XDG_DATA_HOME"]) / "mrblue" / "feedback.db").add(
            "node/port-in-use", before[0], worked=False
        )
    after = json.loads(ask("--json", PORT_ERROR).stdout)["hits"][0]["solutions"]
    assert after[0]["title"] != before[0]
    risks = [way["risk"] == "destructive" for way in after]
    assert risks == sorted(risks)


@pytest.mark.parametrize(
    "args",
    [
        ["feedback"],
        ["feedback", "node/port-in-use"],
        ["feedback", "node/port-in-use", "perhaps"],
        ["feedback", "no/such-entry", "worked"],
        ["feedback", "node/port-in-use", "worked", "--solution", "99"],
    ],
)
def test_feedback_that_makes_no_sense_is_refused(ask_env, args):
    two_lines(mrblue(*args, env=ask_env()), 2)


def test_a_damaged_record_does_not_stop_an_answer_but_is_named_by_feedback(ask, ask_env, data):
    (data / "feedback.db").write_bytes(b"rubbish" * 1000)
    assert ask(PORT_ERROR).returncode == 0
    assert "feedback.db" in two_lines(mrblue("feedback", "node/port-in-use", "worked", env=ask_env()), 3)
    assert "feedback.db" in two_lines(mrblue("feedback", "--export", env=ask_env()), 3)
