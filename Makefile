# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A thin front: meson knows how to build. `make help` lists what there is.

BUILD ?= _build
MESON ?= meson
PREFIX ?= /usr/local
DEMO_RECORDING ?= $(BUILD)/demo.weft

.DEFAULT_GOAL := build
.NOTPARALLEL:

## build: build everything; leaves $(BUILD)/weft, which runs where it is
.PHONY: build
build: dependencies $(BUILD)/build.ninja
	@ninja -C $(BUILD) -n | grep -q 'no work to do' || ninja -C $(BUILD) --quiet
	@ln -sfn frontends/cli/weft $(BUILD)/weft

$(BUILD)/build.ninja:
	@output=$$($(MESON) setup --prefix '$(PREFIX)' $(BUILD) 2>&1) \
	  || { printf '%s\n' "$$output"; exit 1; }

## demo: record a small multi-threaded program and show what its lanes did
.PHONY: demo
demo: build
	@scripts/demo $(BUILD) $(DEMO_RECORDING)

## check: run all tests, also under the sanitizers; ends with the counts
.PHONY: check
check: check-dependencies build
	@scripts/run-tests --build $(BUILD) plain asan tsan

## sanitize: run the tests under ASan and UBSan, then TSan
.PHONY: sanitize
sanitize: check-dependencies
	@scripts/run-tests --build $(BUILD) asan tsan

## prove: the long proofs, and demo and check on a machine that has nothing (needs root)
.PHONY: prove
prove: check-dependencies build
	@scripts/run-tests --build $(BUILD) prove
	@scripts/prove-bare-machine

## bench: our figures beside those of peers, measured in one run
.PHONY: bench
bench: build
	@scripts/bench $(BUILD)

## dependencies: install what building needs, if anything is missing
.PHONY: dependencies check-dependencies
dependencies:
	@scripts/install-dependencies build
check-dependencies:
	@scripts/install-dependencies check

## install: install to $(PREFIX), below $DESTDIR
.PHONY: install
install: build
	@$(MESON) configure $(BUILD) --prefix '$(PREFIX)'
	@$(MESON) install -C $(BUILD) --quiet

## clean: remove what was built
.PHONY: clean
clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan

.PHONY: help
help:
	@sed -n 's/^## /  make /p' Makefile
