# Everything a person or CI types. Environments set themselves up, and cost nothing when current.

# The first interpreter that is new enough; `make PYTHON=python3.12 …` picks another.
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
PORT ?= $(or $(RENDER_PORT),8000)
SCENARIO ?= shoppers
SHAPE ?= steady
USERS ?= 20
TIME ?= 30s
# Of the replay within `make bench`, which keeps think times; 400, its own default, take 90 minutes.
SESSIONS ?= 40
SOAK_RENDERS ?= 20000
SOAK_HITS ?= 200000
BIN := .venv/bin
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help run test check docs bench bench-page load soak calibrate studio contact-sheet lock clean
.PHONY: env-run env-embedded env-calibrate env-test env-bench env-load env-studio

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

# With a Valkey and a PostgreSQL of its own under .data, unless RENDER_REDIS_URL or
# RENDER_DATABASE_URL (or DATABASE_URL) names another, or is empty.
# What is live in another store than the one under .data is nobody's to replace by a demo.
run: env-embedded ## publish and serve the demo catalogue on http://127.0.0.1:8000 (PORT=… for another)
	@[ -n "$$RENDER_CATALOGUE$$RENDER_RELEASES" ] || $(BIN)/render-service publish compositions
	@[ -n "$$RENDER_CATALOGUE$$RENDER_RELEASES$${RENDER_DATABASE_URL+x}$$DATABASE_URL" ] || \
	  RENDER_DATABASE_URL=embedded $(BIN)/render-service products import --if-empty compositions/products
	@RENDER_PORT=$(PORT) RENDER_GRACEFUL_STOP_S=$${RENDER_GRACEFUL_STOP_S:-5} \
	  RENDER_REDIS_URL=$${RENDER_REDIS_URL-embedded} \
	  RENDER_DATABASE_URL=$${RENDER_DATABASE_URL-$${DATABASE_URL:-embedded}} \
	  exec $(BIN)/render-service serve

# Root gets what is missing installed; anyone else is told, and the rest is tested. CI has it all.
# tests/conftest.py puts long files first, which xdist would by their number of tests put last.
test: env-test env-load ## run every test, some at once (ARGS=… are pytest's; ARGS='-n 0' one by one)
	@$(PYTHON) tools/system_packages.py test || \
	  { [ "$$CI" != true ] || exit 1; \
	    echo "Going on; the tests that need it are skipped, and say so."; }; \
	exec $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: env-test ## format, lint, types, layers, generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tools.generated --check

docs: env-test ## write the files that are made from code
	@$(BIN)/python -m tools.generated

bench: env-bench env-embedded ## run every benchmark; tables here, figures in build/bench/*.json
	@$(PYTHON) tools/system_packages.py bench
	@mkdir -p build/bench
	@for file in $$(grep -l __main__ benchmarks/*.py); do \
	  name=$$(basename $$file .py); echo; echo "# $$name"; \
	  if [ $$name = replay ]; then more="--sessions $(SESSIONS)"; else more=; fi; \
	  $(BIN)/python -m benchmarks.$$name $$more --json build/bench/$$name.json || exit 1; done

bench-page: env-test ## take the figures of `make bench` over to docs/benchmarks.md
	@$(BIN)/python -m tools.benchmarks_page keep
	@$(BIN)/python -m tools.generated

load: env-load ## send visitors and check every answer (SCENARIO=, SHAPE=, USERS=, TIME=, URL=, ARGS=--help)
	@.venv-load/bin/python -m loadtests --scenario $(SCENARIO) --shape $(SHAPE) \
	  --users $(USERS) --time $(TIME) $(if $(URL),--url $(URL)) $(ARGS)

soak: env-bench env-embedded ## does a server that ran for long hold as much as when it was warm?
	@mkdir -p build/bench
	@$(BIN)/python -m benchmarks.soak --renders $(SOAK_RENDERS) --hits $(SOAK_HITS) \
	  --json build/bench/soak.json --plot build/bench/soak.svg

calibrate: env-calibrate ## measure the qualities of the demo catalogue anew (an hour; ARGS=--help)
	@exec $(BIN)/render-service calibrate compositions $(ARGS)

studio: env-studio ## path-trace the art of the demo catalogue anew (hours; ARGS=--help)
	@$(PYTHON) tools/system_packages.py studio && \
	  exec .venv-studio/bin/python -m compositions.studio $(ARGS)

contact-sheet: env-run ## draw docs/contact-sheet-*.jpg: every metal in every gem, both views
	@for view in hero top; do $(BIN)/render-service sheet solitaire-ring $$view \
	  --down metal --across gem --width 320 --output docs/contact-sheet-$$view.jpg || exit 1; done

lock: env-test ## resolve every lock anew from pyproject.toml
	@$(BIN)/python tools/lock.py

clean: ## remove environments, caches, builds and finished pictures
	rm -rf .venv .venv-load .venv-studio .data build dist .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

env-run env-embedded env-calibrate env-test env-bench: env-%: need-python
	@$(PYTHON) tools/environment.py .venv $*
env-load env-studio: env-%: need-python
	@$(PYTHON) tools/environment.py .venv-$* $*

.PHONY: need-python
need-python:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed, and is not on PATH." >&2; exit 1; }
