"""What a talk does about faults, one a row: what the person was told, how long nobody listened, what was lost.

Faults of networks and services run over real loopback sockets in real time, with the real client; cuts at random
moments, devices, sounds, echo and money in virtual time, with the real session; `kill -9` kills a real process. The
services at the other end are ours (`tests.fakes`).
"""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime
from pathlib import Path

from bench import resilience_services, resilience_sockets, resilience_virtual
from bench.report import arguments, machine
from bench.resilience_rows import Row, markdown


def main() -> None:
    """Play every fault and show the table."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--conversations", type=int, default=40, help="with five random cuts each")
    parser.add_argument("--markdown", type=Path, help="write the table to this file")
    options = parser.parse_args()
    logging.disable(logging.ERROR)  # servers that are broken on purpose complain
    rows: list[Row] = [
        *asyncio.run(resilience_sockets.all_rows()),
        *asyncio.run(resilience_services.all_rows()),
        *resilience_virtual.all_rows(options.conversations),
    ]
    today = datetime.now(UTC).date().isoformat()
    table = markdown(rows)
    print(f"\nA talk and its faults  ({today}; {machine()})\n\n{table}\n")
    bad = sum(not row.ok for row in rows)
    print(f"{len(rows)} faults, {len(rows) - bad} ok, {bad} bad")
    if options.markdown is not None:
        options.markdown.write_text(table + "\n")
    if options.json is not None:
        figures = {"title": "A talk and its faults", "date": today, "machine": machine()}
        options.json.write_text(json.dumps({**figures, "rows": [row.table() for row in rows]}, indent=2) + "\n")


if __name__ == "__main__":
    main()
