/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_tcp.h - TCP as the rest of the network side sees it, recorded.
 *
 * Included by one file of a test program, it defines all that nop.c and
 * ipv4.c call, so the real TCP is not linked in.  The test says what the fake
 * answers and looks at what it was given.
 */
#ifndef TOE_TESTS_FAKE_TCP_H
#define TOE_TESTS_FAKE_TCP_H

#include "common_nop.h"

static struct {
	bool takes;		/* what toe_tcp_input() answers */
	bool knows;		/* what toe_tcp_icmp_error() answers */
	unsigned inputs;
	unsigned rejects;
	unsigned errors;
	unsigned resets;
	unsigned runs;
	unsigned timers;
	unsigned gone;
	uint32_t timer;		/* the last one's index */
	ToeIpPacket packet;	/* the last one; its pointer is not valid any more */
	uint8_t payload[65536];	/* its payload */
	ToeIcmpError error;
	uint8_t gone_addr[16];
} fake_tcp;

static void fake_tcp_clear(void)
{
	memset(&fake_tcp, 0, sizeof(fake_tcp));
}

struct ToeTcp {
	int nothing;
};

ToeTcp *toe_tcp_new(ToeNop *n)
{
	(void)n;
	return g_new0(ToeTcp, 1);
}

void toe_tcp_free(ToeTcp *tcp)
{
	g_free(tcp);
}

void toe_tcp_reset(ToeTcp *tcp)
{
	(void)tcp;
	fake_tcp.resets++;
}

bool toe_tcp_input(ToeNop *n, const ToeIpPacket *p)
{
	(void)n;
	fake_tcp.inputs++;
	fake_tcp.packet = *p;
	memcpy(fake_tcp.payload, p->payload, MIN(p->len, 65536));
	return fake_tcp.takes;
}

void toe_tcp_reject(ToeNop *n, const ToeIpPacket *p)
{
	(void)n, (void)p;
	fake_tcp.rejects++;
}

bool toe_tcp_icmp_error(ToeNop *n, const ToeIcmpError *e)
{
	(void)n;
	fake_tcp.errors++;
	fake_tcp.error = *e;
	return fake_tcp.knows;
}

void toe_tcp_timer(ToeNop *n, uint32_t index)
{
	(void)n;
	fake_tcp.timers++;
	fake_tcp.timer = index;
}

void toe_tcp_synq_timer(ToeNop *n)
{
	(void)n;
	fake_tcp.timers++;
}

bool toe_tcp_run(ToeNop *n, uint32_t *budget)
{
	(void)n, (void)budget;
	fake_tcp.runs++;
	return false;
}

void toe_tcp_addr_gone(ToeNop *n, uint8_t family, const uint8_t *addr)
{
	(void)n, (void)family;
	fake_tcp.gone++;
	memcpy(fake_tcp.gone_addr, addr, 16);
}

#endif
