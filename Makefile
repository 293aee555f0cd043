# The two commands are `make app` and `make test`; `make help` lists the rest.
# Everything is safe to interrupt and to repeat: a stamp is written only when its step has ended well.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PORT ?= 8501
HOST ?= 127.0.0.1
JOBS ?= 2
ROWS ?=
SEEDS ?= 0 1 2
ADDRESS ?= http://127.0.0.1:$(PORT)
PICTURES ?=
SCHEMES ?=
ACTS ?=
PYTHON ?= python3.11
PY := $(VENV)/bin/python
PIP := $(PY) -m pip
QUIET = $$([ -t 1 ] || echo --quiet)  # progress bars for people, silence for logs

# Idle threads sleep instead of spinning, which matters where two processes share two cores.
export OMP_WAIT_POLICY ?= PASSIVE
export GRADIO_ANALYTICS_ENABLED := False
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1

# A stamp carries the hash of what it installed: another pin, another stamp.
hash = $(shell cat $(1) | $(SHA) | cut -c1-12)
SHA := $(shell command -v sha256sum || echo shasum -a 256)
RUN_STAMP := $(VENV)/.installed-run-$(call hash,requirements.txt pyproject.toml)
TEST_STAMP := $(VENV)/.installed-test-$(call hash,requirements.txt pyproject.toml tests/requirements.txt)

# Tests never reach for a hub, and share the cores.
HERMETIC := env HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false

comma := ,
say = printf '\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: help app test test-slow lint format results bundles bench-ui screenshots notebook tree fetch install install-test venv browser clean

help: ## this list
	@printf 'make TARGET, where TARGET is one of\n\n'
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{ printf "  %-11s  %s\n", $$1, $$2 }'
	@printf '\nSettings: PORT=%s HOST=%s PYTHON=%s VENV=%s JOBS=%s SEEDS="%s" ROWS="%s" ADDRESS=%s\n' '$(PORT)' '$(HOST)' '$(PYTHON)' '$(VENV)' '$(JOBS)' '$(SEEDS)' "$(ROWS)" '$(ADDRESS)'

app: install fetch ## install, fetch data and weights, open the studio on http://HOST:PORT
	@$(call say,The studio: its address follows in some seconds)
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] || [ "$$(uname)" = Darwin ]; then \
	  { for i in {1..120}; do \
	      sleep 1; kill -0 $$$$ 2>/dev/null || exit 0; \
	      if [ $$i -gt 3 ] && (exec 3<>/dev/tcp/$(HOST)/$(PORT)) 2>/dev/null; then $(PY) -m webbrowser http://$(HOST):$(PORT); exit 0; fi; \
	    done; } >/dev/null 2>&1 & \
	fi; \
	exec $(PY) -m llmrec app --host $(HOST) --port $(PORT)

test: install-test browser fetch lint ## lint, types and every test but the slow ones
	@$(call say,Tests: all but the browser's$(comma) $(JOBS) side by side)
	@$(HERMETIC) $(PY) -m pytest -n $(JOBS) --dist loadfile -m "not slow and not browser"
	@$(call say,Tests in the browser)
	@$(HERMETIC) $(PY) -m pytest -m "browser and not slow"
	@$(call say,All tests passed)

test-slow: install-test browser fetch ## the tests that take minutes
	@$(call say,Slow tests)
	@$(HERMETIC) $(PY) -m pytest -m slow --timeout 3600

lint: install-test ## ruff and mypy
	@$(call say,ruff and mypy)
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy

format: install-test ## let ruff mend what it can
	@$(VENV)/bin/ruff check --fix
	@$(VENV)/bin/ruff format

results: install fetch ## measure what the results book lacks (ROWS="a 'heads/*'" SEEDS="0 1 2"), write docs/results.md
	@code=0; $(PY) -m benchmarks $(ROWS) --seeds $(SEEDS) || code=$$?; $(PY) -m benchmarks.report; exit $$code

bundles: install fetch ## train what ships in assets/bundles (SCHEMES="metaid tiger"): hours on two cores, resumable
	@$(PY) -m llmrec bundle train $(addprefix --only ,$(SCHEMES)) --out assets/bundles

bench-ui: install-test browser fetch ## measure the budgets of the pages in a real browser (ACTS="--only switch map"), write docs/studio.md
	@code=0; $(PY) -m benchmarks.studio $(ACTS) || code=$$?; $(PY) -m benchmarks.report; exit $$code

screenshots: install-test browser ## pictures of every page of the studio at ADDRESS (PICTURES="tokens-* compare")
	@$(PY) -m tests.browser.screenshots $(ADDRESS) assets/figures $(PICTURES)

notebook: install-test browser fetch ## run docs/library.py cell by cell, write docs/library.ipynb
	@$(PY) -m benchmarks.notebook

tree: install-test ## bring the tree in the README up to what is on the disk
	@$(PY) -m tests.project.tree --write

fetch: install ## data and weights into the user's cache, checked by hash
	@$(call say,Data and weights)
	@$(PY) -m llmrec fetch

clean: ## remove the environment and what tools left here (the cache with data and runs stays)
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: venv
	@if [ ! -e $(RUN_STAMP) ]; then \
	  $(call say,Installing what requirements.txt pins (minutes the first time)); \
	  $(PIP) install $(QUIET) -r requirements.txt && \
	  $(PIP) install --quiet --no-deps --no-build-isolation --editable . && \
	  rm -f $(VENV)/.installed-run-* && touch $(RUN_STAMP); \
	fi

install-test: install
	@if [ ! -e $(TEST_STAMP) ]; then \
	  $(call say,Installing what the tests need); \
	  $(PIP) install $(QUIET) -r requirements.txt -r tests/requirements.txt && \
	  rm -f $(VENV)/.installed-test-* && touch $(TEST_STAMP); \
	fi

# Keeps an environment that works, and replaces one that an interruption left half made.
venv:
	@if ! $(PY) -m pip --version >/dev/null 2>&1; then \
	  python=; \
	  for name in "$(PYTHON)" python3.11 python3.12 python3.13 python3 python; do \
	    if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python=$$name; break; fi; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo 'llmrec needs Python 3.11 or newer, and none was found: install it, or name it with make PYTHON=/path/to/python3.11' >&2; exit 1; \
	  fi; \
	  $(call say,Creating $(VENV) with $$($$python --version)); \
	  "$$python" -m venv --clear $(VENV); \
	fi

# The browser tests use the machine's own Chromium; where none can be had they skip, and say so.
browser:
	@if command -v chromium chromium-browser google-chrome >/dev/null; then exit 0; fi; \
	as_root=; if [ "$$(id -u)" != 0 ]; then as_root='sudo -n'; fi; \
	if command -v apt-get >/dev/null && $$as_root true 2>/dev/null; then \
	  $(call say,Installing chromium for the browser tests); \
	  $$as_root env DEBIAN_FRONTEND=noninteractive bash -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium' </dev/null >/dev/null || true; \
	fi; \
	command -v chromium chromium-browser google-chrome >/dev/null || \
	  echo 'No Chromium here: the browser tests will skip. To run them: sudo apt-get install chromium'
