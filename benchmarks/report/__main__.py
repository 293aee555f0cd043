"""Write the tables of the README, of docs/schemes.md and of docs/results.md.

python -m benchmarks.report
"""

from __future__ import annotations

from benchmarks.report import pages

if __name__ == "__main__":
    for page in pages.PAGES:
        page.write_text(pages.rewritten(page), encoding="utf-8")
