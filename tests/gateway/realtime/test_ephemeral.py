"""The table of ephemeral keys: shared by workers, holding no key."""

from __future__ import annotations

import stat

import pytest

from mrblue_cli.gateway.model import CallError
from mrblue_cli.gateway.realtime.ephemeral import EphemeralKeys, Grant, read_beta_request, read_ga_request

SESSION = {"type": "realtime", "model": "m", "instructions": "hush"}


def test_a_key_of_one_worker_opens_the_door_at_another(tmp_path):
    path = tmp_path / "realtime.sqlite3"
    one, other = (EphemeralKeys(path, unix_now=lambda: 100.0) for _ in range(2))
    value, expires_at = one.mint("k", SESSION, 60)
    assert expires_at == 160
    assert other.find(value) == Grant(key_id="k", session=SESSION, expires_at=160.0)
    assert other.find(value + "x") is None
    one.close()
    other.close()
    assert value.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_expired_keys_are_swept_away():
    now = [0.0]
    keys = EphemeralKeys(None, unix_now=lambda: now[0])
    old = [keys.mint("k", SESSION, 10)[0] for _ in range(63)]
    now[0] = 11.0
    fresh, _ = keys.mint("k", SESSION, 10)
    assert [keys.find(value) for value in old] == [None] * 63
    assert keys.find(fresh) is not None
    assert keys._db.execute("SELECT count(*) FROM ephemeral_keys").fetchone() == (1,)
    keys.close()


def test_only_what_says_something_becomes_an_update():
    plain = Grant(key_id="k", session={"type": "realtime", "model": "m"}, expires_at=0)
    assert (plain.config, plain.model) == (None, "m")
    assert Grant(key_id="k", session=SESSION, expires_at=0).config == SESSION
    assert Grant(key_id="k", session={"type": "transcription"}, expires_at=0).model == ""


@pytest.mark.parametrize("body", [None, [], "x", 5, {"session": "x"}, {"session": {"audio": 5}}, {"expires_after": 5}])
def test_strange_bodies_are_refused(body):
    with pytest.raises(CallError):
        read_ga_request(body)


@pytest.mark.parametrize("body", [None, [], {"input_audio_format": "mp3"}, {"input_audio_format": {}}, {"model": []}])
def test_strange_beta_bodies_are_refused(body):
    with pytest.raises(CallError):
        read_beta_request(body)


def test_a_beta_session_is_kept_in_the_shape_of_today():
    session, seconds = read_beta_request(
        {"voice": "alloy", "temperature": 0.6, "client_secret": {"expires_after": {"seconds": 99}}}
    )
    assert session == {"type": "realtime", "audio": {"output": {"voice": "alloy"}}}
    assert seconds == 99
