"""`mrblue talk --headless` whole: the program, its engine as a child, the real models, JSON lines out."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mrblue_cli.audio.wav import parse_wav
from tests.speech_models import cache_folder

QUESTION = Path(__file__).parent.parent.parent / "mrblue_cli" / "data" / "question.wav"
JFK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
pytestmark = pytest.mark.speech


def talk(*args, stdin=None, timeout=90):
    env = {**os.environ, "MRBLUE_ENGINE_CACHE_FOLDER": str(cache_folder())}
    return subprocess.run(
        [sys.executable, "-m", "mrblue_cli", "talk", "--headless", "--engine", "local", *args],
        capture_output=True,
        text=True,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        env=env,
        timeout=timeout,
        check=False,
    )


def lines(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_spoken_question_is_heard_found_and_answered(tmp_path):
    output = tmp_path / "reply.wav"
    events = lines(talk("--input", str(QUESTION), "--output", str(output), "--json"))
    by_type = {}
    for event in events:
        by_type.setdefault(event["type"], []).append(event)
    assert by_type["session"] == [{"type": "session", "engine": "local", "model": "mrblue-local", "dialect": "ga"}]
    heard = [event for event in by_type["user_transcript"] if event["final"]][-1]["text"]
    assert "address already in use" in heard.lower()
    assert by_type["kb_hit"][-1]["id"] == "node/port-in-use"
    said = [event for event in by_type["assistant_transcript"] if event["final"]][-1]
    assert "port already in use" in said["text"]
    assert said["heard_ms"] is None
    (turn,) = by_type["turn"]
    assert turn["speech_end_ms"] < turn["commit_ms"] <= turn["first_audio_ms"] <= turn["first_sample_ms"]
    assert events[-1] == {"type": "end", "reason": "done"}
    assert len(parse_wav(output.read_bytes(), "reply.wav").samples) > 48_000


def test_real_human_speech_has_at_most_two_wrong_words(shared_data):
    events = lines(talk("--input", str(shared_data / "speech" / "jfk.wav"), "--json", timeout=120))
    heard = " ".join(e["text"] for e in events if e["type"] == "user_transcript" and e["final"])
    words = re.findall(r"[a-z]+", heard.lower())
    expected = JFK.split()
    distance = list(range(len(expected) + 1))
    for row, word in enumerate(words, 1):
        last, distance[0] = distance[0], row
        for column, other in enumerate(expected, 1):
            last, distance[column] = (
                distance[column],
                min(distance[column] + 1, distance[column - 1] + 1, last + (word != other)),
            )
    assert distance[-1] <= 2, heard


def test_text_from_a_pipe_in_words_for_people():
    done = talk(stdin="npm ERR! code EACCES\nnpm ERR! syscall mkdir\n")
    assert done.returncode == 0, done.stderr
    assert "Fix     npm may not write where it installs" in done.stdout
    assert "Blue    Found it" in done.stdout


def test_ctrl_c_ends_with_its_code_and_leaves_a_good_file(tmp_path):
    output = tmp_path / "reply.wav"
    env = {**os.environ, "MRBLUE_ENGINE_CACHE_FOLDER": str(cache_folder())}
    args = [sys.executable, "-m", "mrblue_cli", "talk", "--headless", "--engine", "local", "--json"]
    child = subprocess.Popen(
        [*args, "--text", "jwt expired", "--output", str(output)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=env,
        # A shell's background jobs inherit an ignored SIGINT; a person's terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - one call
    )  # fmt: skip
    for line in child.stdout:
        if json.loads(line).get("state") == "speaking":
            child.send_signal(signal.SIGINT)
            break
    rest = child.stdout.read()
    assert child.wait(20) == 130
    assert "Traceback" not in child.stderr.read()
    assert json.loads(rest.splitlines()[-1]) == {"type": "end", "reason": "interrupted"}
    parse_wav(output.read_bytes(), "reply.wav")
    child.stdout.close()
    child.stderr.close()
