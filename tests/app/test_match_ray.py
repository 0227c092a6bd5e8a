"""The search over Ray: two workers of this machine find what threads find, to the bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile

import numpy as np
import psutil
import pytest

from mrblue_cli.app.match_search import best
from mrblue_cli.matcher.recipe import make_recipe
from tests.matcher.topk.crowds import crowd
from tests.program import environment, python

pytest.importorskip("ray")

_SPREAD = """
import json, sys, warnings
from mrblue_cli.app.match_search import best
from mrblue_cli.matcher.recipe import make_recipe
from tests.matcher.topk.crowds import crowd
import ray
workers = set()
for people, weights in ((3100, {}), (90, {"wishes": 0.1})):
    seen = []
    found = best(
        crowd(people, seed=21), make_recipe(weights), 5, engine="ray", workers=2,
        on_progress=lambda done, total: seen.append(done),
    )
    scores = [[value.hex() for value in row] for row in found.scores.tolist()]
    print("RESULT", json.dumps([found.rows.tolist(), scores, seen]))
assert not ray.is_initialized()
"""


def run_with_ray(code, timeout=100):
    """In a process of its own, whose children all end with it. Ray's sockets need a short path."""
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        env = environment(RAY_TMPDIR=folder, RAY_USAGE_STATS_ENABLED="0", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0")
        child = subprocess.Popen(
            [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started = []
        try:
            out, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            started = psutil.Process(child.pid).children(recursive=True)
            child.kill()
            raise
        finally:
            # Ray ends its own processes; those of a run that hangs are ended here, by their ids.
            for process in started:
                if process.is_running():
                    os.kill(process.pid, signal.SIGKILL)
        assert child.returncode == 0, err
        return out


def test_two_workers_find_the_same_to_the_bit():
    lines = [line.removeprefix("RESULT ") for line in run_with_ray(_SPREAD).splitlines() if line.startswith("RESULT ")]
    assert len(lines) == 2
    for line, (people, weights) in zip(lines, ((3100, {}), (90, {"wishes": 0.1})), strict=True):
        rows, scores, seen = json.loads(line)
        expected = best(crowd(people, seed=21), make_recipe(weights), 5, workers=2)
        assert rows == expected.rows.tolist()
        assert scores == [[value.hex() for value in row] for row in expected.scores.tolist()]
        assert (seen[0], seen[-1]) == (0, people)
        assert len(seen) > 2
        assert np.isfinite(expected.scores).any()


_NO_RAY = """
import sys
sys.modules["ray"] = None
from mrblue_cli.app.match_search import best
from mrblue_cli.core.errors import MissingPart
from mrblue_cli.matcher.recipe import make_recipe
from tests.matcher.topk.crowds import crowd
try:
    best(crowd(5), make_recipe(), 2, engine="ray")
except MissingPart as error:
    print(error.what, error.hint)
"""


def test_without_ray_it_says_what_to_install():
    told = python(_NO_RAY).stdout
    assert "Ray is not installed" in told
    assert "mrblue-cli[ray]" in told


_NO_CLUSTER = """
from mrblue_cli.app.match_search import best
from mrblue_cli.core.errors import ConnectError
from mrblue_cli.matcher.recipe import make_recipe
from tests.matcher.topk.crowds import crowd
try:
    best(crowd(5), make_recipe(), 2, engine="ray", ray_address="ray-nonsense")
except ConnectError as error:
    print("TOLD", error.what, "|", error.hint)
"""


def test_a_cluster_that_does_not_answer_is_named():
    told = run_with_ray(_NO_CLUSTER)
    assert "TOLD the Ray cluster ray-nonsense does not answer" in told
    assert "--ray-address" in told
