/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pmtu.c - what is known of paths: their MTU by destination (RFC 1191 6.2,
 * RFC 8201 5.2), so that a new connection begins with what another found out.
 *
 * Only values that somebody has verified come in here.  TCP: a "packet too
 * big" about a segment in flight that was believed (RFC 5927), a size that a
 * black hole let pass, or one that a probe has shown to pass (plpmtud.c).
 * UDP, which has less to go by: such a message about a datagram that a socket
 * of ours may have sent, and not below what every host takes (udp_in.c).  An
 * entry is believed for TOE_PMTU_AGE_NS; then the path may have changed, and
 * the next connection tries the port's MTU again (RFC 1191 6.3, RFC 8201 4).
 *
 * The table is small and does not grow: sets of a few entries, found by a keyed
 * hash so that nobody can choose who shares one.  In a full set the entry that
 * would have aged first gives way; losing one costs a few packets.
 */
#include "nop.h"
#include "toe_trace.h"
#include "wire.h"

#define WAYS    4u

/* A free entry has expired at the beginning of time. */
static ToePathMtu *set_of(ToeNop *n, uint8_t family, const uint8_t *dst)
{
    uint8_t key[17];

    key[0] = family;
    memcpy(key + 1, dst, 16);
    return &n->pmtu[toe_siphash(&n->hash_key, key, sizeof(key)) %
                    (TOE_PMTU_MAX / WAYS) * WAYS];
}

static bool is_of(const ToePathMtu *p, uint8_t family, const uint8_t *dst)
{
    return p->family == family && !memcmp(p->dst, dst, 16);
}

uint32_t toe_pmtu_get(ToeNop *n, uint8_t family, const uint8_t *dst,
                      uint32_t mtu)
{
    const ToePathMtu *set = set_of(n, family, dst);

    for (uint32_t i = 0; i < WAYS; i++) {
        if (is_of(&set[i], family, dst) && set[i].expires > toe_nop_now(n)) {
            return MIN(mtu, set[i].mtu);
        }
    }
    return mtu;
}

void toe_pmtu_set(ToeNop *n, uint8_t family, const uint8_t *dst,
                  uint32_t mtu)
{
    ToePathMtu *set = set_of(n, family, dst), *to = set;

    for (uint32_t i = 0; i < WAYS; i++) {
        if (is_of(&set[i], family, dst)) {
            to = &set[i];
            break;
        }
        if (set[i].expires < to->expires) {
            to = &set[i];
        }
    }
    to->family = family;
    memcpy(to->dst, dst, 16);
    to->mtu = mtu;
    to->expires = toe_nop_now(n) + TOE_PMTU_AGE_NS;
    toe_trace_pmtu_set(toe_addr_hi(dst), toe_addr_lo(dst), mtu);
}

void toe_pmtu_reset(ToeNop *n)
{
    memset(n->pmtu, 0, sizeof(n->pmtu));
}
