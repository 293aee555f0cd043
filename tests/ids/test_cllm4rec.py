"""CLLM4Rec's names: one Token each, nobody shares one."""

from __future__ import annotations

import numpy as np

from llmrec.contracts import Token
from llmrec.data.synthetic import Checkerboard
from llmrec.ids.cllm4rec import Cllm4Rec


def test_everybody_has_one_token_of_their_own() -> None:
    world = Checkerboard(n_users=40, n_items=30).load()
    table = Cllm4Rec().fit(world.interactions, world.catalog, None, np.random.default_rng(0))
    assert table.users is not None
    assert table.items.spell(7) == (Token("<i7>"),) and table.users.spell(5) == (Token("<u5>"),)
    assert isinstance(table.items.spell(7)[0], Token)
    assert table.tokens == tuple(f"<i{i}>" for i in range(30)) + tuple(f"<u{u}>" for u in range(40))
    assert table.features is None and table.item_quantizer is None
