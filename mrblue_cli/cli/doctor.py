"""`mrblue doctor`: what works, and what to do about the rest."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from mrblue_cli.core.errors import ComponentError


def doctor(
    context: typer.Context,
    sound: Annotated[bool, typer.Option("--sound/--no-sound", help="Open, record and play.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Check audio, keys, models, network and configuration; exit code 4 when talk cannot work in any form."""
    from dataclasses import asdict

    from mrblue_cli.app.doctor import examine
    from mrblue_cli.settings.load import load

    findings = examine(load(file=context.obj.config), sound=sound)
    if as_json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2) + "\n")
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            sys.stdout.write(f"{'ok     ' if finding.ok else 'problem'}  {finding.name:<{width}}  {finding.detail}\n")
            if finding.hint:
                sys.stdout.write(f"         {'':<{width}}  → {finding.hint}\n")
    broken = [finding for finding in findings if finding.needed and not finding.ok]
    if broken:
        raise ComponentError(f"talk cannot work: {broken[0].detail}", hint=broken[0].hint)
