/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports.h - the local ports of one protocol.
 *
 * A port is in use while at least one connection or listener counts on it;
 * several connections may share one as long as their 4-tuples differ, which
 * only the protocol can tell.  So this file counts, and chooses ephemeral
 * ports at random (RFC 6056: a port that can be guessed makes blind attacks
 * easy), asking the protocol about each candidate.
 */
#ifndef TOE_NOP_PORTS_H
#define TOE_NOP_PORTS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ToePorts {
    uint32_t *refs;             /* by port */
} ToePorts;

/* May this port be used for the new connection? */
typedef bool ToePortUsable(void *opaque, uint16_t port);

void toe_ports_init(ToePorts *p);
void toe_ports_destroy(ToePorts *p);
void toe_ports_clear(ToePorts *p);              /* nothing is in use */

/* Users of a port. */
uint32_t toe_ports_refs(const ToePorts *p, uint16_t port);
/* One more user.  False, nothing changed: port 0. */
bool toe_ports_reserve(ToePorts *p, uint16_t port);
/* One more user if there is none yet. */
bool toe_ports_reserve_free(ToePorts *p, uint16_t port);
/* One user less.  Releasing a port without users does nothing. */
void toe_ports_release(ToePorts *p, uint16_t port);

/*
 * Choose a port from lo..hi (both included, in either order) that usable()
 * agrees to, and count its user.  rnd: 64 fresh random bits, or a place to
 * begin and the high half 0, then ports are tried one by one.  usable NULL:
 * the port must have no user.  Each port of the range is tried once at most.
 * 0: there is none.
 */
uint16_t toe_ports_pick(ToePorts *p, uint16_t lo, uint16_t hi, uint64_t rnd,
                        ToePortUsable *usable, void *opaque);

#endif
