# make demo, make test: see README.md. `make help` lists the rest.
#   VENV=/path         another place for the virtual environment
#   PYTHON=python3.13  the Python it is made with (3.10 to 3.14)
#   TORCH=cpu          PyTorch's CPU builds in place of those that carry CUDA
#   INPUT=path         what `make demo` looks at: an image, a folder, a video
#   DEMO_ARGS, TEST_ARGS: passed on. The tests run in a process a core, up to 8;
#                       TEST_ARGS='-n 0' runs them in one

VENV ?= .venv
# not every shell writes out the ~ of VENV=~/venv
override VENV := $(patsubst ~/%,$(HOME)/%,$(VENV))
export INPUT TORCH TORCH_INDEX
# Once the environment is there, the Python that made it.
PYTHON ?= $(shell test -x '$(VENV)/bin/python' && echo '$(VENV)/bin/python' || echo python3)
BIN = $(VENV)/bin
# Tests of a file share models, so they stay in one process.
PYTEST = "$(BIN)/python" -m pytest -n auto --dist loadfile --no-loadscope-reorder
SETUP = "$(PYTHON)" tools/setup/setup_env.py "$(VENV)"

.DEFAULT_GOAL := help
.PHONY: help install demo demo-train test test-slow docs docs-env docs-linkcheck lint audit \
    format lock clean distclean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' Makefile

install: ## make the virtual environment, or mend it
	@command -v "$(PYTHON)" >/dev/null || \
	    { echo "There is no $(PYTHON). Give a Python of 3.10 to 3.14 by PYTHON=python3.13."; exit 1; }
	@$(SETUP)

demo: install ## find people in photographs, or in INPUT=path
	"$(BIN)/python" demo/run_demo.py $(if $(INPUT),--input "$$INPUT") $(DEMO_ARGS)

demo-train: install ## train, evaluate and draw on synthetic people
	"$(BIN)/python" demo/train_demo.py $(DEMO_ARGS)

test: install ## all but the slow tests
	$(PYTEST) -m 'not slow' $(TEST_ARGS)

test-slow: install ## the slow tests
	$(PYTEST) -m slow $(TEST_ARGS)

docs-env: install
	@"$(BIN)/python" -c 'import myst_parser, pydata_sphinx_theme, sphinx_copybutton, sphinx_design' \
	    2>/dev/null || "$(BIN)/uv" pip install --quiet --python "$(BIN)/python" -r requirements/docs.txt

docs: docs-env ## build the documentation into docs/_build/html; warnings are errors
	"$(BIN)/python" docs/measured.py
	"$(BIN)/python" -m sphinx -W --keep-going -b html docs docs/_build/html

docs-linkcheck: docs-env ## check the external links of the documentation (takes a network)
	"$(BIN)/python" -m sphinx -b linkcheck docs docs/_build/linkcheck

lint: install ## ruff: rules and format; then audit
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	@"$(MAKE)" --no-print-directory audit

audit: install ## look requirements/lock.txt up among the known faults (takes a network)
	@"$(BIN)/python" tools/setup/audit.py "$(BIN)/uv" requirements/lock.txt

format: install ## let ruff mend what it can
	"$(BIN)/ruff" check --fix .
	"$(BIN)/ruff" format .

lock: install ## resolve requirements/direct.txt to new versions and hashes
	"$(BIN)/uv" pip compile --quiet --upgrade --universal --python-version 3.10 \
	    --generate-hashes --no-build --custom-compile-command 'make lock' \
	    --excludes requirements/excluded.txt \
	    --output-file requirements/lock.txt requirements/direct.txt

clean: ## remove caches and build folders, not the environment
	rm -rf build dist docs/_build docs/reference/api docs/reference/cli.md .pytest_cache .hypothesis .ruff_cache
	find . \( -path ./.git -o -path ./.venv -o -path './$(VENV)' \) -prune -o \
	    -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove the virtual environment as well
	@$(SETUP) --remove
	rm -rf *.egg-info
