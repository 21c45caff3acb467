#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An application in one VM, app-direct, and Debian's own kernel TCP in another, over a link with tc netem in both directions: the
# distribution's kernel has netem and DCTCP also where the host's has not. Each round is a file each way, by SHA-256, and
# connections with every byte checked; the counters say that the faults really happened. Then every cell of a matrix of loss,
# delay and reordering, with CUBIC and NewReno in turns, and DCTCP where the losses are marks: a file each way over IPv4 and,
# at the same time, over IPv6.

set -eu
. "$(dirname "$0")/../guest/lib.sh"

SIZE=8000000
PEER=10.9.0.1

# name; netem; congestion control of the adapter, by number, and of the kernel; counters that have to move
ROUNDS=(
    "loss;loss 1%;0;cubic;tcp_retransmits tcp_out_of_order"
    "loss, delay and reordering;loss 2% delay 10ms reorder 20% 50%;1;reno;tcp_retransmits tcp_out_of_order"
    "DCTCP and marks;loss 2% ecn;2;dctcp;tcp_ecn_conns tcp_ce_in tcp_ece_in"
)

CELL_SIZE=300000
PEER6=fd00:9::1
APP6=fd00:9::2

# Loss and marks are each way, the delay is there and back. For reordering 2% of the frames go ahead of the others, or without a
# delay are 1 ms behind them.
cells() {
    local loss delay order cc=0 name=(cubic reno)

    for loss in 0 0.1 1 5; do
        for delay in 0 20 100; do
            for order in "" reorder; do
                echo "loss $loss%, $delay ms${order:+, reordered};$(faults "loss $loss%" $delay "$order");$cc;${name[cc]}"
                cc=$((1 - cc))
            done
            cc=$((1 - cc))
            [ $loss = 0 ] || echo "marks $loss%, $delay ms;$(faults "loss $loss% ecn" $delay "");2;dctcp"
        done
    done
}

faults() {
    case "$2$3" in
        0) echo "$1" ;;
        0reorder) echo "$1 delay 1ms reorder 98%" ;;
        *reorder) echo "$1 delay $(($2 / 2))ms reorder 2%" ;;
        *) echo "$1 delay $(($2 / 2))ms" ;;
    esac
}

# netem_set ARG...: on both ways of the peer's interface.
netem_set() {
    local device

    for device in "$nic" ifb0; do
        # Changed only, it would keep what is not named.
        tc qdisc replace dev $device root pfifo
        tc qdisc replace dev $device root netem "$@"
    done
}

# server_start NAME CMD...: its process is in SERVER, its port in PORT.
server_start() {
    local name=$1
    shift
    "$@" >"$TMP/$name.out" &
    SERVER=$!
    check "peer: $name listens" until_true 60 grep -q '^port ' "$TMP/$name.out"
    PORT=$(sed -n 's/^port //p' "$TMP/$name.out")
}

guest_peer() {
    local modules=$1 round netem name module cc flows flow_port
    nic=$(basename /sys/bus/pci/drivers/toe/0*/net/*)
    for module in net/sched/sch_netem net/sched/sch_ingress net/sched/act_mirred net/sched/cls_matchall drivers/net/ifb net/ipv4/tcp_dctcp; do
        # .ko, or compressed, as Debian 13 has them: insmod reads both.
        check "peer: module $module" insmod "$(echo "$modules/$module".ko*)"
    done
    # What comes in goes through ifb0's queue first.
    ip link set dev ifb0 up
    tc qdisc add dev "$nic" handle ffff: ingress
    tc filter add dev "$nic" parent ffff: matchall action mirred egress redirect dev ifb0
    # One frame is lost at a time, not a bundle.
    ip link set dev "$nic" gso_max_segs 1
    echo 1 >/proc/sys/net/ipv4/tcp_ecn
    for round in "${ROUNDS[@]}"; do
        IFS=';' read -r name netem _ cc _ <<<"$round"
        # shellcheck disable=SC2086
        netem_set $netem
        echo "$cc" >/proc/sys/net/ipv4/tcp_congestion_control
        # A listener keeps the congestion control that it began with.
        server_start flows "$PROGRAMS/host_peer" server --log "$TMP/log" --bind $PEER --expect 4
        flows=$SERVER
        flow_port=$PORT
        server_start file python3 -u "$(dirname "$SELF")/file_server.py" $PEER "$2" "$TMP/got"
        echo "ready $PORT $flow_port"
        read -r _
        check "peer: $name: the file's connection ended in order" wait "$SERVER"
        equal "peer: $name: SHA-256 of what came" "$(sha_of "$TMP/got")" "$3"
        check "peer: $name: connections" wait "$flows"
        equal "peer: $name: every byte right" "$(grep -c 'end=eof state=ok$' "$TMP/log")" 4
        rm "$TMP/log"
        tc -s qdisc show dev ifb0
    done
    ip address add $PEER6/64 dev "$nic" nodad
    server_start files python3 -u "$(dirname "$SELF")/file_server.py" --many "$4" "$5"
    echo "ready $PORT"
    while IFS=';' read -r name netem _ cc; do
        [ "$name" != end ] || break
        # shellcheck disable=SC2086
        netem_set $netem
        echo "$cc" >/proc/sys/net/ipv4/tcp_congestion_control
        echo "set"
    done
    equal "peer: every file right" "$(grep -v '^port ' "$TMP/files.out" | sort -u)" ok
    kill "$SERVER"
    echo "done"
    read -r _
}

guest_app() {
    local round name cc moves counter
    cd "$TMP"
    for round in "${ROUNDS[@]}"; do
        IFS=';' read -r name _ cc _ moves <<<"$round"
        read -r file_port flow_port
        echo "$cc" >/sys/class/misc/toe0/device/tunables/congestion
        "$PROGRAMS/counters" save before
        check "app: $name: a file each way" sh -c "'$PROGRAMS/toecat' $PEER $file_port <'$1' >got"
        equal "app: $name: SHA-256 of what came" "$(sha_of got)" "$2"
        check "app: $name: connections" "$PROGRAMS/traffic" client --conns 4 --mem own --up 500000 --down 500000 --seed 1000 $PEER "$flow_port"
        for counter in $moves; do
            "$PROGRAMS/counters" show "$counter"
            check "app: $name: $counter moved" "$PROGRAMS/counters" moved before "$counter" 3
        done
        echo "round"
    done
    ip address add $APP6/64 dev "$(basename /sys/bus/pci/drivers/toe/0*/net/*)" nodad
    read -r file_port
    "$PROGRAMS/counters" save before
    check "app: IPv6 works" until_true 60 sh -c "'$PROGRAMS/toecat' $PEER6 $file_port <'$3' >got"
    while IFS=';' read -r name _ cc _; do
        [ "$name" != end ] || break
        echo "$cc" >/sys/class/misc/toe0/device/tunables/congestion
        "$PROGRAMS/toecat" $PEER "$file_port" <"$3" >got &
        check "app: $name: over IPv6" sh -c "'$PROGRAMS/toecat' $PEER6 $file_port <'$3' >got6"
        check "app: $name: over IPv4" wait $!
        equal "app: $name: SHA-256 of what came" "$(sha_of got) $(sha_of got6)" "$4 $4"
        echo "round"
    done
    # In all cells together: some have hardly a fault.
    "$PROGRAMS/counters" show tcp_retransmits tcp_out_of_order tcp_ce_in
    check "app: frames were lost" "$PROGRAMS/counters" moved before tcp_retransmits 50
    check "app: frames were reordered" "$PROGRAMS/counters" moved before tcp_out_of_order 50
    check "app: frames were marked" "$PROGRAMS/counters" moved before tcp_ce_in 20
}

if [ "${1-}" = guest ]; then
    shift
    "guest_$1" "${@:2}"
    exit 0
fi

# Of the kernel that the VM boots. Debian's has netem; one that ./configure was given may not.
conf=$(readlink -f "$TOE_BUILD/vm.conf")
version=$(basename "$(dirname "$conf")")
modules=$(sed -n 's/^MODULES=//p' "$conf")/$version/kernel
if ! compgen -G "$modules/net/sched/sch_netem.ko*" >/dev/null; then
    grep -q '^GUEST_KERNELS := .' "$TOE_BUILD/config.mk" || fail "the guest's kernel $version has no sch_netem in $modules"
    skip "the guest's kernel $version, given to ./configure, has no module sch_netem"
fi
head -c $SIZE /dev/urandom >"$TMP/up"
head -c $SIZE /dev/urandom >"$TMP/down"
head -c $CELL_SIZE /dev/urandom >"$TMP/cell_up"
head -c $CELL_SIZE /dev/urandom >"$TMP/cell_down"
cells >"$TMP/cells"
port=$(free_port)
vm_start peer --mem 512 --net "socket=listen=127.0.0.1:$port" --ip $PEER/24 --device-opts mac=52:54:00:00:00:01 -- \
    "$SELF" guest peer "$modules" "$TMP/down" "$(sha_of "$TMP/up")" "$TMP/cell_down" "$(sha_of "$TMP/cell_up")"
vm_line peer '^ready ([0-9]+ [0-9]+)$'
vm_start app --mem 512 --net "socket=connect=127.0.0.1:$port" --ip 10.9.0.2/24 --device-opts mac=52:54:00:00:00:02 -- \
    "$SELF" guest app "$TMP/up" "$(sha_of "$TMP/down")" "$TMP/cell_up" "$(sha_of "$TMP/cell_down")"
for ((i = 1; i <= ${#ROUNDS[@]}; i++)); do
    vm_tell app "${BASH_REMATCH[1]}"
    vm_line app '^round$'
    vm_tell peer next
    [ $i = ${#ROUNDS[@]} ] || vm_line peer '^ready ([0-9]+ [0-9]+)$'
done
vm_line peer '^ready ([0-9]+)$'
vm_tell app "${BASH_REMATCH[1]}"
while read -r cell <&3; do
    vm_tell peer "$cell"
    vm_line peer '^set$'
    vm_tell app "$cell"
    vm_line app '^round$'
done 3<"$TMP/cells"
vm_tell peer end
vm_line peer '^done$'
vm_tell app end
vm_tell peer go
vm_end app
vm_end peer
