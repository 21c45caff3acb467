# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the fuzzing tests share: fuzz TARGET RUNS runs one libFuzzer target over its kept corpus (corpus/TARGET) and then RUNS
# inputs more, always the same ones, or as many of them as a minute allows; with TOE_FUZZ_SECONDS it goes on for that long instead,
# other ones each time. An input that makes it fail is kept in the build folder and printed with the command that runs it alone. New
# inputs are kept by tests/fuzz/keep only.

here=$(cd "$(dirname "$0")" && pwd)
build=${TOE_BUILD:-$here/../../build}

# One input takes milliseconds: this limit is for one that never ends.
HANG_SECONDS=120

fuzz() {
    target=$1
    runs=$2
    bin=$build/fuzz/fuzz_$target
    if [ ! -x "$bin" ]; then
        "$here/find-clang" 2>&1 || exit 77
        echo "$bin is not built: make fuzz-tests"
        exit 1
    fi
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    mkdir -p "$build/fuzz/found" "$build/fuzz/new/$target"
    if [ -n "${TOE_FUZZ_SECONDS:-}" ]; then
        new=$build/fuzz/new/$target
        set -- -max_total_time="$TOE_FUZZ_SECONDS"
    else
        new=$tmp
        set -- -seed=1 -runs="$runs" -max_total_time=60
    fi
    export ASAN_OPTIONS="quarantine_size_mb=16${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
    if "$bin" "$@" -max_len=1024 -timeout=$HANG_SECONDS -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$build/fuzz/found/$target-" "$new" "$here/corpus/$target" >"$tmp.log" 2>&1; then
        grep -E 'number_of_executed_units|average_exec|new_units' "$tmp.log" || true
        rm -f "$tmp.log"
        return 0
    fi
    grep -vE '^(INFO|#[0-9]+[[:space:]])' "$tmp.log" | tail -n 60
    input=$(sed -n 's/.*Test unit written to //p' "$tmp.log" | tail -n 1)
    rm -f "$tmp.log"
    [ -z "$input" ] || echo "run this input alone: $bin $input"
    exit 1
}
