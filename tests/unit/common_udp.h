/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * common_udp.h - common_nop.h's world with UDP sockets in it.
 */
#ifndef TOE_TESTS_COMMON_UDP_H
#define TOE_TESTS_COMMON_UDP_H

#include "common_nop.h"
#include "common_nop6.h"
#include "datagram.h"

#define NOADDR IP(0, 0, 0, 0)

/* How many events there were, and what the last ones said. */
struct udp_events {
	unsigned readable, writable, errors;
	uint32_t handle; /* of the last event */
	uint8_t status;
	uint16_t rport;
	uint8_t raddr[16];
};
extern struct udp_events ev;
/* A socket that its owner closes as soon as any is readable; 0: none. */
extern uint32_t close_when_told;
extern const ToeStreamOps udp_ops;

struct world *start_ram(size_t ram, uint32_t connections);
struct world *start(void);
struct world *start6(void);
uint8_t try_open(struct world *w, uint8_t family, const uint8_t *laddr, uint16_t lport,
		 const uint8_t *raddr, uint16_t rport, unsigned flags, uint32_t *handle);
uint32_t open_at(struct world *w, const uint8_t *laddr, uint16_t lport);
uint32_t open_to(struct world *w, uint16_t lport, const uint8_t *raddr, uint16_t rport);
/* A datagram; sum false: without a checksum. Its length. */
size_t make(uint8_t *out, uint8_t family, const uint8_t *src, uint16_t sport, const uint8_t *dst,
	    uint16_t dport, const void *data, size_t len, bool sum);
void in_from(struct world *w, const uint8_t *src, uint16_t sport, const uint8_t *dst,
	     uint16_t dport, const void *data, size_t len);
void in6(struct world *w, uint16_t dport, const void *data, size_t len, bool sum);
/* The oldest datagram must be these bytes from this port. */
void expect(struct world *w, uint32_t handle, uint16_t rport, const void *data, size_t len);
void expect_nothing(struct world *w, uint32_t handle);
uint8_t send_to(struct world *w, uint32_t handle, uint8_t family, const uint8_t *raddr,
		uint16_t rport, const void *data, size_t len);
uint8_t send4(struct world *w, uint32_t handle, const uint8_t *raddr, uint16_t rport,
	      const void *data, size_t len);
/* The next frame must be this datagram, right in every detail. */
void expect_out(struct world *w, uint16_t sport, const uint8_t *dst, uint16_t dport,
		const void *data, size_t len);
uint32_t lmem_used(struct world *w);

#endif
