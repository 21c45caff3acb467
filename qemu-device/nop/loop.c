/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop.c - packets from one of the port's own addresses to another, or to the
 * same: between two applications of one host, both on the adapter.
 *
 * Such a packet never reaches the port (RFC 1122, 3.3.1.1).  toe_ip_output()
 * leaves it here, whole, and the next turn gives it to the NOPs as if it had
 * come in: never in the same call, so that TCP's output is not re-entered by
 * its own input.  A turn takes what waited when it began, no more.
 *
 * Where packets wait is one ring of bytes, allocated once.  TCP looks whether
 * it is filling up (toe_loop_full()) and then ends its turn, so that nothing
 * is lost for lack of room; who does not look may lose a packet, as on any
 * network, and it is counted.
 *
 * Nothing from here goes to the operating system: it does not take packets
 * from its own address out of an interface.  What no NOP wants is answered by
 * the adapter, TCP with RST.  To keep the operating system's own listeners
 * within reach, a connection to one's own address is made on the adapter only
 * if a listener of the adapter is there to take it (toe_stream_connect()).
 */
#include "nop.h"
#include "toe_trace.h"
#include "wire.h"
#include "wire6.h"

#define RING_BYTES      (1u << 20)
#define RING_FULL       (RING_BYTES / 4)        /* TCP's signal to stop */
#define RECORD_ALIGN    8u

/* Before each packet; length 0: the rest up to the ring's end is unused. */
typedef struct Record {
    uint32_t len;
    uint32_t family;
} Record;

struct ToeLoop {
    uint32_t head;              /* next to be taken */
    uint32_t tail;              /* where the next one goes */
    uint32_t used;              /* bytes between them */
    uint32_t packets;
    uint8_t ring[RING_BYTES];
};

static uint32_t record_size(size_t len)
{
    return (uint32_t)((sizeof(Record) + len + RECORD_ALIGN - 1) /
                      RECORD_ALIGN * RECORD_ALIGN);
}

static void put_record(ToeLoop *l, Record r)
{
    memcpy(l->ring + l->tail, &r, sizeof(r));
}

/* Make room for size bytes in one piece at the tail.  False: there is none. */
static bool make_room(ToeLoop *l, uint32_t size)
{
    uint32_t rest = RING_BYTES - l->tail;

    if (l->used + size > RING_BYTES) {
        return false;
    }
    if (size <= rest) {
        return true;
    }
    if (l->used + rest + size > RING_BYTES) {
        return false;
    }
    put_record(l, (Record) { .len = 0 });
    l->used += rest;
    l->tail = 0;
    return true;
}

uint8_t toe_loop_output(ToeNop *n, uint8_t family, const uint8_t *packet,
                        size_t len)
{
    ToeLoop *l = n->loop;
    uint32_t size = record_size(len);

    if (!make_room(l, size)) {
        toe_count(n->counters, LOOP_DROPS);
        toe_trace_loop_drop(family, len);
        return TOE_ST_BUSY;
    }
    put_record(l, (Record) { .len = (uint32_t)len, .family = family });
    memcpy(l->ring + l->tail + sizeof(Record), packet, len);
    l->tail = (l->tail + size) % RING_BYTES;
    l->used += size;
    l->packets++;
    return TOE_ST_OK;
}

bool toe_loop_full(const ToeNop *n)
{
    return n->loop->used >= RING_FULL;
}

bool toe_loop_waits(const ToeNop *n)
{
    return n->loop->packets != 0;
}

/* ---- In ---- */

/* Nobody's: a segment is answered as it would be without OS interface. */
static void reject(ToeNop *n, const ToeIpPacket *p)
{
    if (p->proto == TOE_PROTO_TCP) {
        toe_tcp_reject(n, p);
    } else {
        toe_count(n->counters, LOOP_DROPS);
    }
}

static void deliver4(ToeNop *n, const uint8_t *packet, size_t len)
{
    ToeIpPacket p;
    ToeWireIpv4 ip;

    if (toe_wire_ipv4_parse(packet, len, &ip) != TOE_WIRE_IPV4_OK ||
        toe_ipv4_deliver(n, &ip)) {
        return;
    }
    toe_ipv4_packet(&ip, &p);
    reject(n, &p);
}

static void deliver6(ToeNop *n, const uint8_t *packet, size_t len)
{
    ToeIpPacket p = { .family = TOE_AF_INET6 };
    ToeWireIpv6 ip;

    if (!toe_wire_ipv6_parse(packet, len, &ip) ||
        toe_ipv6_deliver(n, packet, len)) {
        return;
    }
    /* The adapter sends no extension headers. */
    p.proto = ip.next;
    p.payload = ip.payload;
    p.len = ip.len;
    memcpy(p.src, ip.src, 16);
    memcpy(p.dst, ip.dst, 16);
    reject(n, &p);
}

static void take(ToeLoop *l, uint32_t size)
{
    l->head = (l->head + size) % RING_BYTES;
    l->used -= size;
}

void toe_loop_run(ToeNop *n)
{
    ToeLoop *l = n->loop;
    uint32_t left;
    Record r;

    for (left = l->packets; left; left--) {
        const uint8_t *packet;

        memcpy(&r, l->ring + l->head, sizeof(r));
        if (!r.len) {
            take(l, RING_BYTES - l->head);
            memcpy(&r, l->ring + l->head, sizeof(r));
        }
        packet = l->ring + l->head + sizeof(r);
        toe_count(n->counters, LOOP_PACKETS);
        toe_trace_loop_in((uint8_t)r.family, r.len);
        /* It keeps its place meanwhile: what it causes goes behind it. */
        if (r.family == TOE_AF_INET6) {
            deliver6(n, packet, r.len);
        } else {
            deliver4(n, packet, r.len);
        }
        take(l, record_size(r.len));
        l->packets--;
    }
}

/* ---- Life ---- */

ToeLoop *toe_loop_new(void)
{
    return g_new0(ToeLoop, 1);
}

void toe_loop_free(ToeLoop *l)
{
    g_free(l);
}

void toe_loop_reset(ToeNop *n)
{
    n->loop->head = n->loop->tail = n->loop->used = n->loop->packets = 0;
}
