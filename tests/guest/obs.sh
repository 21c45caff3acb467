#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What one can see: toestat, ethtool's interface, debugfs and the QEMU monitor show the same counters; connections and contexts
# are listed with their state and owner while they exist; trace events of every layer appear; --pcap has the frames.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    cd "$TMP"
    mount -t debugfs none /sys/kernel/debug 2>/dev/null || true
    mkfifo gate
    "$PROGRAMS/counters" save before
    "$PROGRAMS/traffic" client --together --gate gate --conns 3 --mem own --seed 10 "$HOST" "$2" >out &
    app=$!
    check "an application has 3 connections" until_true 60 grep -q 'open at once' out
    "$TOOLS/toestat" -n >conns
    "$TOOLS/toestat" -c >contexts
    cat conns contexts
    equal "toestat: 3 established connections to the server" "$(grep ESTABLISHED conns | grep -c "$HOST:$2")" 3
    equal "toestat: the context's owner" "$(grep -c traffic contexts)" 1
    equal "debugfs: 3 connections" "$(grep ESTABLISHED /sys/kernel/debug/toe/toe0/connections | grep -c "$HOST:$2")" 3
    equal "debugfs: the context's owner" "$(awk -v pid=$app '$3 == pid && $4 == "traffic"' \
        /sys/kernel/debug/toe/toe0/contexts | wc -l)" 1
    equal "debugfs: the adapter's magic number" "$(awk '$2 == "MAGIC" { print $3 }' /sys/kernel/debug/toe/toe0/registers)" 0x31454f54
    check "toestat --json is JSON" sh -c "'$TOOLS/toestat' -a --json | python3 -m json.tool >/dev/null"
    : >gate
    check "the application ends well" wait $app
    equal "no connection of it is left established" "$("$TOOLS/toestat" -n | grep -c ESTABLISHED || true)" 0

    "$PROGRAMS/nicinfo" "$TOE_IF" >nic
    equal "ethtool: the driver" "$(sed -n 's/^driver //p' nic)" toe
    equal "ethtool: the link" "$(sed -n 's/^link //p' nic)" 1
    check "the context is given back" "$PROGRAMS/counters" settle-contexts before
    # Counters that nothing moves now: the interface goes down, and reading them moves only the admin queue's.
    ip link set dev "$TOE_IF" down
    "$PROGRAMS/counters" show | grep -Ev '^(adm_|port_|eth_|arp_|cqm_|rqm_)' >counters
    "$PROGRAMS/nicinfo" "$TOE_IF" | sed -n 's/^stat //p' | grep -Ev '^(adm_|port_|eth_|arp_|cqm_|rqm_)' >nic
    check "ethtool -S shows the adapter's counters, all and the same" diff counters nic
    "$TOOLS/toestat" -s -a >stat
    while read -r name value; do
        awk -v n="$name" -v v="$value" '$1 == n && $2 == v { found = 1 } END { exit !found }' stat ||
            fail "toestat shows another $name than $value: $(grep "$name" stat)"
    done <counters
    pass "toestat -s shows the same"
    sed 's/^/counter /' counters
    echo ready
    read -r _
    exit 0
fi

peer_start
vm_start vm --trace 'toe_*' --trace-file "$TMP/trace" --pcap "$TMP/pcap" \
    --qemu-arg=-qmp --qemu-arg="unix:$TMP/qmp,server=on,wait=off" -- "$SELF" guest "$PEER_PORT"
: >"$TMP/counters"
while vm_line vm '^(counter|ready)'; do
    case $LINE in
    ready) break ;;
    *) printf '%s\n' "${LINE#counter }" >>"$TMP/counters" ;;
    esac
done
[ "$(wc -l <"$TMP/counters")" -gt 20 ] || fail "the guest told too few counters"
check "the monitor (qom-get) shows the same counters" python3 - "$TMP/qmp" "$TMP/counters" <<'PYTHON'
import json, socket, sys

connection = socket.socket(socket.AF_UNIX)
connection.settimeout(60)
connection.connect(sys.argv[1])
stream = connection.makefile("rw")

def ask(command, **arguments):
    stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    stream.flush()
    while True:
        answer = json.loads(stream.readline())
        if "return" in answer:
            return answer["return"]
        if "error" in answer:
            sys.exit("%s: %s" % (command, answer["error"]["desc"]))

def find(path):
    """The adapter among all devices without an id."""
    for item in ask("qom-list", path=path):
        if item["type"] == "child<toe>":
            return path + "/" + item["name"]
    return None

stream.readline()
ask("qmp_capabilities")
path = find("/machine/peripheral-anon") or find("/machine/peripheral")
if not path:
    sys.exit("the monitor knows no device of type toe")
counters = ask("qom-get", path=path, property="counters")
wrong = []
with open(sys.argv[2], encoding="ascii") as f:
    for line in f:
        name, value = line.split()
        if counters.get(name) != int(value):
            wrong.append("%s: the guest sees %s, the monitor %s" % (name, value, counters.get(name)))
if wrong:
    sys.exit("\n".join(wrong))
PYTHON
vm_tell vm go
vm_end vm
for block in regs adm context memval rqm cqm dma conn ethq eth ip tcp port; do
    grep -qE "^[^ ]*toe_$block" "$TMP/trace" || missing="${missing-} $block"
done
cut -d' ' -f1 "$TMP/trace" | sed 's/.*\(toe_[a-z]*\)_.*/\1/' | sort | uniq -c
[ -z "${missing-}" ] || fail "no trace event of these blocks appeared:$missing"
pass "trace events of every block"
check "the packets are recorded" python3 - "$TMP/pcap" <<'PYTHON'
import struct, sys
data = open(sys.argv[1], "rb").read()
if struct.unpack("<I", data[:4])[0] != 0xa1b2c3d4:
    sys.exit("not a pcap file")
at, frames, tcp = 24, 0, 0
while at < len(data):
    size = struct.unpack("<I", data[at + 8:at + 12])[0]
    frame = data[at + 16:at + 16 + size]
    frames += 1
    tcp += frame[12:14] == b"\x08\x00" and frame[23] == 6
    at += 16 + size
if tcp < 100:
    sys.exit("only %d TCP packets of %d frames" % (tcp, frames))
PYTHON
peer_check 3
