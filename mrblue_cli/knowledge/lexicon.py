"""Words that carry little: those of ordinary talk, and those that all errors share."""

from __future__ import annotations

import re


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


PLAIN = _listed("""
    a about after again against all already also although always am an and another any anyone anything are around as
    ask asked at be became because become been before being best better between big both but by came can come comes
    could d day days dear did do does doing down during each either else etc even ever every everyone everything
    feel few for from gave get gets getting give gives go going gone good got great had has have he hello help her
    here hers herself hey hi high him himself his hmm how however i if in into is issue it its itself just keep
    keeps kind know less let like ll look looks lot lots low m madam made makes many maybe me month more most much
    my myself need neither never nice no nobody nor not nothing now of off often ok okay old on one only or other
    our ourselves out over own people per person please problem put re really s said same say saying says see seem
    seems she short should shows since sir small so some someone something sometimes sort still such t take takes
    tell than thank thanks that the their them themselves then there these they thing things think this those though
    thought times to today told tomorrow too took try trying uh um until up us use used using ve very via want wants
    was way we week were what when where which while who whom whose why will with within would yeah year years yes
    yesterday yet you your yourself
""")
"""Words of ordinary talk: hardly any evidence, and a text of nothing else is no error."""

GENERIC = _listed("""
    app bin build cannot check code com could data debug dev err error errors exception exit fail failed
    failure fatal file given got home http https info install installed invalid js lib line local log main
    message name new open org path please process py read request response root run running server src start started
    status test tmp ts unable user usr value var version warning write www
    traceback most recent call last stack trace
""")
"""Words that errors share: some evidence, never enough alone."""

MARKS = tuple(
    mark.replace("_", " ")
    for mark in sorted(
        _listed("""
    error exception traceback fatal panic failed failure cannot can't could_not unable denied refused not_found
    no_such invalid unexpected undefined unknown missing timed_out timeout err! caused_by killed abort
    segmentation conflict rejected forbidden unauthorized not_allowed not_permitted is_not exceeded expired
    unresolved unsupported mismatch warn
""")
    )
)
"""Signs that a line of a log is about something that went wrong."""

HEARD_AS = {
    "cores": "cors", "course": "cors", "damon": "daemon", "demon": "daemon", "mpm": "npm", "npn": "npm",
    "jason": "json",
    "sequel": "sql", "cash": "cache", "doctor": "docker", "poster": "postgres", "postcards": "postgres",
    "cube": "kubectl", "pie": "py", "sink": "sync", "engine": "nginx", "reddis": "redis",
}  # fmt: skip
"""What recognisers made of words they do not know (measured with the bundled model and others) to what was said."""

FRAME = re.compile(
    r"\s*(?:Traceback \(most recent|During handling of the above|The above exception was|at\s+[\w.$<>\[\]/ ]+\("
    r"|File \"|from /|\.{3} \d+ more|#\d+ |goroutine \d+|\w+\.go:\d+)"
)
"""A frame of a stack trace, or a line that announces one: says where, not what."""
