# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds everything into build/ (or another folder: make O=DIR). QEMU and the guest's kernel live in a cache that all checkouts
# share: $TOE_CACHE, or ~/.cache/toe. "make help" lists the targets.
#
# Parts that do not exist (a folder without sources) are skipped.

O ?= build
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

SHELL := /bin/bash
comma := ,

# Targets that need no configuration.
ifeq ($(filter-out help clean lint setup,$(or $(MAKECMDGOALS),all)),)
CC := cc
PREFIX := /usr/local
else
-include $(O)/config.mk
endif

ifneq ($(O),build)
build/config.mk:
	./configure
$(O)/config.mk: build/config.mk
	@mkdir -p $(@D) && cp $< $@
else
$(O)/config.mk:
	./configure
endif

export TOE_BUILD := $(abspath $(O))

# Quiet unless V=1.
Q := $(if $(V),,@)
note = $(if $(V),,@echo "  $(1)	$(patsubst $(CURDIR)/%,%,$(2))")

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra
STD := -std=gnu11
# What was never set is never by chance what it should be.
PATTERN := $(shell $(CC) -ftrivial-auto-var-init=pattern -x c -c -o /dev/null /dev/null 2>/dev/null && \
	echo -ftrivial-auto-var-init=pattern)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1 -g $(PATTERN)
ifeq ($(ASAN),yes)
EXTRA := $(SANITIZE)
endif
pkg = $(shell pkg-config $(1) 2>/dev/null)
GLIB_CFLAGS = $(call pkg,--cflags glib-2.0)
GLIB_LIBS = $(call pkg,--libs glib-2.0)
CHECK_CFLAGS = $(call pkg,--cflags check)
CHECK_LIBS = $(call pkg,--libs check)

VERSION := 0.1.0

# ---------------------------------------------------------------------------------------------- all

.PHONY: all help setup check-tools
all: check-tools qemu adapter guest lib tools

help:
	@echo 'make             build everything: QEMU with the adapter, driver, library, tools, guest'
	@echo 'make demo        install what is missing, build, and show a fetch through the adapter'
	@echo 'make check       install what is missing, build, and run every test'
	@echo 'make check-unit  tests of the adapter without QEMU; also check-device (QEMU, no guest),'
	@echo '                 check-guest (in a VM), check-system (several VMs), lint'
	@echo 'make sim         two engines over a network of faults: SEEDS=N from SEED=K on'
	@echo 'make fuzz        fuzz each target for FUZZ_SECONDS=60 (needs clang); check does a little of it'
	@echo 'make check-matrix  the engine against this kernel over each kind of bad link: BYTES=N of each stream'
	@echo 'make bench       measure, print a table, write $(O)/bench.json'
	@echo 'make install     install library, tools, headers, man pages and driver source; DESTDIR=, PREFIX='
	@echo 'make setup       install what is missing with apt'
	@echo 'make clean       remove $(O)/ (the cache stays: $${TOE_CACHE:-~/.cache/toe})'
	@echo ''
	@echo 'parts:           qemu adapter driver guest lib tools tests'
	@echo 'variables:       O=DIR build there; V=1 show commands; TESTS="NAME..." run these only (check*)'
	@echo 'configuration:   ./configure --help'
	@echo 'a VM:            scripts/toe-vm --help'

setup:
	@scripts/setup

check-tools:
	@scripts/setup --check

# ---------------------------------------------------------------------------------------------- QEMU and the guest

.PHONY: qemu guest driver
QEMU_ARGS := $(if $(QEMU_SRC),--src=$(QEMU_SRC)) $(if $(filter-out cc,$(CC)),--cc="$(CC)") $(if $(filter yes,$(ASAN)),--asan)

qemu: check-tools $(O)/config.mk
	@scripts/build-qemu --out=$(O) $(QEMU_ARGS)

guest: qemu
	@scripts/build-guest --out=$(O) --cc="$(CC)" $(GUEST_KERNELS)

driver: guest

# ---------------------------------------------------------------------------------------------- the adapter, outside QEMU

ADAPTER_SRC := $(wildcard qemu-device/adapter.c qemu-device/host/*.c qemu-device/nop/*.c qemu-device/nop/tcp/*.c)
ADAPTER_INC := -Iqemu-device -Iqemu-device/include -I$(O)/gen
ADAPTER_OBJ := $(ADAPTER_SRC:%.c=$(O)/plain/%.o)
ADAPTER_ASAN_OBJ := $(ADAPTER_SRC:%.c=$(O)/asan/%.o)

.PHONY: adapter
adapter: $(if $(ADAPTER_SRC),$(O)/libtoe-adapter.a)

$(O)/gen/toe_trace.h: $(wildcard qemu-device/trace-events) scripts/gen-trace.py
	$(call note,GEN,$@)
	@mkdir -p $(@D)
	$(Q)scripts/gen-trace.py --plain-header qemu-device/trace-events $@

$(O)/plain/%.o: %.c | $(O)/gen/toe_trace.h
	$(call note,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) $(CFLAGS) $(EXTRA) $(WARN) $(ADAPTER_INC) $(GLIB_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/asan/%.o: %.c | $(O)/gen/toe_trace.h
	$(call note,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) $(SANITIZE) $(WARN) $(ADAPTER_INC) $(GLIB_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/libtoe-adapter.a: $(ADAPTER_OBJ)
	$(call note,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/asan/libtoe-adapter.a: $(ADAPTER_ASAN_OBJ)
	$(call note,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

# ---------------------------------------------------------------------------------------------- library and tools

LIB_SRC := $(wildcard guest-lib/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(O)/lib/obj/%.o)
PRELOAD_SRC := $(wildcard guest-lib/preload/*.c)
PRELOAD_OBJ := $(PRELOAD_SRC:%.c=$(O)/lib/obj/%.o)
TOOL_SRC := $(filter-out guest-lib/tools/lib%.c guest-lib/tools/common%.c,$(wildcard guest-lib/tools/*.c))
TOOL_COMMON := $(filter guest-lib/tools/lib%.c guest-lib/tools/common%.c,$(wildcard guest-lib/tools/*.c))
TOOL_COMMON_OBJ := $(TOOL_COMMON:%.c=$(O)/lib/obj/%.o)
TOOLS := $(TOOL_SRC:guest-lib/tools/%.c=$(O)/bin/%)
LIB_INC := -Iguest-lib -Iguest-lib/include -Iqemu-device/include -Iguest-driver/include

.PHONY: lib tools
lib: $(if $(LIB_SRC),$(O)/lib/libtoe.a $(O)/lib/libtoe.so) $(if $(PRELOAD_SRC),$(O)/lib/libtoe-preload.so)
tools: $(TOOLS)

$(O)/lib/obj/%.o: %.c
	$(call note,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) -D_GNU_SOURCE $(CFLAGS) $(EXTRA) $(WARN) -fPIC $(LIB_INC) -MMD -MP -c -o $@ $<

$(O)/lib/libtoe.a: $(LIB_OBJ)
	$(call note,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/lib/libtoe.so.1: $(LIB_OBJ) $(wildcard guest-lib/libtoe.map)
	$(call note,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -shared -Wl,-soname,libtoe.so.1 $(if $(EXTRA),,-Wl$(comma)-z$(comma)defs) \
		$(addprefix -Wl$(comma)--version-script=,$(wildcard guest-lib/libtoe.map)) -o $@ $(LIB_OBJ) -lpthread

$(O)/lib/libtoe.so: $(O)/lib/libtoe.so.1
	$(Q)ln -sfn libtoe.so.1 $@

# The preload library carries libtoe inside and shows none of its names to the program.
$(O)/lib/libtoe-preload.so: $(PRELOAD_OBJ) $(O)/lib/libtoe.a $(wildcard guest-lib/preload/preload.map)
	$(call note,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -shared -Wl,-soname,libtoe-preload.so -Wl,--exclude-libs,ALL \
		$(addprefix -Wl$(comma)--version-script=,$(wildcard guest-lib/preload/preload.map)) \
		-o $@ $(PRELOAD_OBJ) $(O)/lib/libtoe.a -ldl -lpthread

$(O)/bin/%: $(O)/lib/obj/guest-lib/tools/%.o $(TOOL_COMMON_OBJ) $(O)/lib/libtoe.a
	$(call note,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -o $@ $^ -lpthread

# ---------------------------------------------------------------------------------------------- tests

# unit: one check program per tests/unit/test_*.c, sanitizers on, with the adapter as a library
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT_COMMON := $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c))
UNIT := $(UNIT_SRC:%.c=$(O)/%)
# device: check programs that speak qtest; what they share is in lib*.c
DEVICE_COMMON := $(wildcard tests/device/lib*.c)
DEVICE_SRC := $(filter-out $(DEVICE_COMMON),$(wildcard tests/device/*.c))
DEVICE := $(DEVICE_SRC:%.c=$(O)/%)
# guest, system: scripts, and the programs that they run in the guest
GUEST_COMMON := $(wildcard tests/guest/lib*.c)
GUEST_SRC := $(filter-out $(GUEST_COMMON),$(wildcard tests/guest/*.c tests/system/*.c))
GUEST_PROGRAMS := $(GUEST_SRC:%.c=$(O)/%)
GUEST_SH := $(filter-out tests/guest/lib%.sh tests/guest/common%.sh,$(wildcard tests/guest/*.sh))
SYSTEM_SH := $(filter-out tests/system/lib%.sh tests/system/common%.sh,$(wildcard tests/system/*.sh))
SCRIPT_TESTS := $(wildcard tests/scripts/*.sh)

.PHONY: tests unit-tests device-tests guest-tests
tests: unit-tests device-tests guest-tests sim-tests fuzz-tests peer-tests
unit-tests: $(UNIT)
device-tests: $(DEVICE)
guest-tests: $(GUEST_PROGRAMS)

$(O)/asan/tests/unit/%.o: tests/unit/%.c | $(O)/gen/toe_trace.h
	$(call note,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) $(SANITIZE) $(WARN) -Itests/unit $(ADAPTER_INC) $(GLIB_CFLAGS) $(CHECK_CFLAGS) -MMD -MP -c -o $@ $<

# An archive, so that a test gets only what it uses: one with a fake for a block must not get the block's own helpers.
$(O)/asan/libunit-common.a: $(UNIT_COMMON:%.c=$(O)/asan/%.o)
	$(call note,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/tests/unit/%: $(O)/asan/tests/unit/%.o $(O)/asan/libunit-common.a $(O)/asan/libtoe-adapter.a
	$(call note,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(GLIB_LIBS) $(CHECK_LIBS) -lm

# the library's own: against a fake adapter in the test, and nothing of the real one
LIB_ASAN_OBJ := $(LIB_SRC:%.c=$(O)/asan/lib/%.o)
$(O)/asan/lib/%.o: %.c
	$(call note,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) -D_GNU_SOURCE $(SANITIZE) $(WARN) $(LIB_INC) $(CHECK_CFLAGS) -MMD -MP -c -o $@ $<

$(filter $(O)/tests/unit/test_libtoe%,$(UNIT)): $(O)/tests/unit/%: $(O)/asan/lib/tests/unit/%.o $(LIB_ASAN_OBJ)
	$(call note,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(CHECK_LIBS) -lm

$(O)/tests/obj/%.o: tests/%.c
	$(call note,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) -D_GNU_SOURCE $(CFLAGS) $(WARN) -I$(<D) -Itests $(LIB_INC) $(GLIB_CFLAGS) $(CHECK_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/tests/device/%: $(O)/tests/obj/device/%.o $(DEVICE_COMMON:tests/%.c=$(O)/tests/obj/%.o)
	$(call note,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(GLIB_LIBS) $(CHECK_LIBS)

$(O)/tests/guest/%: $(O)/tests/obj/guest/%.o
	$(call note,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -o $@ $< $(GUEST_COMMON:tests/%.c=$(O)/tests/obj/%.o) $(O)/lib/libtoe.a -lpthread

$(O)/tests/system/%: $(O)/tests/obj/system/%.o
	$(call note,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -o $@ $< $(GUEST_COMMON:tests/%.c=$(O)/tests/obj/%.o) $(O)/lib/libtoe.a -lpthread

# A list of guest programs depends on the whole library; keep the pattern rules' intermediate files.
$(GUEST_PROGRAMS): $(GUEST_COMMON:tests/%.c=$(O)/tests/obj/%.o) $(if $(LIB_SRC),$(O)/lib/libtoe.a)
.SECONDARY:

.PHONY: check check-unit check-device check-guest check-system check-scripts lint demo bench
RUN := scripts/run-tests $(if $(TAP),--tap) $(addprefix --only=,$(TESTS))

# Set-up comes first and alone: what it installs is needed to read the rest.
check: setup
	@$(MAKE) --no-print-directory O=$(O) all tests
	@$(RUN) $(UNIT) $(SIM_SH) $(FUZZ_SH) $(DEVICE) $(SCRIPT_TESTS) scripts/lint $(GUEST_SH) $(SYSTEM_SH)

check-unit: unit-tests
	@$(RUN) $(UNIT)

check-device: qemu device-tests
	@$(RUN) $(DEVICE)

check-scripts: all guest-tests
	@$(RUN) $(SCRIPT_TESTS) scripts/lint

check-guest: all guest-tests
	@$(RUN) $(GUEST_SH)

check-system: all guest-tests peer-tests
	@$(RUN) $(SYSTEM_SH)

lint:
	@scripts/lint --all

demo: setup
	@$(MAKE) --no-print-directory O=$(O) all
	@scripts/demo

# The engine alone, natively: scripts/bench --engine runs it.
BENCH_BIN := $(O)/bench/engine

.PHONY: bench-programs
bench-programs: $(BENCH_BIN)

$(O)/bench/obj/%.o: %.c | $(O)/gen/toe_trace.h
	$(call note,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) $(CFLAGS) $(EXTRA) $(WARN) $(ADAPTER_INC) $(GLIB_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/bench/engine: $(O)/bench/obj/tests/bench/engine.o $(O)/libtoe-adapter.a
	$(call note,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -o $@ $^ $(GLIB_LIBS)

bench: setup
	@$(MAKE) --no-print-directory O=$(O) all bench-programs peer-tests
	@scripts/bench $(BENCH_ARGS)

# ---------------------------------------------------------------------------------------------- fuzzing

# libFuzzer targets, made with clang where there is one; tests/fuzz/*.sh run them and skip themselves otherwise.
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
# lib.sh is what they share.
FUZZ_SH := $(FUZZ:%=tests/fuzz/%.sh)
FUZZ_BIN := $(FUZZ:%=$(O)/fuzz/fuzz_%)
FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1 -g \
	-ftrivial-auto-var-init=pattern
FUZZ_INC := -Itests/fuzz $(ADAPTER_INC) $(LIB_INC) $(GLIB_CFLAGS)
FUZZ_SECONDS ?= 60

.PHONY: fuzz fuzz-tests fuzz-programs
fuzz: fuzz-tests
	@TOE_FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/run-tests --timeout=$$(($(FUZZ_SECONDS) + 600)) \
		$(addprefix --only=,$(TESTS)) $(FUZZ_SH)

fuzz-tests:
	@cc=$$(tests/fuzz/find-clang 2>/dev/null) || exit 0; \
		$(MAKE) --no-print-directory O=$(O) FUZZ_CC="$$cc" fuzz-programs

fuzz-programs: $(FUZZ_BIN)

$(O)/fuzz/obj/%.o: %.c | $(O)/gen/toe_trace.h
	$(call note,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(STD) -D_GNU_SOURCE $(FUZZ_SANITIZE) -fsanitize=fuzzer-no-link $(WARN) $(FUZZ_INC) -MMD -MP -c -o $@ $<

FUZZ_ADAPTER_OBJ := $(ADAPTER_SRC:%.c=$(O)/fuzz/obj/%.o) $(O)/fuzz/obj/tests/fuzz/net.o
FUZZ_LIB_OBJ := $(LIB_SRC:%.c=$(O)/fuzz/obj/%.o)

$(O)/fuzz/fuzz_frames $(O)/fuzz/fuzz_adapter: $(O)/fuzz/fuzz_%: $(O)/fuzz/obj/tests/fuzz/fuzz_%.o $(FUZZ_ADAPTER_OBJ)
	$(call note,LINK,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_SANITIZE) -fsanitize=fuzzer -o $@ $^ $(GLIB_LIBS) -lm

# A call that waits for the adapter gets its answer from the input.
$(O)/fuzz/fuzz_libtoe: $(O)/fuzz/obj/tests/fuzz/fuzz_libtoe.o $(FUZZ_LIB_OBJ)
	$(call note,LINK,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_SANITIZE) -fsanitize=fuzzer -Wl,--wrap=toe_wait_cq -o $@ $^

# ---------------------------------------------------------------------------------------------- simulation

# Two engines over a network of faults, by seed (tests/sim/main.c): make sim SEEDS=N from SEED=K on. make check runs a part of them,
# and some in a build with sanitizers.
SIM_SRC := $(wildcard tests/sim/*.c)
SIM_SH := $(wildcard tests/sim/*.sh)
SIM_BIN := $(if $(SIM_SRC),$(O)/sim/toe-sim $(O)/sim/toe-sim-asan)
SEED ?= 1

.PHONY: sim sim-tests check-sim
sim: $(O)/sim/toe-sim
	@$(O)/sim/toe-sim --seed $(SEED) --seeds $(or $(SEEDS),1) $(SIM_ARGS)

sim-tests: $(SIM_BIN)

check-sim: sim-tests
	@$(RUN) $(SIM_SH)

$(O)/sim/obj/%.o: %.c | $(O)/gen/toe_trace.h
	$(call note,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) $(CFLAGS) $(EXTRA) $(WARN) $(ADAPTER_INC) $(GLIB_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/asan/tests/sim/%.o: tests/sim/%.c | $(O)/gen/toe_trace.h
	$(call note,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) $(SANITIZE) $(WARN) $(ADAPTER_INC) $(GLIB_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/sim/toe-sim: $(SIM_SRC:%.c=$(O)/sim/obj/%.o) $(O)/libtoe-adapter.a
	$(call note,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -o $@ $^ $(GLIB_LIBS)

$(O)/sim/toe-sim-asan: $(SIM_SRC:%.c=$(O)/asan/%.o) $(O)/asan/libtoe-adapter.a
	$(call note,LINK,$@)
	$(Q)$(CC) $(SANITIZE) -o $@ $^ $(GLIB_LIBS)

# ---------------------------------------------------------------------------------------------- the kernel as the peer

# The engine natively on a tap, with the TCP of this machine's kernel at the other end (tests/peer/peer.h).
PEER_SRC := $(wildcard tests/peer/*.c)
PEER_BIN := $(if $(PEER_SRC),$(O)/tests/peer/toe-peer)

.PHONY: peer-tests check-matrix
peer-tests: $(PEER_BIN)

check-matrix: peer-tests
	@tests/system/engine_peer.sh matrix $(if $(BYTES),--bytes $(BYTES),--bytes 2000000)

$(O)/tests/peer/toe-peer: $(PEER_SRC:%.c=$(O)/bench/obj/%.o) $(O)/libtoe-adapter.a
	$(call note,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(EXTRA) -o $@ $^ $(GLIB_LIBS)

# ---------------------------------------------------------------------------------------------- install

DESTDIR ?=
D = $(DESTDIR)$(PREFIX)
.PHONY: install clean
install: all
	install -d $(D)/lib/pkgconfig $(D)/include $(D)/bin $(D)/share/man/man1 $(D)/share/man/man3 $(D)/share/man/man7
	install -m 755 $(O)/lib/libtoe.so.1 $(D)/lib/
	ln -sfn libtoe.so.1 $(D)/lib/libtoe.so
	install -m 644 $(O)/lib/libtoe.a $(D)/lib/
	$(if $(PRELOAD_SRC),install -m 755 $(O)/lib/libtoe-preload.so $(D)/lib/)
	install -m 644 $(wildcard guest-lib/include/*.h) $(D)/include/
	sed -e 's|@prefix@|$(PREFIX)|; s|@libdir@|$${prefix}/lib|; s|@includedir@|$${prefix}/include|; s|@version@|$(VERSION)|' \
		guest-lib/libtoe.pc.in >$(D)/lib/pkgconfig/libtoe.pc
	for section in 1 3 7; do \
		for page in guest-lib/man/*.$$section; do \
			[ ! -e "$$page" ] || install -m 644 "$$page" $(D)/share/man/man$$section/; \
		done; \
	done
	$(if $(TOOLS),install -m 755 $(TOOLS) $(D)/bin/)
	install -m 755 scripts/toe-vm $(D)/bin/
	install -d $(D)/share/toe/qemu/roms
	install -m 755 $(O)/qemu/qemu-system-x86_64 $(D)/share/toe/qemu/
	install -m 644 $(O)/qemu/roms/* $(D)/share/toe/qemu/roms/
	install -m 644 "$$(sed -n 's/^KERNEL=//p' $(O)/vm.conf)" $(D)/share/toe/kernel
	install -m 644 "$$(sed -n 's/^INITRAMFS=//p' $(O)/vm.conf)" $(D)/share/toe/initramfs.cpio
	install -m 644 "$$(sed -n 's/^DRIVER=//p' $(O)/vm.conf)" $(D)/share/toe/toe.ko
	printf '%s\n' '# Read by toe-vm.' QEMU=qemu/qemu-system-x86_64 KERNEL=kernel INITRAMFS=initramfs.cpio DRIVER=toe.ko \
		>$(D)/share/toe/vm.conf
	install -d $(D)/src/toe-$(VERSION)/include
	install -m 644 $(wildcard guest-driver/*.c guest-driver/*.h guest-driver/Kbuild) $(D)/src/toe-$(VERSION)/
	install -m 644 $(wildcard guest-driver/include/*.h qemu-device/include/*.h) $(D)/src/toe-$(VERSION)/include/
	printf '%s\n' 'PACKAGE_NAME="toe"' 'PACKAGE_VERSION="$(VERSION)"' 'BUILT_MODULE_NAME[0]="toe"' \
		'DEST_MODULE_LOCATION[0]="/updates"' 'AUTOINSTALL="yes"' \
		'MAKE[0]="make -C $${kernel_source_dir} M=$${dkms_tree}/toe/$(VERSION)/build TOE_HW_INCLUDE=$${dkms_tree}/toe/$(VERSION)/build/include"' \
		>$(D)/src/toe-$(VERSION)/dkms.conf

clean:
	rm -rf $(O)

# What each object was made from.
-include $(shell find $(O)/plain $(O)/asan $(O)/lib $(O)/tests $(O)/sim $(O)/fuzz $(O)/bench -name '*.d' 2>/dev/null)
