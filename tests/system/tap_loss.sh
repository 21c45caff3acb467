#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A VM and the TCP of the host's kernel over a link that loses 1% of the frames, in both directions: the bytes are right, by
# SHA-256 and byte by byte, and losses really happened. The loss is made by tc netem where the kernel has it, else by nftables at
# the tap's ingress and egress; the script says which.

set -eu
. "$(dirname "$0")/../guest/lib.sh"
. "$(dirname "$0")/lib_tap.sh"

SIZE=8000000

if [ "${1-}" = guest ]; then
    cd "$TMP"
    "$PROGRAMS/counters" save before
    check "a file each way" sh -c "'$PROGRAMS/toecat' $TAP_HOST $2 <'$3' >got"
    equal "SHA-256 of what came" "$(sha_of got)" "$4"
    check "connections to the host" "$PROGRAMS/traffic" client --conns 8 --mem own --up 1000000 --down 1000000 --seed 1000 \
        "$TAP_HOST" "$5"
    "$PROGRAMS/counters" show tcp_retransmits tcp_rto tcp_fast_retransmits tcp_out_of_order tcp_dup_acks_in
    check "the adapter sent segments again" "$PROGRAMS/counters" moved before tcp_retransmits 20
    check "by fast retransmit, too" "$PROGRAMS/counters" moved before tcp_fast_retransmits 1
    check "and the host's did not all come in order" "$PROGRAMS/counters" moved before tcp_out_of_order 20
    echo "done"
    read -r _
    exit 0
fi

# The host's TCP must not see that a frame is lost (a drop in its own way out is an error to it, not a loss): it sits behind a
# pair of virtual devices and a bridge, and the losses are made between.
#
#   the host's TCP - veth1 = veth0 - bridge - tap0 = the VM
make_wire() {
    ip address flush dev tap0
    { ip link add veth0 type veth peer name veth1 && ip link add br0 type bridge &&
        ip link set dev veth0 master br0 && ip link set dev tap0 master br0; } 2>"$TMP/error" ||
        skip "a bridge cannot be made here: $(head -n 1 "$TMP/error")"
    ip address add $TAP_HOST/24 dev veth1
    # One frame is lost at a time, not a bundle that the kernel would have cut later.
    ip link set dev veth1 gso_max_segs 1
    for device in veth0 veth1 br0; do
        ip link set dev $device up
    done
}

# lose NAME IN OUT: 1% of the frames that come from the device IN and go to the device OUT.
lose() {
    if tc qdisc add dev "$3" root netem loss 1% 2>"$TMP/netem"; then
        printf 'tc netem loses frames %s\n' "$1"
        return
    fi
    command -v nft >/dev/null ||
        fail "this kernel has no tc netem ($(head -n 1 "$TMP/netem")) and the program nft is missing: apt-get install nftables"
    nft -f - 2>"$TMP/error" <<NFT || skip "neither tc netem ($(head -n 1 "$TMP/netem")) nor nftables ($(head -n 1 "$TMP/error")) can lose frames here"
table netdev loss_$2 {
    chain in {
        type filter hook ingress device "$2" priority 0; policy accept;
        numgen random mod 100 < 1 counter drop
    }
}
NFT
    printf 'nftables loses frames %s\n' "$1"
}

tap_enter "$@"
tap_make
make_wire
lose "to the guest" veth0 tap0
lose "from the guest" tap0 veth0
head -c $SIZE /dev/urandom >"$TMP/up"
head -c $SIZE /dev/urandom >"$TMP/down"
peer_start --bind $TAP_HOST
start_line FILE_PORT '^port ([0-9]+)$' python3 -u "$(dirname "$SELF")/file_server.py" $TAP_HOST "$TMP/down" "$TMP/got"
FILE_PID=$STARTED
vm_start vm --net tap=tap0 --ip $TAP_GUEST/24,$TAP_HOST -- "$SELF" guest "$FILE_PORT" "$TMP/up" "$(sha_of "$TMP/down")" "$PEER_PORT"
vm_line vm '^done$' 350
check "the host's server of files ended well" wait "$FILE_PID"
equal "SHA-256 of what the host got" "$(sha_of "$TMP/got")" "$(sha_of "$TMP/up")"
peer_check 8
nft list ruleset 2>/dev/null | grep counter || true
tc -s qdisc show | grep -A2 netem || true
vm_tell vm go
vm_end vm
