#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Urgent data between two programs: oob.py server ADDR, and oob.py client ADDR PORT, which says what the server does.

Both sides are the same code, so each direction is checked with the same eyes. The byte is looked for with all that sockets have:
MSG_OOB, the exceptional set of select, POLLPRI, EPOLLPRI, SIOCATMARK, sockatmark() and SO_OOBINLINE."""
import ctypes
import errno
import fcntl
import select
import socket
import struct
import sys
import termios

SIOCATMARK = 0x8905
LIMIT = 60  # seconds that only say "never"


def line_of(s):
    text = b""
    while not text.endswith(b"\n"):
        byte = s.recv(1)
        if not byte:
            raise EOFError(text)
        text += byte
    return text.decode().split()


def at_mark(s):
    by_ioctl = struct.unpack("i", fcntl.ioctl(s, SIOCATMARK, b"\0" * 4))[0]
    by_call = ctypes.CDLL(None).sockatmark(s.fileno())
    assert by_ioctl == by_call, (by_ioctl, by_call)
    return bool(by_call)


def readable(s):
    """FIONREAD, and what select() says at once."""
    return struct.unpack("i", fcntl.ioctl(s, termios.FIONREAD, b"\0" * 4))[0], bool(select.select([s], [], [], 0)[0])


def no_urgent_byte(s):
    try:
        got = s.recv(1, socket.MSG_OOB)
    except OSError as e:
        assert e.errno == errno.EINVAL, e
    else:
        raise AssertionError(got)


def give(s, ahead):
    s.sendall(b"abc" * ahead)
    assert s.send(b"xyU", socket.MSG_OOB) == 3
    assert line_of(s) == ["next"]
    s.sendall(b"def")


def take(s, ahead, inline):
    ready = select.select([], [], [s], LIMIT)
    assert ready[2] == [s], ready
    poll = select.poll()
    poll.register(s, select.POLLPRI)
    epoll = select.epoll()
    epoll.register(s, select.EPOLLPRI)
    assert poll.poll(LIMIT * 1000) == [(s.fileno(), select.POLLPRI)]
    assert epoll.poll(LIMIT) == [(s.fileno(), select.EPOLLPRI)]
    assert not at_mark(s)
    if inline:
        no_urgent_byte(s)
    else:
        # Ahead of all that was sent before it; a look leaves it.
        assert s.recv(1, socket.MSG_OOB | socket.MSG_PEEK) == b"U"
        assert s.recv(1, socket.MSG_OOB) == b"U"
        no_urgent_byte(s)
        assert not select.select([], [], [s], 0)[2]
        assert not epoll.poll(0)
    data, want = b"", b"abc" * ahead + b"xy"
    while not at_mark(s):
        count = readable(s)[0]
        assert inline or count + len(data) <= len(want), (count, len(data), len(want))
        data += s.recv(1000000)
    assert data == want, (len(data), len(want), data[-10:])
    # The urgent byte is all there is.
    assert readable(s) == ((1, True) if inline else (0, False)), (readable(s), inline)
    s.sendall(b"next\n")
    assert select.select([s], [], [], LIMIT)[0] == [s]
    if not inline:
        assert readable(s) == (0, True), readable(s)
    rest, want = b"", b"Udef" if inline else b"def"
    while len(rest) < len(want):
        rest += s.recv(1000)
    assert rest == want, rest
    assert not at_mark(s)
    no_urgent_byte(s)
    epoll.close()


def serve(s):
    while True:
        what, ahead, inline = line_of(s)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, int(inline))
        s.sendall(b"go\n")
        if what == "take":
            take(s, int(ahead), int(inline))
            s.sendall(b"ok\n")
        else:
            give(s, int(ahead))


def client(s):
    for ahead in 1, 0, 15000:
        for inline in 0, 1:
            s.sendall(b"take %d %d\n" % (ahead, inline))
            assert line_of(s) == ["go"]
            give(s, ahead)
            assert line_of(s) == ["ok"]
            print("sent, %d bytes ahead of it, inline: %d" % (3 * ahead + 2, inline))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, inline)
            s.sendall(b"give %d %d\n" % (ahead, inline))
            assert line_of(s) == ["go"]
            take(s, ahead, inline)
            print("received, %d bytes ahead of it, inline: %d" % (3 * ahead + 2, inline))


if sys.argv[1] == "server":
    listener = socket.create_server((sys.argv[2], 0))
    print("port", listener.getsockname()[1], flush=True)
    while True:
        conn = listener.accept()[0]
        try:
            serve(conn)
        except EOFError:
            conn.close()
else:
    # No time-out: with one, python would wait for something to read before it asks for the urgent byte.
    client(socket.create_connection((sys.argv[2], int(sys.argv[3]))))
