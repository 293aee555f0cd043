"""The README's tree against the disk."""

from __future__ import annotations

import pytest

from tests.project import tree


def test_readme_lists_what_is_there_in_order() -> None:
    said = list(tree.read(tree.README.read_text(encoding="utf-8")))
    there = tree.entries(tree.tracked())
    gone, new = sorted(set(said) - set(there)), sorted(set(there) - set(said))
    assert said == there, f"the README's tree lists {gone} that are gone and lacks {new}: run `make tree`, then look over the new words"


def test_every_line_has_words() -> None:
    words = tree.read(tree.README.read_text(encoding="utf-8"))
    assert not [path for path, said in words.items() if len(said) < 3]


def test_a_line_too_many_and_a_line_too_few_are_seen() -> None:
    text = "```text tree\napp/      the page\n  a.py    one\nllmrec/   all\n  z.py    last\n  data/   first\n    b.py  two\n```"
    assert tree.read(text) == {
        "app/": "the page",
        "app/a.py": "one",
        "llmrec/": "all",
        "llmrec/z.py": "last",
        "llmrec/data/": "first",
        "llmrec/data/b.py": "two",
    }
    paths = ["app/a.py", "llmrec/data/b.py", "llmrec/data/__init__.py", "llmrec/z.py"]
    assert tree.entries(paths) == list(tree.read(text))
    assert tree.entries([*paths, "tests/x/y.py", "Makefile"]) == ["app/", "app/a.py", *list(tree.read(text))[2:], "Makefile", "tests/"]


def test_rendering_keeps_words_and_reads_back() -> None:
    words = {"app/": "the page", "app/a.py": "one"}
    assert tree.read(f"```text tree\n{tree.render(list(words), words)}```") == words


def test_a_readme_without_a_tree_is_refused() -> None:
    with pytest.raises(ValueError, match="text tree"):
        tree.read("# nothing")
