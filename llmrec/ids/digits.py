"""Names that are numbers, written as text: what RID, SID and CID have in common.

Where it stands: stage 3, under the schemes of OpenP5. What it does not know: which number anybody gets, and why.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from llmrec.contracts import Book, Ints, Names

USERS_FROM = 1  # OpenP5 counts users from 1 and items from 1001
ITEMS_FROM = 1001


def numbered(numbers: Ints, side: Literal["item", "user"], words: bool = False) -> Names:
    """One text per row: its number, or with `words` P5's form `item_2024`. numbers: (n,) from 0. No Tokens.

    As plain digits the code is the number itself; with words it is the row, and the book holds the texts.
    """
    if words:
        book = Book(side, len(numbers), token=False, texts=tuple(f"{side}_{number}" for number in numbers))
        return Names(np.arange(len(numbers), dtype=np.int32)[:, None], (book,))
    return Names(np.asarray(numbers, dtype=np.int32)[:, None], (Book(side, int(np.max(numbers, initial=-1)) + 1, token=False),))
