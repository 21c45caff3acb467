/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcap.c - the frames of a run as pcapng, one interface for each adapter's
 * port.  What a port sent and the other never received was lost between; an
 * interface alone (frame.interface_name == "a") is what that adapter saw.
 */
#include <stdio.h>
#include "sim.h"

struct pcap {
	FILE *f;
};

static void put(struct pcap *p, const void *data, size_t len)
{
	static const uint8_t zero[4];

	fwrite(data, 1, len, p->f);
	fwrite(zero, 1, -len & 3, p->f);
}

static void put32(struct pcap *p, uint32_t v)
{
	fwrite(&v, 1, 4, p->f);
}

static void interface(struct pcap *p, const char *name)
{
	uint16_t option[2] = { 2, 1 };		/* if_name */
	uint16_t tsresol[2] = { 9, 1 };
	uint32_t nano = 9, link[2] = { 1, 0 };	/* Ethernet, no limit */

	put32(p, 1);
	put32(p, 40);
	put(p, link, 8);
	put(p, option, 4);
	put(p, name, 1);
	put(p, tsresol, 4);
	put(p, &nano, 4);
	put32(p, 0);
	put32(p, 40);
}

struct pcap *pcap_open(const char *path)
{
	struct pcap *p = g_new0(struct pcap, 1);
	uint32_t head[7] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, ~0u, ~0u, 28 };

	p->f = fopen(path, "wb");
	if (!p->f) {
		perror(path);
		g_free(p);
		return NULL;
	}
	put(p, head, sizeof(head));
	interface(p, "a");
	interface(p, "b");
	return p;
}

void pcap_frame(struct pcap *p, unsigned side, bool in, int64_t when,
		const uint8_t *frame, size_t len)
{
	uint32_t padded = (uint32_t)(len + (-len & 3));
	uint16_t flags[2] = { 2, 4 };		/* epb_flags: direction */

	if (!p)
		return;
	put32(p, 6);
	put32(p, 32 + padded + 12);
	put32(p, side);
	put32(p, (uint32_t)((uint64_t)when >> 32));
	put32(p, (uint32_t)when);
	put32(p, (uint32_t)len);
	put32(p, (uint32_t)len);
	put(p, frame, len);
	put(p, flags, 4);
	put32(p, in ? 1 : 2);
	put32(p, 0);
	put32(p, 32 + padded + 12);
	fflush(p->f);				/* the next call may crash */
}

void pcap_close(struct pcap *p)
{
	if (p) {
		fclose(p->f);
		g_free(p);
	}
}
