# Needs nothing but Python 3.11 or newer: makes .venv, puts uv into it, and installs what requirements.lock names.
PYTHON ?= python3
UV = .venv/bin/uv
STAMP = .venv/.installed

.PHONY: demo test test-all install lint docs serve local-model lock clean

demo: $(STAMP)
	.venv/bin/trace2skill demo

# What a change should pass before it is pushed; `test-all` adds what is slow by nature, and is what CI runs.
# Compiled once: where the environment says that no bytecode is written, each of the many processes would compile all.
# Types are checked beside the first tests, and said at the end: from nothing that takes one core most of a minute.
test: PYTEST = -m "not slow"
test test-all: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/python -m compileall -q trace2skill tasks flows
	@.venv/bin/mypy > .venv/types 2>&1 & types=$$!; \
	.venv/bin/pytest -n auto --maxschedchunk 1 --no-loadscope-reorder $(PYTEST); tests=$$?; \
	wait $$types; types=$$?; cat .venv/types; exit $$((tests ? tests : types))

install: $(STAMP)

# The pages as a site in site/, for any server of files; a link that leads nowhere ends it.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet --strict

# Every deployment on this machine, with the server that $PREFECT_API_URL names.
serve: $(STAMP)
	.venv/bin/python deployments/serve.py

# A small refresh with a real model on this machine, without a key; a few minutes. See docs/local-models.md.
local-model: $(STAMP)
	.venv/bin/python examples/local_model.py

lint: $(STAMP)
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	.venv/bin/mypy

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "trace2skill needs Python 3.11, 3.12 or 3.13; this is %s: make PYTHON=python3.12" % sys.version.split()[0])'
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=.venv $(UV) pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps --editable .
	@touch $(STAMP)

# Every version and hash, for every supported Python, and no download address: it works behind any mirror.
lock:
	$(UV) lock --quiet
	$(UV) export --quiet --frozen --all-groups --no-emit-project --format requirements.txt --no-header --output-file requirements.lock

clean:
	rm -rf .venv .trace2skill .local-model site
