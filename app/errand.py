"""One errand's process, `python -m app.errand SERVER MODULE WORDS...`: it does what the module does, and ends with the server that sent it.

Where it stands: started by `errands` and by nobody else. What it does not know: what is done.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

LOOKS = 1.0  # seconds between two looks at the server


def watch(server: int) -> None:
    """End this process, with all that it started, once the server is gone; whoever is killed ends nothing behind it."""
    while os.getppid() == server:
        time.sleep(LOOKS)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=watch, args=(int(sys.argv[1]),), daemon=True).start()
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
