# The two that matter: `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --require-virtualenv
# How to get torch. The plain package works everywhere; for a smaller CPU build, point pip to
# PyTorch's own CPU index: make demo TORCH="--index-url <PyTorch's CPU index> torch==2.13.0"
TORCH ?= torch==2.13.0

# UV_FLAGS says where a CPU build of torch lies, or its CUDA packages would enter the lock.
UV_FLAGS ?= --torch-backend cpu
LOCK = pyproject.toml --quiet --python-version 3.11 --no-annotate --no-header --generate-hashes \
	--no-emit-package torch $(UV_FLAGS)
# Not among the tests' own: it is built for few machines, and only the long fuzzing needs it.
ATHERIS = atheris==3.0.0
SHIPPED = --extra intake --extra gpu --extra operator --extra stack

.DEFAULT_GOAL := help
.PHONY: help demo up prove test lint bench chaos fuzz publish words contract clients figures lock pictures

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run ## Five photos in, four portraits out, everything erased: about a minute
	@$(PY) -m deploy.stack run --data var/stack -- $(PY) -m deploy.demo.journey

up: $(VENV)/run ## Run the embedded stack until Ctrl-C, and print its addresses
	@$(PY) -m deploy.stack up --data var/stack

prove: $(VENV)/run ## A canary person comes and goes on a fresh stack; every promise is checked
	@$(PY) -m deploy.prove $(PROVE)

test: $(VENV)/dev ## Lint, types, import contracts and all tests, on real servers
	@$(PY) -m tests.deploy.tooling
	@$(PY) -m tests.run

lint: $(VENV)/dev ## ruff, mypy, import contracts, dependencies
	@$(PY) -m tests.run --lint

bench: $(VENV)/dev ## Measure, write var/bench and var/figures/bench.json
	@$(PY) -m tests.bench $(SUITE)

chaos: $(VENV)/dev ## Kill, cut and starve everything while people order; FULL=1 for the whole sizes
	@$(PY) -m tests.chaos $(STORM)

fuzz: $(VENV)/dev ## Hostile pictures, the decoders and the whole contract: half an hour; PART=contract for one
	@$(PIP) --require-hashes -r deploy/locks/fuzz.txt || true
	@$(PY) -m tests.fuzz $(PART)

publish: $(VENV)/dev ## Copy what was measured last into deploy/docs/measured, with plots
	@$(PY) -m tests.bench.publish

words: $(VENV)/dev ## Compile deploy/locale, the sentences that people are told
	@$(VENV)/bin/pybabel --quiet compile --directory deploy/locale --domain django

contract: $(VENV)/run ## Write deploy/contract/openapi.yaml from the code; list what it breaks
	@SITTER_SECRET_KEY=unused $(PY) manage.py contract

clients: $(VENV)/dev ## Generate clients in TypeScript, Swift and Kotlin into var/clients
	@$(PY) -m tests.clients.generate

figures: $(VENV)/run ## Print every acceptance figure and what was measured last
	@$(PY) -m deploy.figures

lock: $(VENV)/dev ## Resolve deploy/locks/ anew from pyproject.toml
	@$(PIP) uv
	@$(VENV)/bin/uv pip compile $(LOCK) $(SHIPPED) -o deploy/locks/run.txt
	@$(VENV)/bin/uv pip compile $(LOCK) $(SHIPPED) --extra engines -o deploy/locks/engines.txt
	@$(VENV)/bin/uv pip compile $(LOCK) $(SHIPPED) --extra engines --extra opentelemetry --extra sentry \
		--extra dev -o deploy/locks/dev.txt
	@echo "$(ATHERIS)" | $(VENV)/bin/uv pip compile - --quiet --python-version 3.11 --no-annotate \
		--no-header --generate-hashes -o deploy/locks/fuzz.txt
	@$(PY) -m deploy.locks.parts

# Those of the try page and of support's walk need Debian's chromium beside the development packages.
pictures: demo $(VENV)/dev ## Make the docs' pictures again, by running the product
	@mkdir -p deploy/docs/pictures && cp var/demo/sheet.jpg deploy/docs/pictures/sheet.jpg
	@$(PY) -m deploy.models.sheet deploy/docs/pictures
	@$(PY) -m deploy.stack run --data var/stack -- $(PY) -m tests.api.try_pictures deploy/docs/pictures
	@$(PY) -m tests.staff.walk deploy/docs

# torch is not in the locks: its builds differ by machine. Everything else is pinned by hash.
# accelerate asks for it, and a lock with hashes takes only what is there already: torch goes first.
$(VENV)/run: deploy/locks/run.txt
	@echo "Installing (once) ..."
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r deploy/locks/run.txt
	@$(PIP) $(TORCH)
	@touch $@

$(VENV)/dev: deploy/locks/dev.txt
	@echo "Installing (once) ..."
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PIP) --no-deps $(TORCH)
	@$(PIP) --require-hashes -r deploy/locks/dev.txt
	@$(PIP) $(TORCH)
	@touch $(VENV)/run $@
