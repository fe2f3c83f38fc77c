# make demo, make test: see README.md. `make help` lists the rest.
#   VENV=/path         another place for the virtual environment
#   PYTHON=python3.11  the Python it is made with (3.9 to 3.12)
#   INPUT=path         what `make demo` looks at: a picture, a folder, a video
#   DEMO_ARGS, TEST_ARGS: passed on

VENV ?= .venv
# not every shell writes out the ~ of VENV=~/venv
override VENV := $(patsubst ~/%,$(HOME)/%,$(VENV))
export INPUT
# Once the environment is there, the Python that made it.
PYTHON ?= $(shell test -x '$(VENV)/bin/python' && echo '$(VENV)/bin/python' || echo python3)
BIN = $(VENV)/bin
SETUP = "$(PYTHON)" tools/setup/setup_env.py "$(VENV)"

.DEFAULT_GOAL := help
.PHONY: help install demo demo-train test test-slow lint format clean distclean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' Makefile

install: ## make the virtual environment, or mend it
	@command -v "$(PYTHON)" >/dev/null || \
	    { echo "There is no $(PYTHON). Give a Python of 3.9 to 3.12 by PYTHON=python3.11."; exit 1; }
	@$(SETUP)

demo: install ## find people in a photograph, or in INPUT=path
	"$(BIN)/python" demo/run_demo.py $(if $(INPUT),--input "$$INPUT") $(DEMO_ARGS)

demo-train: install ## train, evaluate and draw on synthetic people
	"$(BIN)/python" demo/train_demo.py $(DEMO_ARGS)

test: install ## all but the slow tests
	"$(BIN)/python" -m pytest -m 'not slow' $(TEST_ARGS)

test-slow: install ## the slow tests
	"$(BIN)/python" -m pytest -m slow $(TEST_ARGS)

lint: ## ruff: rules and format
	@$(SETUP) --lint
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .

format: ## let ruff mend what it can
	@$(SETUP) --lint
	"$(BIN)/ruff" check --fix .
	"$(BIN)/ruff" format .

clean: ## remove caches and build folders, not the environment
	rm -rf build dist .pytest_cache .hypothesis .ruff_cache
	find . \( -path ./.git -o -path ./.venv -o -path './$(VENV)' \) -prune -o \
	    -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove the virtual environment as well
	@$(SETUP) --remove
	rm -rf *.egg-info
