"""Made-up secrets in the commands in which real ones stand; ordinary commands stay as they are."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mrblue_cli.assistant.redact import HIDDEN, redact

# Glued together here, so that no scanner of repositories takes them for real ones.
GITHUB = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
OPENAI = "sk-" + "proj-Ab3dEf6hIj9kLmN0pQrStUvWxYz12345_abcdEF-ghi"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
PEM = "-----BEGIN {0}PRIVATE KEY{1}-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQ\n-----END {0}PRIVATE KEY{1}-----"

SECRETS = [
    ("psql postgres://shop:h4nt0mas@db.local/shop", "h4nt0mas", "postgres://shop:"),
    ("psql postgres://shop:h4nt@mas@db.local/shop", "mas@", "@db.local/shop"),
    ("redis-cli -u redis://:h4nt0mas@127.0.0.1:6379", "h4nt0mas", "@127.0.0.1:6379"),
    ("git clone https://oauth2:zz99topsecret@gitlab.com/a/b.git", "zz99topsecret", "@gitlab.com/a/b.git"),
    ("curl -H 'Authorization: Bearer abc.def-123' https://x.test", "abc.def-123", "https://x.test"),
    ("curl -H 'Authorization: Basic dXNlcjpwYXNz' https://x.test", "dXNlcjpwYXNz", "https://x.test"),
    ("http x.test Authorization:abc123456", "abc123456", "http x.test"),
    ("curl -H 'Cookie: id=1; session=zzz999' x.test", "zzz999", "x.test"),
    ("grpcurl -d bearer\tabcdefgh12345 x", "abcdefgh12345", "grpcurl"),
    ("PASSWORD=hunter2 ./run", "hunter2", "./run"),
    ("DB_PASS=hunter2 ./run", "hunter2", "./run"),
    ("export PGPASSWORD='two words'; psql", "two words", "; psql"),
    ('export MY_SECRET="two \\" words" && ls', "words", "&& ls"),
    ("export MY_SECRET=ab'c d'ef && ls", "ef", "&& ls"),
    ("export MY_SECRET='it'\\''s mine' && ls", "mine", "&& ls"),
    ('export MY_SECRET="never closed', "never closed", "export MY_SECRET="),
    ("PASSWORD=abc,def,ghi ./run", "ghi", "./run"),
    ("PASSWORD=-abc ./run", "-abc", "./run"),
    ("STRIPE_API_KEY=51Habc ./run", "51Habc", "./run"),
    ("apikey: 51Habc", "51Habc", "apikey"),
    ('curl -d \'{"password": "pa ss", "user": "me"}\' x', "pa ss", '"user": "me"'),
    ('curl -d \'{"token":"abc123"}\' x', "abc123", "x"),
    ("curl 'https://x.test/?access_key=abc123&page=2'", "abc123", "&page=2"),
    ('curl -H "X-Api-Key: abc123" -H "Accept: text/html" x', "abc123", 'Accept: text/html" x'),
    ("mycli --password hunter2 --verbose", "hunter2", "--verbose"),
    ("mycli --password=hunter2 --verbose", "hunter2", "--verbose"),
    ("mycli --db-password 'hunter 2' --verbose", "hunter 2", "--verbose"),
    ("mycli -token hunter2", "hunter2", "mycli"),
    ("mycli --client-secret hunter2", "hunter2", "mycli"),
    ("mycli --auth hunter2", "hunter2", "mycli"),
    ("helm install --set db.auth.password=hunter2 x", "hunter2", "helm install"),
    ("java -Djavax.net.ssl.keyStorePassword=hunter2 -jar x.jar", "hunter2", "-jar x.jar"),
    ("kubectl create secret generic db --from-literal=password=hunter2", "hunter2", "kubectl create secret generic db"),
    ("openssl rsa -passin pass:hunter2 -in key.pem", "hunter2", "-in key.pem"),
    ("npm config set //registry.npmjs.org/:_authToken=abc-123", "abc-123", "registry.npmjs.org"),
    ("mysql -uroot -phunter2 shop", "hunter2", "shop"),
    ("mysql -uroot -p'hunter 2' shop", "2'", "shop"),
    ("mysqldump --all-databases -h db -phunter2 > all.sql", "hunter2", "> all.sql"),
    ("curl -u me:hunter2 https://x.test", "hunter2", "https://x.test"),
    ('curl -s --user "me:hunter 2" https://x.test', "2", "https://x.test"),
    ("curl -u 'me:hunter 2' https://x.test", "2", "https://x.test"),
    ("sshpass -p hunter2 ssh me@host", "hunter2", "ssh me@host"),
    ("sshpass -p 'hunter 2' ssh me@host", "2'", "ssh me@host"),
    ("docker login -u me -p hunter2 registry.test", "hunter2", "registry.test"),
    ("redis-cli -h db -a hunter2 ping", "hunter2", "ping"),
    (f"aws configure set aws_secret_access_key {AWS_SECRET}", AWS_SECRET, "aws configure"),
    (f"echo {OPENAI} | pbcopy", OPENAI[8:], "| pbcopy"),
    ("echo sk-ant-" + "api03-abcdefGHIJKLmnop0123456789-_xyz", "xyz", "echo"),
    ("stripe listen rk_" + "live_51HabcdefGHIJKLmnop", "51Habc", "stripe listen"),
    (f"echo {GITHUB} > f", GITHUB, "> f"),
    (f"echo {GITHUB}_ > f", GITHUB, "> f"),
    ("echo github_pat_" + "11ABCDEFG0abcdefghijkl_xyz", "11ABC", "echo"),
    ("echo glpat-" + "abcdefGHIJ_123456789", "abcdef", "echo"),
    (f"echo {AWS} > f", AWS, "> f"),
    ("echo AIza" + "SyA1234567890abcdefghijklmnopqrstuv", "SyA123", "echo"),
    ("echo gsk_" + "abcdefghijklmnopqrstuvwx", "abcdef", "echo"),
    ("echo xoxb-" + "123456789012-abcdefGHI", "123456789012", "echo"),
    ("echo hf_" + "abcdefghijklmnopqrstuvwx", "abcdef", "echo"),
    ("echo npm_" + "abcdefghijklmnopqrstuvwxyz0123456789", "abcdef", "echo"),
    ("twine upload x pypi-" + "AgEIcHlwaS5vcmcCJDU2", "AgEI", "twine upload x"),
    ("echo dckr_pat_" + "abcdefghijklmnopqrst", "abcdef", "echo"),
    (f"jwt decode {JWT} -v", JWT[40:], "-v"),
    (f"cat <<E\n{PEM.format('RSA ', '')}\nE", "hkiG9w0BAQ", "E"),
    (f"cat <<E\n{PEM.format('', '')}\nE", "hkiG9w0BAQ", "E"),
    (f"cat <<E\n{PEM.format('PGP ', ' BLOCK')}\nE", "hkiG9w0BAQ", "E"),
    ("echo '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNza", "b3BlbnNza", "echo"),
]


@pytest.mark.parametrize(("command", "secret", "kept"), SECRETS)
def test_a_secret_goes_and_the_rest_stays(command, secret, kept):
    clean = redact(command)
    assert secret in command
    assert secret not in clean
    assert HIDDEN in clean
    assert kept in clean


@pytest.mark.parametrize("command", [command for command, _, _ in SECRETS])
def test_redacting_a_command_twice_changes_nothing(command):
    assert redact(redact(command)) == redact(command)


ORDINARY = """
git commit -m "fix token parsing"
ls -la
cd ~/projects && make test
npm run build -- --author me
git log --author=me --since=yesterday
git -c user.name=me -c user.email=me@x.test commit --author "Me <me@x.test>"
docker run -v $PWD:/app -v ./secrets:/run/secrets:ro image
docker run -v ${HOME}/token:/token image
docker login ghcr.io -u me --password-stdin
mkdir -p a/b/c
ssh -p 2222 me@host
rsync -avz me@host:/srv/data .
cp -p a b
mysql -P 3306 -u root shop
curl -o out.json https://x.test:8443/a/b
curl --user-agent Mozilla:5 https://x.test
redis-cli -h 127.0.0.1 -p 6379 ping
kubectl get secret db -o yaml
kubectl create token my-account
cargo test auth::tests::refreshes
TypeError: x is undefined at login (src/auth.js:33:10)
src/token.rs:12:5: error[E0308]: mismatched types
3 passed: 1 warning
openai api --max-tokens 100
max_tokens: 4096 is too large
--max_tokens=100
python -m tokenize x.py
pass
passenger start --port 3000
certificate-authority=ca.pem
the asiatic languages
bypass --compass-mode
SyntaxError: Unexpected token '<', "<!DOCTYPE "... is not valid JSON
Error: listen EADDRINUSE: address already in use :::3000
task-force-one-and-a-very-long-branch-name
bearer of bad news
""".strip().splitlines()


@pytest.mark.parametrize("command", ORDINARY)
def test_ordinary_commands_stay(command):
    assert redact(command) == command


PIECES = st.sampled_from(
    [
        "password", "TOKEN", "--token", "-p", "mysql", "curl", "-u", "docker login", "sshpass", "redis-cli -a",
        "Authorization", "authorization:", "bearer", "basic", "cookie:", "auth", "author", "pass", "tokens", "=", ":",
        "::", " ", "  ", "\n", "\t", '"', "'", "\\", ",", ";", "&", "|", "/", "@", "://", "a", "b1", "-", "--", ".",
        "_", "$", "{", "}", "[", "]", "x:y", "http://u", HIDDEN, "sk-", "0123456789abcdefg", "ghp_", "eyJ",
        "eyJabcdefgh.",
        "AKIAABCDEFGHIJKL", "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", "aws_session_token ",
    ]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES, max_size=14).map("".join)))
@example('{"token":"abc"}')
@example("token: bearer abcdefghijk")
@example("authorization: bearer bearer abc")
def test_redacting_twice_changes_nothing(text):
    once = redact(text)
    assert redact(once) == once


WORDS = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_.+/%^*!", min_size=6, max_size=30)


@given(WORDS, st.sampled_from([line for line in ORDINARY if '"' not in line and "'" not in line]))
def test_a_named_secret_never_survives(secret, before):
    secret = f"Zq{secret}Zq"
    for form in (
        f"PASSWORD={secret}", f"--password {secret}", f"--api-key={secret}", f'"token": "{secret}"',
        f"secret: {secret}",
        f"Authorization: Bearer {secret}", f"mysql -u me -p{secret}", f"curl -u me:{secret} x", f"sshpass -p {secret}",
    ):  # fmt: skip
        clean = redact(f"{before}\n{form}")
        assert secret not in clean
        assert "Zq" not in clean
        assert clean.startswith(before)


@given(st.from_regex(r"[a-z]{1,12}( [a-z]{1,12}){0,8}", fullmatch=True))
def test_prose_stays(text):
    words = {"bearer", "authorization", "cookie"}
    if not words & set(text.split()):
        assert redact(text) == text


@pytest.mark.parametrize(
    "seed",
    [
        "a-", "a.", "a", "token", "token-", "-token", "-token ", "--token-", "token='", 'token="', "token=\\",
        "a://", "a://b:", "a://b:c@", "sk-", "sk-a", "eyJ-", "eyJabcdefgh.", "mysql ", "mysql -", "curl ", "curl -u a",
        "sshpass ", "docker login ", "docker ", "redis-cli ", "bearer ", "authorization:", "authorization ",
        "cookie:", " ",
        "\t", "\n", "=", ":", "'", '"', "\\", "-----BEGIN ", "-----BEGIN RSA PRIVATE KEY-----", "AKIA", "AIza",
        "pass", "tokens ",
        "aws_session_token ", "a'b", "token=a'b", "token=a,", "token=$",
    ],
)  # fmt: skip
def test_hostile_text_is_no_trap(seed):
    """100 kB each: quadratic time would run into the timeout of the test, many times over."""
    redact((seed * (100_000 // len(seed) + 1))[:100_000])
    redact(("x" + seed * (100_000 // len(seed) + 1))[:100_000] + "\x00")
