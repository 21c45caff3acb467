/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports.c - counting and choosing local ports.
 *
 * A random start and a random step that has no factor in common with the
 * size of the range visit every port of the range exactly once, in an order
 * that differs each time.  So the search ends, finds a port whenever there is
 * one, and two neighbours in time are no neighbours in number.
 */
#include "ports.h"

#include <glib.h>
#include <string.h>

#define TOE_PORTS 65536u

void toe_ports_init(ToePorts *p)
{
    p->refs = g_new0(uint32_t, TOE_PORTS);
}

void toe_ports_destroy(ToePorts *p)
{
    g_free(p->refs);
    p->refs = NULL;
}

void toe_ports_clear(ToePorts *p)
{
    memset(p->refs, 0, TOE_PORTS * sizeof(*p->refs));
}

uint32_t toe_ports_refs(const ToePorts *p, uint16_t port)
{
    return p->refs[port];
}

bool toe_ports_reserve(ToePorts *p, uint16_t port)
{
    if (!port || p->refs[port] == UINT32_MAX) {
        return false;
    }
    p->refs[port]++;
    return true;
}

bool toe_ports_reserve_free(ToePorts *p, uint16_t port)
{
    return !p->refs[port] && toe_ports_reserve(p, port);
}

void toe_ports_release(ToePorts *p, uint16_t port)
{
    if (p->refs[port]) {
        p->refs[port]--;
    }
}

static uint32_t common_factor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

uint16_t toe_ports_pick(ToePorts *p, uint16_t lo, uint16_t hi, uint64_t rnd,
                        ToePortUsable *usable, void *opaque)
{
    uint32_t size, step, at, i;

    if (lo > hi) {
        uint16_t swap = lo;

        lo = hi;
        hi = swap;
    }
    if (!lo) {
        lo = 1;
    }
    if (!hi) {
        return 0;
    }
    size = (uint32_t)hi - lo + 1;
    at = (uint32_t)rnd % size;
    step = 1 + (uint32_t)(rnd >> 32) % size;    /* high half 0: one by one */
    while (common_factor(step, size) != 1) {
        step++;                 /* ends: size + 1 has no factor of size */
    }
    for (i = 0; i < size; i++) {
        uint16_t port = lo + at;

        if ((usable ? usable(opaque, port) : !p->refs[port]) &&
            toe_ports_reserve(p, port)) {
            return port;
        }
        at = (at + step) % size;
    }
    return 0;
}
