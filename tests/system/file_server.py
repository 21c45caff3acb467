#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One connection: send one file, keep what comes in another, both at once.

usage: file_server.py ADDRESS SEND GOT; prints "port N" first; exit status 0 if both directions ended in order.
"""
import socket
import sys
import threading


def main():
    address, send, got = sys.argv[1:]
    listener = socket.socket()
    listener.bind((address, 0))
    listener.listen()
    print("port", listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
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
    with open(got, "wb") as f:
        while True:
            data = connection.recv(65536)
            if not data:
                break
            f.write(data)
    thread.join()
    if failed:
        sys.exit("file_server: %s" % failed[0])


if __name__ == "__main__":
    main()
