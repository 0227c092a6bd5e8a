# The two commands of the README: `make talk` and `make test`. Each does all of its own set-up.

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
TALK_PACKAGES := libportaudio2 libasound2-plugins
TEST_PACKAGES := $(TALK_PACKAGES) pulseaudio pulseaudio-utils espeak-ng redis-server

.PHONY: talk test lint bench clean python talk-packages test-packages

talk: talk-packages $(VENV)/.talk
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/mrblue talk; else \
		echo "no terminal is attached: a spoken question is asked headless"; \
		exec $(BIN)/mrblue talk --headless --input mrblue_cli/data/question.wav; fi

test: test-packages $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mrblue kb lint
	$(BIN)/pytest -n 2

lint: $(VENV)/.test
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports && $(BIN)/mrblue kb lint

bench: $(VENV)/.test
	for name in talk_start talk_latency talk_cpu talk_echo talk_resilience stt_words ask_speed ask_quality gateway match match_rotation; do $(BIN)/python -m bench.$$name || exit 1; done

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

python:
	@[ -n "$(PYTHON)" ] || { echo "mrblue needs Python 3.11 or newer: install it, or name it: make talk PYTHON=/path/to/python3"; exit 3; }

$(VENV)/.python: | python
	@$(PYTHON) -m venv $(VENV) || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
			apt-get update -q && apt-get install -y -q python3-venv && $(PYTHON) -m venv --clear $(VENV); \
		else echo "Python's venv module is missing: sudo apt-get install python3-venv"; exit 3; fi; }
	@touch $@

$(VENV)/.talk: pyproject.toml | $(VENV)/.python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[local,aec]"
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[local,gateway,aec,dev]"
	@touch $@ $(VENV)/.talk

# On Debian and Ubuntu as root the system's parts are installed; elsewhere one line says what is missing.
define want_packages
	@command -v dpkg >/dev/null 2>&1 || exit 0; missing=""; for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
			echo "installing:$$missing"; (apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q $$missing) >/dev/null \
			|| echo "could not install$$missing: going on without"; \
		elif command -v apt-get >/dev/null 2>&1; then echo "missing: sudo apt-get install$$missing  (going on without)"; \
		fi; fi
endef

talk-packages:
	$(call want_packages,$(TALK_PACKAGES))

test-packages:
	$(call want_packages,$(TEST_PACKAGES))
