#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What sleepers and edges must hear of: edges.py server ADDR, and edges.py client ADDR PORT, which says what the server does.

EPOLLET after what an earlier call met its end at, although a call in between has seen the news already; and a reader that sleeps
while another thread shuts its socket down."""
import select
import socket
import sys
import threading
import time

LIMIT = 60  # seconds that only say "never"
EDGE = select.EPOLLET


def connect(addr, what):
    s = socket.create_connection(addr)
    s.sendall(what + b"\n")
    return s


def edge_poll(s, events):
    ep = select.epoll()
    s.setblocking(False)
    ep.register(s, events | EDGE)
    return ep


def poll_for(s, events):
    """A look by level, which takes the news before epoll does."""
    p = select.poll()
    p.register(s, events)
    got = p.poll(LIMIT * 1000)
    assert got and got[0][1] & events, got


def drained(s):
    got = b""
    while True:
        try:
            got += s.recv(4096)
        except BlockingIOError:
            return got


def filled(s):
    while True:
        try:
            s.send(bytes(65536))
        except BlockingIOError:
            return


def end_after_data(addr):
    s = connect(addr, b"end")
    ep = edge_poll(s, select.EPOLLIN)
    got = b""
    while got != b"data":
        assert ep.poll(LIMIT), got
        got += drained(s)
    s.send(b"x")
    poll_for(s, select.POLLRDHUP)
    assert ep.poll(LIMIT) == [(s.fileno(), select.EPOLLIN)]
    assert s.recv(10) == b""
    # The end is told once.
    assert ep.poll(0) == []


def room_again(addr):
    with connect(addr, b"room") as s:
        ep = edge_poll(s, select.EPOLLOUT)
        assert ep.poll(LIMIT) == [(s.fileno(), select.EPOLLOUT)]
        filled(s)
        with connect(addr, b"read") as other:
            assert other.recv(1) == b"r"
        poll_for(s, select.POLLOUT)
        assert ep.poll(LIMIT) == [(s.fileno(), select.EPOLLOUT)]
        assert ep.poll(0) == []


FUTEX = "202"  # on x86-64: waits for the interpreter, not in recv()


def until_asleep(thread):
    end = time.monotonic() + LIMIT
    while True:
        with open("/proc/self/task/%d/syscall" % thread.native_id, encoding="ascii") as f:
            if f.read().split()[0] not in ("running", FUTEX):
                return
        assert time.monotonic() < end
        time.sleep(0.01)


def shut_while_reading(addr):
    for how in socket.SHUT_RD, socket.SHUT_RDWR:
        s = connect(addr, b"quiet")
        got = []
        reader = threading.Thread(target=lambda: got.append(s.recv(10)), daemon=True)
        reader.start()
        until_asleep(reader)
        s.shutdown(how)
        reader.join(LIMIT)
        assert got == [b""], got


def client(addr):
    for test in end_after_data, room_again, shut_while_reading:
        test(addr)
        print("ok", test.__name__, flush=True)


def serve(s, room):
    what = s.makefile("rb").readline()
    if what == b"end\n":
        s.sendall(b"data")
        s.recv(1)
        s.close()
    elif what == b"room\n":
        room.wait()
        while s.recv(1 << 20):
            pass
    elif what == b"read\n":
        room.set()
        s.sendall(b"r")
    else:
        s.recv(1)


def server(addr):
    room = threading.Event()
    with socket.create_server((addr, 0)) as listener:
        print("port", listener.getsockname()[1], flush=True)
        while True:
            s, _ = listener.accept()
            threading.Thread(target=serve, args=(s, room), daemon=True).start()


if __name__ == "__main__":
    if sys.argv[1] == "server":
        server(sys.argv[2])
    else:
        client((sys.argv[2], int(sys.argv[3])))
