"""One server, one port: the studio (Streamlit) at /, the chat (Gradio) at /chat, /healthz for machines.

Where it stands: the outermost layer; `llmrec app` and the Procfile start it. What it does not know: what the pages show.
One process and one worker, since sessions, the chat's queue and the loaded models live in memory.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse

HERE = Path(__file__).resolve().parent
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",  # or threads that wait for one another eat the cores of the training beside them
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
}
CONFIG = {
    "browser.gatherUsageStats": False,
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 20,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "theme.base": str(HERE / "theme.toml"),
}


def build(backend: Any = None) -> Any:
    """The ASGI app. `backend`: what the pages ask, the real one when None."""
    os.environ.update({k: v for k, v in ENVIRONMENT.items() if k not in os.environ})
    import gradio as gr
    import streamlit as st
    from fastapi import FastAPI
    from streamlit.web.bootstrap import load_config_options

    from app import pages, shared
    from app.chat import look, panel
    from app.entrance import Entrance

    load_config_options(CONFIG)
    if backend is not None:
        shared.use(backend)
    studio = st.App(HERE / "studio.py")
    parent = FastAPI(lifespan=studio.lifespan(), docs_url=None, redoc_url=None, openapi_url=None)
    parent.get("/healthz")(health)
    parent.get("/tour")(home)
    gr.mount_gradio_app(
        parent,
        panel.build(shared.backend),
        path="/chat",
        footer_links=[],
        run_history=False,
        show_error=False,
        allowed_paths=[],
        theme=look.theme(),
        head=look.head(),
    )
    parent.mount("/", Entrance(studio, pages.ADDRESSES))  # last, since it takes every path
    return parent


async def health() -> dict[str, Any]:
    """Alive, in which versions, with how many runs."""
    from app import shared

    backend = shared.backend()
    return {"status": "ok", "versions": backend.versions(), "runs": len(backend.runs())}


async def home(request: Request) -> RedirectResponse:
    """The first page under its own name too; what the address asks for goes along."""
    return RedirectResponse(f"../?{request.url.query}" if request.url.query else "../")


def main(host: str = "127.0.0.1", port: int = 8501, first_run: bool = True) -> int:
    """Serve until SIGTERM or Ctrl-C. Returns the exit code: 2 where the port is taken."""
    problem = _taken(host, port)
    if problem:
        print(problem, file=sys.stderr)
        return 2
    os.environ.update({k: v for k, v in ENVIRONMENT.items() if k not in os.environ})
    import uvicorn

    from app import shared

    application = build()
    if first_run:
        shared.backend().start_first_run()
    shared.backend().workshop().attend()
    threading.Thread(target=shared.backend().warm, name="warm", daemon=True).start()
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    print(f"llmrec studio: http://{shown}:{port}  (Ctrl-C stops it)", flush=True)
    server = uvicorn.Server(
        uvicorn.Config(application, host=host, port=port, log_level="warning", timeout_graceful_shutdown=3, ws_max_size=64 * 2**20)
    )
    signal.signal(signal.SIGTERM, _leave)  # uvicorn raises the signal again when it is done, which must not cut the tidying short
    try:
        server.run()
    except (KeyboardInterrupt, _Left):
        pass
    finally:
        shared.close()
    return 0


class _Left(BaseException):
    """SIGTERM, after the server has closed its connections."""


def _leave(*_: Any) -> None:
    raise _Left


def _taken(host: str, port: int) -> str | None:
    """One line where the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OverflowError:
            return f"port {port} is not a port: give one from 1 to 65535 with --port"
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"port {port} is taken: give another with --port, or stop what listens there"
            return f"cannot listen on {host}:{port}: {error.strerror}"
    return None


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of `python -m app.server`; `llmrec app` has the same."""
    parser = argparse.ArgumentParser(prog="python -m app.server", description="Open the studio: pages and chat on one port.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (0.0.0.0: every network the machine is in)")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8501), help="port to listen on (default: $PORT or 8501)")
    parser.add_argument("--no-first-run", action="store_true", help="do not train a first run where there is none")
    return parser.parse_args(argv)


if __name__ == "__main__":
    given = arguments()
    from app.server import main as serve  # the module by its name: the pages must meet the same one

    sys.exit(serve(given.host, given.port, not given.no_first_run))
