# SPDX-License-Identifier: MIT
# The short commands. Meson builds (meson.build); scripts/deps installs what is missing.
#
#   make run      build, train on the built-in digits, show what the network says
#   make test     the tests of the normal build, within three minutes on two cores
#   make test-all every test, the slow ones too, in every kind of build (half an hour)
#   make          build
#   make install  below PREFIX (make install PREFIX=$HOME/.local)
#   make corpus   files of many tools (R, pandas, LibreOffice, ...): are they read as meant?
#   make fuzz     FUZZ_RUNS executions of each fuzz target (clang)
#   make bench    glia beside JAX, scikit-learn, ONNX Runtime, FANN and, with BENCH=--torch,
#                 PyTorch (needs MNIST; docs/performance.md)
#   make format   format the sources (clang-format)
#   make clean

BUILD = build
PREFIX = /usr/local
FUZZ_RUNS = 1000000
BENCH =
GLIA = $(BUILD)/cli/glia
MODEL = $(BUILD)/digits.safetensors

.PHONY: all run test test-all install corpus fuzz bench format clean

all:
	@scripts/deps build
	@scripts/configure $(BUILD) --buildtype=release
	@ninja -C $(BUILD)

run: all
	$(GLIA) train digits -o $(MODEL)
	$(GLIA) eval $(MODEL) digits
	$(GLIA) predict $(MODEL) digits:4-6 --show

test:
	@scripts/deps test
	@scripts/run_tests quick

test-all:
	@scripts/deps test-all
	@scripts/run_tests all

install: all
	@meson configure $(BUILD) -Dprefix=$(abspath $(PREFIX))
	meson install -C $(BUILD)
	@if [ "$$(id -u)" = 0 ] && [ -z "$(DESTDIR)" ]; then ldconfig; fi

corpus: all
	@tests/corpus/make.py $(BUILD)/corpus
	@$(BUILD)/corpus/.venv/bin/python tests/corpus/check.py $(GLIA) $(BUILD)/corpus

fuzz:
	@scripts/deps fuzz
	@scripts/fuzz $(FUZZ_RUNS)

bench: all
	@scripts/deps bench
	bench/compare.py --glia $(GLIA) $(BENCH)

format:
	clang-format -i $$(find include src cli tests fuzz examples bench -name '*.[ch]' -o -name '*.cpp')

clean:
	rm -rf build build-*
