"""Secrets taken out of text before it is written or sent: commands, breadcrumbs, prompts."""

from __future__ import annotations

import re

HIDDEN = "[redacted]"

_NAMED = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|auth|credential|private[_-]?key"
    r"|client[_-]?secret|session[_-]?key|bearer|cookie"
)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in (
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", HIDDEN),
        # The user's part of an address: scheme://name:secret@host
        (r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@", rf"\1:{HIDDEN}@"),
        (r"(\bauthorization\s*[:=]\s*)(?:(?:basic|bearer|token|digest)\s+)?[^\s'\"]+", rf"\1{HIDDEN}"),
        (r"\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}", rf"\1{HIDDEN}"),
        # NAME=value, "name": "value", name: value; quoted values whole
        (
            rf"(['\"]?\b[\w.-]*(?:{_NAMED})[\w.-]*['\"]?\s*(?:=|:)\s*)(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&|'\"]+)",
            rf"\1{HIDDEN}",
        ),
        # --password value, --token=value
        (rf"(--?[\w-]*(?:{_NAMED})[\w-]*[= ]+)(?!-)(\"[^\"\n]*\"|'[^'\n]*'|[^\s'\"]+)", rf"\1{HIDDEN}"),
        # mysql -pSECRET, curl -u name:secret, sshpass -p secret
        (r"(\b(?:mysql|mysqldump|mariadb|mysqladmin)\b[^\n|;]*?\s-p)(\S+)", rf"\1{HIDDEN}"),
        (r"(\bcurl\b[^\n|;]*?\s(?:-u|--user)[= ]?[^\s:]+):\S+", rf"\1:{HIDDEN}"),
        (r"(\bsshpass\b\s+-p\s*)(\"[^\"\n]*\"|'[^'\n]*'|\S+)", rf"\1{HIDDEN}"),
        # Shapes of well-known keys
        (r"\b(?:sk|pk|rk)[-_](?:[A-Za-z0-9]+[-_])*[A-Za-z0-9]{16,}\b", HIDDEN),
        (r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}\b|\bgithub_pat_\w{20,}\b|\bglpat-[\w-]{16,}\b", HIDDEN),
        (r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b|\bAIza[\w-]{30,}|\bgsk_\w{20,}|\bxox[abprs]-[\w-]{10,}|\bhf_\w{20,}", HIDDEN),
        (r"\bnpm_[A-Za-z0-9]{30,}\b|\bpypi-[\w-]{20,}|\bdckr_pat_[\w-]{20,}", HIDDEN),
        (r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?", HIDDEN),
    )
)


def redact(text: str) -> str:
    """The text with what looks like a secret replaced. Redacting twice changes nothing."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
