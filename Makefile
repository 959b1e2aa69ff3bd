# Thin: meson and ninja do the work; the scripts in tools/ and tests/ can be called by hand, too.
BUILD ?= build
PREFIX ?= /usr/local
.PHONY: all test stress asan demo bench install format clean

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja: meson.build meson_options.txt
	@tools/deps build
	@test -f $@ || meson setup $(BUILD) --prefix=$(PREFIX) $(if $(CI),-Dwerror=true)

test: all
	@tools/deps test guest
	@tests/run

# What is tried less often by `make test` than is required: some hours, most of them in the emulated guest.
stress: all
	@tools/deps test guest
	@CROFT_STRESS=10000 tests/run -s here -s guest test_kext test_kext_abuse test_kext_calls test_kext_races

# The profile that the unit tests run under: address and undefined-behaviour sanitizers.
asan:
	@tools/deps build test
	@test -f build-asan/build.ninja || meson setup build-asan -Db_sanitize=address,undefined -Dbuildtype=debug -Db_lundef=false
	@ninja -C build-asan

demo: all
	@tools/deps test
	@tools/demo

bench: all
	@tools/deps bench
	@bench/run

install: all
	@meson install -C $(BUILD) --no-rebuild $(if $(DESTDIR),--destdir $(DESTDIR))

format:
	@tools/format --fix

clean:
	@rm -rf $(BUILD) build-asan build-fuzz
