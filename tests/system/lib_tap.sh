# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by tests of a VM against the host's kernel over a tap. The script runs itself again in a network namespace of its own,
# where it may make a tap, whatever the host's network looks like.

# shellcheck disable=SC2034
TAP_HOST=10.9.0.1
# shellcheck disable=SC2034
TAP_GUEST=10.9.0.2

# tap_enter ARG...: go on in a namespace, or skip the test with the reason.
tap_enter() {
    local reason
    if [ -n "${TOE_TAP_NAMESPACE-}" ]; then
        return
    fi
    command -v unshare >/dev/null || fail "the program unshare is missing: apt-get install util-linux"
    command -v ip >/dev/null || fail "the program ip is missing: apt-get install iproute2"
    # The folder is the first script's; the second one makes its own.
    rm -rf "$TMP"
    export TOE_TAP_NAMESPACE=1
    if unshare -n true 2>/dev/null; then
        exec unshare -n "$0" "$@"
    fi
    if unshare -rn true 2>/dev/null; then
        exec unshare -rn "$0" "$@"
    fi
    reason=$(unshare -rn true 2>&1 || true)
    skip "network namespaces are not allowed here: $reason"
}

tap_make() {
    [ -c /dev/net/tun ] || skip "there is no /dev/net/tun"
    ip link set dev lo up
    ip tuntap add dev tap0 mode tap 2>"$TMP/error" || skip "a tap cannot be made here: $(cat "$TMP/error")"
    ip address add $TAP_HOST/24 dev tap0
    ip link set dev tap0 up
}

tap_over_adapter() {
    LD_PRELOAD="$TOE_BUILD/lib/libtoe-preload.so" TOE_PRELOAD_STATS=1 timeout 120 \
        python3 "$1" client $TAP_HOST "$2" 2>"$TMP/stats" || { cat "$TMP/stats"; return 1; }
}

# tap_preload PROGRAM N ARG...: the script's whole work. PROGRAM (Python) is "server ADDR" on the host and "client ADDR PORT" in the
# guest: over the guest's kernel, as a control of the test itself, then through libtoe-preload, where N connections are the adapter's.
tap_preload() {
    local program=$1 count=$2
    shift 2
    if [ "${1-}" = guest ]; then
        check "over the guest's kernel" timeout 120 python3 "$program" client $TAP_HOST "$2"
        check "over the adapter" tap_over_adapter "$program" "$2"
        equal "it was the adapter" "$(awk '$2 == "accelerated" { print $3 }' "$TMP/stats")" "$count"
        exit 0
    fi
    tap_enter "$@"
    tap_make
    [ -e "$TOE_BUILD/lib/libtoe-preload.so" ] || fail "libtoe-preload.so is missing; run: make lib"
    start_line SERVER_PORT '^port ([0-9]+)$' python3 -u "$program" server $TAP_HOST
    vm --net tap=tap0 --ip $TAP_GUEST/24,$TAP_HOST -- "$SELF" guest "$SERVER_PORT" || fail "the guest's half failed (status $?)"
}
