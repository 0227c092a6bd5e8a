"""Secrets taken out of text before it is written or sent: commands, breadcrumbs, prompts.

Every repetition is bounded, possessive, or begins where a word begins: hostile text takes time in proportion to its
length, not to its square.
"""

from __future__ import annotations

import re

HIDDEN = "[redacted]"
_ROUNDS = 4
"""A replacement may bring another secret to light; each round takes characters away, so it soon ends."""

_NAMED = (
    r"(?:password|passwd|passphrase|(?<!by)(?<!com)pass(?!ed|es|en|ing|thr|-thr|_thr|ive|port|age)|pwd|secret"
    r"|token(?!iz|s\W{0,3}\d)|api[_-]?key|access[_-]?key|auth(?!or(?!i[sz]))|credential|private[_-]?key"
    r"|session[_-]?key|bearer|cookie)"
)
_NAME = rf"[\w.-]{{0,100}}?{_NAMED}[\w-]{{0,60}}+"
_UNSEEN = r"(?!\[redacted\])"
_VALUE = (
    rf"{_UNSEEN}(?:"
    # Quoted, also where the end is missing, with what is glued to it: 'it'\''s'
    r"(?:\"(?:\\.|[^\"\\\n])*+\"?|'[^'\n]*+'?)(?:\\.|\w|'[^'\n]*'|\"[^\"\n]*\")*+"
    # Bare; a quote inside belongs to it when text follows at once: ab'c d'ef
    r"|[^\s;&|'\",](?:[^\s;&|'\",]|,(?=[^\s'\"])|'(?=[^\s',;:)}\]])[^'\n]*'|\"(?=[^\s\",;:)}\]])[^\"\n]*\")*+)"
)
_ON = r"[^\n|;]{0,200}?"
_PEM = r"[A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_USER = r"(?:-u|--user|--proxy-user)[= ]?"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in (
        (
            rf"-----BEGIN {_PEM}.*?(?:-----END {_PEM}|\Z)",
            HIDDEN,
        ),
        # The user's part of an address: scheme://name:secret@host
        (rf"((?<![\w+.-])[a-z][a-z0-9+.-]{{0,30}}://[^\s:/@]*+):{_UNSEEN}[^\s/]+@", rf"\1:{HIDDEN}@"),
        (rf"(\bauthorization\s{{0,4}}[:=]\s{{0,4}})(?:[\w-]++[ \t]+)?{_UNSEEN}[^\s'\"]+", rf"\1{HIDDEN}"),
        (rf"(\bcookie:[ \t]*+){_UNSEEN}[^\n'\"]+", rf"\1{HIDDEN}"),
        (r"\b(bearer\s{1,4})[A-Za-z0-9._~+/=-]{8,}", rf"\1{HIDDEN}"),
        # NAME=value, "name": "value", name: value. Not $NAME:, name::path, name:/mount, mount:ro
        (rf"((?<![\w.$-]){_NAME}['\"]?[ \t]*+(?:=|:(?![/:]|r[ow]\b))[ \t]*+){_VALUE}", rf"\1{HIDDEN}"),
        # --password value
        (rf"((?<![\w-])--?{_NAME}[ \t]++)(?!-){_VALUE}", rf"\1{HIDDEN}"),
        (rf"(\baws_(?:secret_access_key|session_token)[ \t]++){_VALUE}", rf"\1{HIDDEN}"),
        # mysql -pSECRET, curl -u name:secret, sshpass -p secret, docker login -p secret, redis-cli -a secret
        (
            rf"(\b(?:mysql|mysqldump|mariadb|mariadb-dump|mysqladmin)\b[^\n|;]{{0,400}}?\s(?-i:-p)){_VALUE}",
            rf"\1{HIDDEN}",
        ),
        (rf"(\bcurl\b[^\n|;]{{0,400}}?\s{_USER}'[^\n:']{{1,100}}):[^\n']+", rf"\1:{HIDDEN}"),
        (rf"(\bcurl\b[^\n|;]{{0,400}}?\s{_USER}\"[^\n:\"]{{1,100}}):[^\n\"]+", rf"\1:{HIDDEN}"),
        (rf"(\bcurl\b[^\n|;]{{0,400}}?\s{_USER}[^\s:'\"]{{1,100}}):[^\s'\"]+", rf"\1:{HIDDEN}"),
        (rf"(\bsshpass\b[^\n|;]{{0,100}}?\s(?-i:-p)[ \t]*+){_VALUE}", rf"\1{HIDDEN}"),
        (
            rf"(\b(?:docker|podman|helm|oras)\b{_ON}\blogin\b{_ON}\s(?-i:-p)[= ]?){_VALUE}",
            rf"\1{HIDDEN}",
        ),
        (rf"(\bredis-cli\b[^\n|;]{{0,200}}?\s(?-i:-a)[ \t]++){_VALUE}", rf"\1{HIDDEN}"),
        # Shapes of well-known keys
        (r"\b(?:sk|pk|rk)[-_](?=[\w-]{0,200}[A-Za-z0-9]{16})[\w-]+", HIDDEN),
        (r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}", HIDDEN),
        (
            r"\b(?-i:(?:AKIA|ASIA)[A-Z0-9]{12,})|\bAIza[\w-]{30,}|\bgsk_\w{20,}|\bxox[abeprs]-[\w-]{10,}|\bhf_\w{20,}",
            HIDDEN,
        ),
        (r"\bnpm_[A-Za-z0-9]{30,}|\bpypi-[\w-]{20,}|\bdckr_pat_[\w-]{20,}", HIDDEN),
        (r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?", HIDDEN),
    )
)


def redact(text: str) -> str:
    """The text with what looks like a secret replaced. Redacting twice changes nothing."""
    for _ in range(_ROUNDS):
        before = text
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
        if text == before:
            break
    return text
