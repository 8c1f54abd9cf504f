"""Die with the parent: a stand-in that outlives its demo would keep its port and confuse the next one."""

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 1.0


def die_with_parent() -> None:
    """Get SIGTERM when the parent dies: at once from the kernel on Linux, within a second elsewhere.

    Linux counts the thread that started us as the parent, so start the stand-in from a thread that stays.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
