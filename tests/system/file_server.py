#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Files both ways at once: one is sent, one comes.

usage: file_server.py ADDRESS SEND GOT
           one connection; keeps what comes in the file GOT; exit status 0 if both directions ended in order
       file_server.py --many SEND SHA256
           IPv4 and IPv6, connections without end, several at a time, each with the congestion control of the moment;
           prints a line for each: "ok", or what is wrong

Prints "port N" first.
"""
import hashlib
import socket
import sys
import threading


def exchange(connection, send, take):
    """Sends the file; take(bytes) for all that comes. Returns what went wrong, or None."""
    failed = []

    def sender():
        try:
            with open(send, "rb") as f:
                connection.sendfile(f)
            connection.shutdown(socket.SHUT_WR)
        except OSError as e:
            failed.append(e)

    thread = threading.Thread(target=sender)
    thread.start()
    try:
        while True:
            data = connection.recv(65536)
            if not data:
                break
            take(data)
    except OSError as e:
        failed.append(e)
    thread.join()
    return failed[0] if failed else None


def one(address, send, got):
    listener = socket.create_server((address, 0))
    print("port", listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    with open(got, "wb") as f:
        failed = exchange(connection, send, f.write)
    if failed:
        sys.exit("file_server: %s" % failed)


def many(send, sha):
    def serve(connection):
        got = hashlib.sha256()
        failed = exchange(connection, send, got.update)
        if not failed and got.hexdigest() != sha:
            failed = "what came has the SHA-256 " + got.hexdigest()
        print(failed or "ok", flush=True)
        connection.close()

    listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    print("port", listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        # A listener's connections have the congestion control that it began with.
        with open("/proc/sys/net/ipv4/tcp_congestion_control", encoding="ascii") as f:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, f.read().strip().encode())
        threading.Thread(target=serve, args=(connection,)).start()


if __name__ == "__main__":
    if sys.argv[1] == "--many":
        many(*sys.argv[2:])
    else:
        one(*sys.argv[1:])
