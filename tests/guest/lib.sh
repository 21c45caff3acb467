# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by the tests in tests/guest and tests/system. A test has two halves in one file: the host's, which starts servers
# and VMs, and the guest's, which the same script runs in the VM ("NAME.sh guest ARG..."), where it finds the same
# files at the same places because the guest's root is the host's.
#
# What starts here ends here: a trap stops every process and removes the folder $TMP.

# shellcheck disable=SC2034
TOE_ROOT=${TOE_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
TOE_BUILD=$(realpath "${TOE_BUILD:-$TOE_ROOT/build}")
TOE_VM=${TOE_VM:-$TOE_ROOT/scripts/toe-vm}
PROGRAMS=$TOE_BUILD/tests/guest
TOOLS=$TOE_BUILD/bin
SELF=$(realpath "$0")
HOST=10.0.2.2 # the host's loopback, as the guest sees it

pass() {
    printf 'ok: %s\n' "$*"
}

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

skip() {
    printf '%s\n' "$*"
    exit 77
}

# check WHAT CMD...: CMD must succeed.
check() {
    local what=$1 status=0
    shift
    "$@" || status=$?
    [ $status = 0 ] || fail "$what (status $status: $*)"
    pass "$what"
}

# check_not WHAT CMD...: CMD must fail, by itself and not by a signal.
check_not() {
    local what=$1 status=0
    shift
    "$@" || status=$?
    [ $status != 0 ] && [ $status -lt 124 ] || fail "$what (status $status: $*)"
    pass "$what"
}

# equal WHAT GOT EXPECTED
equal() {
    [ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"
    pass "$1"
}

# until_true SECONDS CMD...: try again until it succeeds; false after so many seconds.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

sha_of() {
    sha256sum "$1" | cut -d' ' -f1
}

if [ "${1-}" = guest ]; then
    # In the guest: a fresh place for files, in memory.
    TMP=$(mktemp -d)
    return 0
fi

# ---- the host's half

for program in "$TOE_VM" "$PROGRAMS/host_peer" "$TOE_BUILD/vm.conf"; do
    [ -e "$program" ] || fail "$program is missing; run: make all tests"
done

if [ -n "${TOE_TEST_TMP-}" ]; then
    TMP=$(mktemp -d "$TOE_TEST_TMP/XXXXXX")
else
    TMP=$(mktemp -d)
fi
PIDS=()

cleanup() {
    local status=$? pid
    trap - EXIT
    for pid in "${PIDS[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${PIDS[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    if [ $status != 0 ] && [ $status != 77 ]; then
        for log in "$TMP"/*.console; do
            [ -e "$log" ] || continue
            printf -- '---- the end of %s\n' "$(basename "$log")"
            tail -n 15 "$log"
        done
    fi
    rm -rf "$TMP"
    exit $status
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# A TCP port of the loopback that is free now.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_line VAR REGEX CMD...: start CMD, wait for a line of its output that matches REGEX and put its first group into VAR.
# The process is stopped at the end of the test; its number is in STARTED.
start_line() {
    local var=$1 regex=$2 fifo line end=$((SECONDS + 60))
    shift 2
    fifo=$(mktemp -u "$TMP/fifo.XXXXXX")
    mkfifo "$fifo"
    "$@" >"$fifo" 2>&1 &
    STARTED=$!
    PIDS+=("$STARTED")
    exec {LINE_FD}<"$fifo"
    while [ $SECONDS -lt $end ] && IFS= read -r -t 60 -u "$LINE_FD" line; do
        if [[ $line =~ $regex ]]; then
            printf -v "$var" '%s' "${BASH_REMATCH[1]}"
            # What it prints later must not stop it.
            cat <&"$LINE_FD" >"$fifo.log" &
            PIDS+=($!)
            exec {LINE_FD}<&-
            return 0
        fi
    done
    fail "'$*' did not start as it should"
}

# peer_start [OPTION...]: a server of flows on the host: PEER_PORT, PEER_PID, PEER_LOG.
peer_start() {
    PEER_LOG=$(mktemp "$TMP/peer.XXXXXX")
    start_line PEER_PORT '^port ([0-9]+)$' "$PROGRAMS/host_peer" server --log "$PEER_LOG" "$@"
    PEER_PID=$STARTED
}

# peer_check N: N connections have ended, and all of them well.
peer_check() {
    local bad
    bad=$(grep -v 'end=eof state=ok$' "$PEER_LOG" || true)
    [ -z "$bad" ] || fail "the server on the host says: $bad"
    equal "the server on the host saw $1 connections, and every byte right" "$(wc -l <"$PEER_LOG")" "$1"
}

# http_start DIR: python's server: HTTP_PORT.
http_start() {
    start_line HTTP_PORT 'port ([0-9]+)' python3 -u -m http.server --bind "${2:-127.0.0.1}" --directory "$1" 0
}

# console_check FILE: no complaint of the guest's kernel.
console_check() {
    if grep -nE 'WARNING: |BUG: |Oops|Call Trace|general protection|INFO: task .* blocked|stall' "$1"; then
        fail "the guest's kernel complained"
    fi
}

# vm [toe-vm OPTION...] -- CMD...: run it, with our standard input closed.
vm() {
    local status=0
    "$TOE_VM" --timeout "${VM_TIMEOUT:-400}" --console "$TMP/vm.console" --env "TOE_BUILD=$TOE_BUILD" "$@" </dev/null || status=$?
    [ $status = 0 ] || return $status
    console_check "$TMP/vm.console"
}

# in_guest [toe-vm OPTION...] -- ARG...: the guest's half of this script.
in_guest() {
    local options=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift || true
    vm "${options[@]}" -- "$SELF" guest "$@" || fail "the guest's half failed (status $?)"
}

# A VM beside us. vm_start NAME [toe-vm OPTION...] -- CMD...; then vm_line waits for a line of its output, vm_tell gives it one,
# vm_end closes its input and waits; the status must be 0.
declare -A VM_IN VM_OUT VM_PID
vm_start() {
    local name=$1 in out
    shift
    mkfifo "$TMP/$name.in" "$TMP/$name.out"
    # Both ends, so that no open waits.
    exec {in}<>"$TMP/$name.in" {out}<>"$TMP/$name.out"
    VM_IN[$name]=$in
    VM_OUT[$name]=$out
    "$TOE_VM" --timeout "${VM_TIMEOUT:-400}" --console "$TMP/$name.console" --env "TOE_BUILD=$TOE_BUILD" "$@" \
        <"$TMP/$name.in" >"$TMP/$name.out" {in}>&- {out}>&- &
    VM_PID[$name]=$!
    PIDS+=($!)
}

# vm_line NAME REGEX [SECONDS]: the line is in LINE.
vm_line() {
    local name=$1 regex=$2 end=$((SECONDS + ${3:-180}))
    while [ $SECONDS -lt $end ]; do
        if IFS= read -r -t 1 -u "${VM_OUT[$name]}" LINE; then
            printf '%s: %s\n' "$name" "$LINE"
            if [[ $LINE =~ $regex ]]; then
                return 0
            fi
        elif ! kill -0 "${VM_PID[$name]}" 2>/dev/null; then
            fail "the VM '$name' ended, and did not print '$regex'"
        fi
    done
    fail "the VM '$name' did not print '$regex'"
}

vm_tell() {
    printf '%s\n' "$2" >&"${VM_IN[$1]}"
}

vm_end() {
    local name=$1 status=0 in=${VM_IN[$1]}
    exec {in}>&-
    wait "${VM_PID[$name]}" || status=$?
    while IFS= read -r -t 0.2 -u "${VM_OUT[$name]}" LINE; do
        printf '%s: %s\n' "$name" "$LINE"
    done
    [ $status = 0 ] || fail "the command in the VM '$name' failed (status $status)"
    console_check "$TMP/$name.console"
}
