# The words of this house. Each prepares `.venv` by itself, once, and again when the dependencies change.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
APART := browser or office or wheel or neo4j or server or long

.DEFAULT_GOAL := help
.PHONY: help demo serve setup check test test-all torture bench accept
N ?= 1000
STORE ?= sqlite

help:  ## these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## a day in the park: facts, figures, documents, then the pages
	$(BIN)/huanliu demo

serve: $(READY)  ## the service on this machine
	$(BIN)/huanliu serve

setup: $(READY)  ## prepare .venv and nothing else

check: $(READY)  ## ruff, basedpyright strict, import-linter
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright
	$(BIN)/lint-imports

test: $(READY)  ## all tests that need nothing but this checkout
	$(BIN)/pytest -q -n 2 -m "not ($(APART))"

test-all: test  ## those, then the browser, LibreOffice, the built wheel, a server of its own, Neo4j
	@$(BIN)/pytest -q -m "$(APART)" || { code=$$?; test $$code -eq 5; }  # 5: no test carries such a mark yet

torture: $(READY)  ## kill a server N times under load and print what was lost (N=1000 STORE=sqlite|neo4j)
	$(BIN)/python -m tests.torture $(N) --store $(STORE)

bench: $(READY)  ## the figures to reach, measured here
	$(BIN)/huanliu bench

accept: $(READY)  ## write the golden files anew; look at them before you commit
	$(BIN)/pytest -q tests/labels $(wildcard tests/api/test_openapi.py) --accept

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "huanliu needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "this Python cannot make an environment; on Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch $@
