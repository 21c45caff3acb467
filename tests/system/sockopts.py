#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Socket options of a program: sockopts.py server ADDR, and sockopts.py client ADDR PORT [adapter].

The client sets each option before connect() and after it, reads it back, and looks for what came of it: in its own TCP_INFO, and in
the server's, which the server sends as JSON for each line it gets. With "adapter" it also expects what only the adapter has."""
import json
import socket
import struct
import sys

TCP, IP, SOL = socket.IPPROTO_TCP, socket.IPPROTO_IP, socket.SOL_SOCKET
SO_MAX_PACING_RATE, IP_MTU_DISCOVER, IP_MTU, TCP_FASTOPEN_CONNECT = 47, 10, 14, 30
TCP_FASTOPEN, TCP_NOTSENT_LOWAT, TCP_USER_TIMEOUT, TCP_CONGESTION = 23, 25, 18, 13
IP_PMTUDISC_PROBE = 3
OPT_SYN_DATA = 0x20

# (level, name, value): what is read back is what was set.
PLAIN = [
    (TCP, socket.TCP_NODELAY, 1), (TCP, socket.TCP_CORK, 1), (TCP, socket.TCP_CORK, 0), (TCP, socket.TCP_KEEPIDLE, 70),
    (TCP, socket.TCP_KEEPINTVL, 20), (TCP, socket.TCP_KEEPCNT, 5), (TCP, TCP_USER_TIMEOUT, 30000),
    (TCP, TCP_NOTSENT_LOWAT, 100000), (TCP, socket.TCP_WINDOW_CLAMP, 50000), (TCP, socket.TCP_DEFER_ACCEPT, 0),
    (SOL, socket.SO_KEEPALIVE, 1), (SOL, SO_MAX_PACING_RATE, 50000000), (SOL, socket.SO_OOBINLINE, 1),
    (IP, socket.IP_TOS, 0x28), (IP, socket.IP_TTL, 33), (IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE),
]


def info(s):
    """Fields of struct tcp_info by name; those that every kernel has."""
    raw = s.getsockopt(TCP, socket.TCP_INFO, 256)
    first = struct.unpack("6B", raw[:6])
    words = ("rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_ack_sent last_data_recv last_ack_recv "
             "pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans").split()
    found = dict(zip(words, struct.unpack("24I", raw[8:104])))
    found["state"], found["options"] = first[0], first[5]
    found["pacing_rate"], found["max_pacing_rate"] = struct.unpack("2Q", raw[104:120])
    return found


def theirs(s, file):
    """The server's TCP_INFO of the same connection."""
    s.sendall(b"info\n")
    return json.loads(file.readline())


def equal(what, got, want):
    assert got == want, "%s: %r, not %r" % (what, got, want)


def opened(server, before=()):
    s = socket.socket()
    for level, name, value in before:
        s.setsockopt(level, name, value)
    s.connect(server)
    return s, s.makefile("rb")


def plain(server):
    s, file = opened(server, PLAIN)
    for level, name, value in PLAIN[:2] + PLAIN[3:]:
        if (level, name) != (TCP, socket.TCP_CORK):
            equal("before: option %d of level %d" % (name, level), s.getsockopt(level, name), value)
    equal("limit of the pace", info(s)["max_pacing_rate"], 50000000)
    theirs(s, file)
    s.close()
    s, file = opened(server)
    for level, name, value in PLAIN:
        s.setsockopt(level, name, value)
        equal("after: option %d of level %d" % (name, level), s.getsockopt(level, name), value)
    equal("limit of the pace, set later", info(s)["max_pacing_rate"], 50000000)
    s.setsockopt(SOL, SO_MAX_PACING_RATE, struct.pack("I", 0xffffffff))
    theirs(s, file)
    s.close()


def segments(server):
    s, file = opened(server)
    full = info(s)["snd_mss"]
    equal("path MTU", s.getsockopt(IP, IP_MTU), 1500)
    equal("TCP_MAXSEG without a limit", s.getsockopt(TCP, socket.TCP_MAXSEG), full)
    equal("the peer's segments", theirs(s, file)["snd_mss"], full)
    s.setsockopt(TCP, socket.TCP_MAXSEG, 1000)
    s.close()
    # Before: it is announced with the SYN, so the peer keeps to it.
    s, file = opened(server, [(TCP, socket.TCP_MAXSEG, 700)])
    mine, peer = info(s), theirs(s, file)
    overhead = 1460 - full  # of timestamps
    equal("snd_mss", mine["snd_mss"], 700 - overhead)
    equal("the peer's snd_mss", peer["snd_mss"], 700 - overhead)
    equal("TCP_MAXSEG", s.getsockopt(TCP, socket.TCP_MAXSEG), 700 - overhead)
    s.close()


def buffers(server, adapter):
    s, file = opened(server, [(SOL, socket.SO_RCVBUF, 60000), (SOL, socket.SO_SNDBUF, 40000)])
    # As in the kernel, twice what was asked for; the adapter takes no such extra.
    equal("SO_RCVBUF", s.getsockopt(SOL, socket.SO_RCVBUF), 120000)
    equal("SO_SNDBUF", s.getsockopt(SOL, socket.SO_SNDBUF), 80000)
    if adapter:
        equal("the window that may be", info(s)["rcv_ssthresh"], 60000)
    theirs(s, file)
    s.close()


def congestion(server, adapter):
    for name in (b"reno", b"cubic") + ((b"dctcp",) if adapter else ()):
        s = socket.socket()
        s.setsockopt(TCP, TCP_CONGESTION, name)
        equal("before connect()", s.getsockopt(TCP, TCP_CONGESTION, 16).rstrip(b"\0"), name)
        twin = s.dup()
        s.close()
        twin.connect(server)
        equal("after it", twin.getsockopt(TCP, TCP_CONGESTION, 16).rstrip(b"\0"), name)
        theirs(twin, twin.makefile("rb"))
        twin.setsockopt(TCP, TCP_CONGESTION, b"reno")
        equal("changed", twin.getsockopt(TCP, TCP_CONGESTION, 16).rstrip(b"\0"), b"reno")
        try:
            twin.setsockopt(TCP, TCP_CONGESTION, b"nonsense")
        except OSError:
            pass
        else:
            raise AssertionError("an algorithm that nobody has")
        twin.close()


def linger(server):
    s, file = opened(server, [(SOL, socket.SO_LINGER, struct.pack("ii", 1, 7))])
    equal("SO_LINGER", struct.unpack("ii", s.getsockopt(SOL, socket.SO_LINGER, 8)), (1, 7))
    theirs(s, file)
    file.close()
    s.close()
    # With 0 the peer sees a reset: the server says how the one before ended.
    s, file = opened(server)
    s.setsockopt(SOL, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.sendall(b"reset?\n")
    equal("the server waits", file.readline(), b"yes\n")
    file.close()
    s.close()
    s, file = opened(server)
    s.sendall(b"last\n")
    equal("how the last one ended", file.readline(), b"reset\n")
    s.close()


def quickack(server):
    s, file = opened(server)
    for value in 1, 0, 1:
        s.setsockopt(TCP, socket.TCP_QUICKACK, value)
        equal("TCP_QUICKACK", s.getsockopt(TCP, socket.TCP_QUICKACK), value)
    theirs(s, file)
    s.close()


def fastopen(server):
    for turn in range(2):
        s, file = opened(server, [(TCP, TCP_FASTOPEN_CONNECT, 1)])
        peer = theirs(s, file)
        # The first one gets the cookie, the second one takes its data with it.
        equal("data in the SYN, turn %d" % turn, bool(peer["options"] & OPT_SYN_DATA), bool(turn))
        equal("and known of here", bool(info(s)["options"] & OPT_SYN_DATA), bool(turn))
        s.close()


def reused_number(server):
    """What was set on a descriptor is not set on the next one with its number."""
    s = socket.socket()
    s.setsockopt(TCP, socket.TCP_MAXSEG, 600)
    number = s.fileno()
    s.close()
    s, file = opened(server)
    equal("the number", s.fileno(), number)
    assert info(s)["snd_mss"] > 600
    theirs(s, file)
    s.close()


def serve(address):
    listener = socket.create_server((address, 0))
    listener.setsockopt(TCP, TCP_FASTOPEN, 5)
    print("port", listener.getsockname()[1], flush=True)
    ended = b"?"
    while True:
        s = listener.accept()[0]
        try:
            for line in s.makefile("rb"):
                if line == b"info\n":
                    s.sendall(json.dumps(info(s)).encode() + b"\n")
                else:
                    s.sendall({b"reset?\n": b"yes", b"last\n": ended}[line] + b"\n")
            ended = b"in order"
        except ConnectionResetError:
            ended = b"reset"
        s.close()


if sys.argv[1] == "server":
    serve(sys.argv[2])
to, on_adapter = (sys.argv[2], int(sys.argv[3])), "adapter" in sys.argv
for name, test in (("plain", lambda: plain(to)), ("segments", lambda: segments(to)), ("buffers", lambda: buffers(to, on_adapter)),
                   ("congestion", lambda: congestion(to, on_adapter)), ("linger", lambda: linger(to)),
                   ("quickack", lambda: quickack(to)), ("a number used again", lambda: reused_number(to)),
                   ("fastopen", lambda: fastopen(to))):
    test()
    print(name + ": ok", flush=True)
