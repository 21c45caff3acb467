#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two VMs on one Ethernet (a socket netdev), the applications at both ends app-direct: files both ways at once, by SHA-256; then
# many connections, every byte checked.

set -eu
. "$(dirname "$0")/../guest/lib.sh"

SIZE=30000000

if [ "${1-}" = guest ]; then
    cd "$TMP"
    case $2 in
    server)
        "$PROGRAMS/toecat" -l 10.9.0.1 7000 <"$3" >got 2>err &
        cat=$!
        check "server: listens" until_true 60 grep -q listening err
        "$PROGRAMS/traffic" server --conns 16 --turns 32 --mem own 10.9.0.1 7001 >out &
        app=$!
        check "server: listens for many" until_true 60 grep -q listening out
        echo listening
        check "server: the file's connection ended in order" wait $cat
        equal "server: SHA-256 of what came" "$(sha_of got)" "$4"
        check "server: 32 connections, every byte right" wait $app
        cat out
        ;;
    client)
        "$PROGRAMS/counters" save before
        check "client: the file's connection ended in order" \
            sh -c "'$PROGRAMS/toecat' 10.9.0.1 7000 <'$3' >got"
        equal "client: SHA-256 of what came" "$(sha_of got)" "$4"
        check "client: many connections" "$PROGRAMS/traffic" client --conns 16 --turns 2 --mem own --up 2000000 --down 2000000 \
            10.9.0.1 7001
        check "client: the adapter carried it" "$PROGRAMS/counters" moved before tcp_bytes_in 60000000
        ;;
    esac
    echo "done"
    read -r _
    exit 0
fi

head -c $SIZE /dev/urandom >"$TMP/a"
head -c $SIZE /dev/urandom >"$TMP/b"
port=$(free_port)
vm_start server --mem 512 --net "socket=listen=127.0.0.1:$port" --ip 10.9.0.1/24 --device-opts mac=52:54:00:00:00:01 -- \
    "$SELF" guest server "$TMP/a" "$(sha_of "$TMP/b")"
vm_line server '^listening$'
vm_start client --mem 512 --net "socket=connect=127.0.0.1:$port" --ip 10.9.0.2/24 --device-opts mac=52:54:00:00:00:02 -- \
    "$SELF" guest client "$TMP/b" "$(sha_of "$TMP/a")"
vm_line client '^done$'
vm_line server '^done$'
vm_tell client go
vm_tell server go
vm_end client
vm_end server
