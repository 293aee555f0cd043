"""Encoding in blocks: rows go through a quantizer in blocks of one shape, a thread per block, so that a row's codes hang on nothing else.

Where it stands: under every quantizer of this room. What it does not know: which quantizer asks, names, users, items.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Floats, Ints

BLOCK = 512  # rows encoded at once, always: see `encode`
_ONE = threading.Lock()  # the number of BLAS threads belongs to the process: two encoders at once would put back each other's


def encode(rows: Floats, d: int, places: int, codes_of: Callable[[Floats], Ints]) -> Ints:
    """(n, d) to (n, places) int32, block by block; `rows` stays as it is.

    codes_of: the codes of one block, (BLOCK, d) float32 to (BLOCK, places); it may write on the block, and runs on several threads.
    Every block has the same shape, the last one filled up with zeros: matrix products of other shapes round otherwise, and a row near the
    border of two codes would hang on its company. So a row has the same codes alone, in any batch and in any order, on one kind of
    machine. Blocks go to a thread each, and the products within stay on theirs: inside, threads would only wait.
    Rows of another width, and rows that are not finite, are a ValueError, which names the first such row.
    """
    if rows.ndim != 2 or rows.shape[1] != d:
        raise ValueError(f"these vectors are {rows.shape}, but the quantizer was fitted on rows of {d} numbers: give such")
    out = np.empty((len(rows), places), dtype=np.int32)

    def one(first: int) -> None:
        part = rows[first : first + BLOCK]
        block = np.zeros((BLOCK, d), dtype=np.float32)
        block[: len(part)] = part
        if not np.isfinite(block).all():
            row = first + int((~np.isfinite(block)).any(axis=1).argmax())
            raise ValueError(f"row {row} of the vectors is not finite, and no code is near it: look at the embedder")
        out[first : first + BLOCK] = codes_of(block)[: len(part)]

    firsts = range(0, len(rows), BLOCK)
    with _ONE, _blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(min(os.cpu_count() or 1, len(firsts) or 1)) as pool:
        for _ in pool.map(one, firsts):  # in order, so the first error is that of the first bad row
            pass
    return out


def turned(book: Floats) -> tuple[Floats, Floats]:
    """A book (k, h) as `nearest` wants it: on its side, (h, k), and |c|^2 / 2 of every codeword, (k,)."""
    return np.ascontiguousarray(book.T), (book**2).sum(1) / 2


def nearest(rows: Floats, book: tuple[Floats, Floats]) -> NDArray[np.int64]:
    """(n,) the codeword at the least distance from each row, the first of equals: argmin |a - c|^2 = argmax a.c - |c|^2 / 2."""
    near = rows @ book[0]
    near -= book[1]
    return np.asarray(near.argmax(1))


@functools.cache
def _blas() -> Any:
    """The BLAS libraries of this process; looking for them takes milliseconds, so once."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
