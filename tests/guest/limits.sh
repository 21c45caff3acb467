#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rights and quotas of an unprivileged user: ports below 1024, contexts and connections per user, memory.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    parameters=/sys/module/toe/parameters
    limits=$PROGRAMS/limits
    user="as 65534"
    "$PROGRAMS/counters" save "$TMP/before"

    equal "root listens on port 80" "$("$limits" listen 80)" "listen got=1 errno=0"
    # shellcheck disable=SC2086
    {
        equal "a user does not" "$("$limits" $user listen 80)" "listen got=0 errno=EACCES"
        equal "a user listens on port 1024" "$("$limits" $user listen 1024)" "listen got=1 errno=0"
        equal "a user does not connect from port 1023" "$("$limits" $user bind-connect 1023 "$HOST" "$2")" \
            "bind-connect got=0 errno=EACCES"
        equal "a user connects from port 5000" "$("$limits" $user bind-connect 5000 "$HOST" "$2")" "bind-connect got=1 errno=0"
        if command -v setpriv >/dev/null; then
            equal "a user with CAP_NET_BIND_SERVICE listens on port 80" \
                "$(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +net_bind_service \
                    --ambient-caps +net_bind_service "$limits" listen 80)" "listen got=1 errno=0"
        fi

        echo 3 >$parameters/user_contexts
        equal "a user gets 3 contexts and no fourth" "$("$limits" $user open 8)" "open got=3 errno=EDQUOT"
        mkfifo "$TMP/gate"
        "$limits" $user hold 3 <"$TMP/gate" >"$TMP/held" &
        exec 7>"$TMP/gate"
        check "a process holds 3" until_true 60 grep -q holding "$TMP/held"
        equal "another process of the user gets none" "$("$limits" $user open 8)" "open got=0 errno=EDQUOT"
        equal "another user gets 3" "$("$limits" as 65533 open 8)" "open got=3 errno=EDQUOT"
        exec 7>&-
        wait
        equal "when they are given back, the user gets 3 again" "$("$limits" $user open 8)" "open got=3 errno=EDQUOT"
        echo 256 >$parameters/user_contexts

        was=$(cat $parameters/ctx_conns)
        echo 5 >$parameters/ctx_conns
        equal "a context with a limit of 5 connections" "$("$limits" $user conns 8 "$HOST" "$2" | sed 's/errno=E[A-Z]*/errno=E/')" \
            "conns got=5 errno=E"
        echo "$was" >$parameters/ctx_conns

        equal "with RLIMIT_MEMLOCK of 64 KiB: no context" "$("$limits" $user memlock 65536 open 1)" "open got=0 errno=ENOMEM"
        # Again and again: what is given back is not counted any more. A process of the user stays, and with it the account.
        mkfifo "$TMP/stay"
        "$limits" $user hold 1 <"$TMP/stay" >/dev/null &
        exec 7>"$TMP/stay"
        for i in 1 2 3 4 5 6 7 8; do
            equal "with 4 MiB: memory of 1 MiB, $i" "$("$limits" $user memlock 4194304 memory 1048576)" "memory got=1 errno=0"
        done
        exec 7>&-
        wait
        equal "with 4 MiB: no memory of 16 MiB" "$("$limits" $user memlock 4194304 memory 16777216)" "memory got=0 errno=ENOMEM"
        equal "root (CAP_IPC_LOCK) has no such limit" "$("$limits" memlock 65536 memory 16777216)" "memory got=1 errno=0"
        echo 8 >$parameters/user_memory_mb
        equal "the driver's own limit holds for everybody" "$("$limits" memory 16777216)" "memory got=0 errno=EDQUOT"
        echo 0 >$parameters/user_memory_mb
    }
    check "everything is given back" "$PROGRAMS/counters" settle-contexts "$TMP/before"
    exit 0
fi

peer_start
in_guest -- "$PEER_PORT"
