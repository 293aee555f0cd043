"""Open the studio: pages and chat on one port, until Ctrl-C.

Example: llmrec app --port 8501
"""

from __future__ import annotations

import argparse
import os
from typing import Any


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 is every network the machine is in")
    parser.add_argument("--port", type=_port, default=os.environ.get("PORT") or "8501", help="port to listen on (default: $PORT or 8501)")
    parser.add_argument("--no-first-run", action="store_true", help="do not train a first run where there is none")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from app import server

    args.exit_code = server.main(host=args.host, port=args.port, first_run=not args.no_first_run)
    return {"host": args.host, "port": args.port, "exit_code": args.exit_code}


def text(result: dict[str, Any]) -> str:
    return ""


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)
