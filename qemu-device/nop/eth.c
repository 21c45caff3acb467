/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * eth.c - Ethernet: whose is this frame, and onto the port with that one.
 *
 * In.  A frame for our MAC, for everybody or for a group is looked at; any
 * other is counted, and shown to the operating system if that asked for all
 * (PROMISC).  ARP, IPv4 and IPv6 go to their files, which take what belongs to
 * the adapter, and filter groups by those that sockets have joined.
 * What they leave, and every other type (VLANs, LLDP...), is the operating
 * system's, if its interface is up and its filter lets the group pass.
 *
 * VLANs.  The port's addresses are those of no VLAN.  A frame tagged with VLAN
 * 0 is in none, its tag says a priority only (802.1Q), and it is looked at as
 * if it had no tag.  Any other tagged frame is the operating system's, as it
 * came, whose VLAN interfaces do not know of the adapter.
 *
 * Out.  The port may be busy, or a frame that came in is being looked at: a
 * backend must not be re-entered from its own delivery.  TCP looks first and
 * waits; an ARP answer or an echo reply cannot, so a bounded number of frames
 * is kept here and sent at the start of the next turn, before anything newer.
 */
#include "nop.h"
#include "toe_trace.h"
#include "wire.h"

#define TOE_ETH_POLYNOMIAL 0xedb88320u  /* CRC-32 of IEEE 802.3, reflected */

/* ---- In ---- */

/*
 * The bit of the multicast hash: the top six bits of the CRC-32 of the MAC,
 * as zlib's crc32() gives it, which is ~crc32_le(~0, mac, 6) in Linux.
 */
static unsigned mcast_bit(const uint8_t *mac)
{
    uint32_t crc = 0xffffffffu;
    unsigned i, bit;

    for (i = 0; i < TOE_ETH_ALEN; i++) {
        crc ^= mac[i];
        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? TOE_ETH_POLYNOMIAL : 0);
        }
    }
    return ~crc >> 26;
}

static bool is_broadcast(const uint8_t *mac)
{
    return (mac[0] & mac[1] & mac[2] & mac[3] & mac[4] & mac[5]) == 0xff;
}

/* Does the operating system's filter let this destination pass? */
static bool os_wants(const ToeNop *n, const uint8_t *dst)
{
    if (!(n->filter & TOE_FILTER_UP)) {
        return false;
    }
    if (n->filter & TOE_FILTER_PROMISC) {
        return true;
    }
    if (!toe_mac_is_group(dst)) {
        return !memcmp(dst, n->mac, 6);
    }
    return is_broadcast(dst) || n->filter & TOE_FILTER_ALLMULTI ||
           n->mcast_hash >> mcast_bit(dst) & 1;
}

static void to_os(ToeNop *n, const ToeWireEth *e, const uint8_t *frame,
                  size_t len)
{
    if (os_wants(n, e->dst)) {
        toe_count(n->counters, ETH_TO_OS);
        toe_trace_eth_to_os(e->type, len);
        n->ops->eth_frame(n->ops_opaque, frame, len);
    }
}

void toe_eth_to_os(ToeNop *n, const uint8_t *frame, size_t len)
{
    ToeWireEth e;

    if (toe_wire_eth_parse(frame, len, &e)) {
        to_os(n, &e, frame, len);
    }
}

/* Look behind a tag that gives a priority and no VLAN. */
static void skip_priority(ToeWireEth *e)
{
    if (e->type == TOE_ETHERTYPE_VLAN && e->len >= TOE_VLAN_TAG_REST &&
        !(toe_get16(e->payload) & TOE_VLAN_ID)) {
        e->type = toe_get16(e->payload + 2);
        e->payload += TOE_VLAN_TAG_REST;
        e->len -= TOE_VLAN_TAG_REST;
    }
}

void toe_eth_input(ToeNop *n, const uint8_t *frame, size_t len)
{
    bool unicast, ours;
    ToeWireEth e;

    toe_count(n->counters, PORT_FRAMES_IN);
    toe_count_add(n->counters, PORT_BYTES_IN, len);
    if (len > TOE_ETH_FRAME_MAX || !toe_wire_eth_parse(frame, len, &e) ||
        toe_mac_is_group(e.src)) {
        toe_count(n->counters, ETH_BAD);
        toe_trace_eth_bad(len);
        return;
    }
    skip_priority(&e);
    unicast = !memcmp(e.dst, n->mac, 6);
    ours = unicast || toe_mac_is_group(e.dst);
    if (!ours) {
        toe_count(n->counters, ETH_NOT_OURS);
    } else if (!memcmp(e.src, n->mac, 6)) {
        /* An echo of our own: a hub's, or a multicast socket's. */
    } else if (e.type == TOE_ETHERTYPE_IPV4) {
        if (toe_ipv4_input(n, frame, len, e.payload - frame, e.len,
                           unicast)) {
            return;
        }
    } else if (e.type == TOE_ETHERTYPE_ARP) {
        if (toe_arp_input(n, e.payload, e.len)) {
            return;
        }
    } else if (e.type == TOE_ETHERTYPE_IPV6) {
        if (toe_ipv6_input(n, frame, len, e.payload - frame, e.len,
                           unicast)) {
            return;
        }
    }
    to_os(n, &e, frame, len);
}

/* ---- Out ---- */

static void transmit(ToeNop *n, const uint8_t *frame, size_t len)
{
    uint8_t padded[TOE_ETH_MIN];

    if (len < TOE_ETH_MIN) {
        memcpy(padded, frame, len);
        memset(padded + len, 0, TOE_ETH_MIN - len);
        frame = padded;
        len = TOE_ETH_MIN;
    }
    toe_count(n->counters, PORT_FRAMES_OUT);
    toe_count_add(n->counters, PORT_BYTES_OUT, len);
    if (!n->env->send_frame(n->env->opaque, frame, len)) {
        toe_trace_eth_port_busy();
        n->port_busy = true;
    }
}

static uint8_t defer(ToeNop *n, const uint8_t *frame, size_t len)
{
    ToeWaiting *w;

    if (n->defer_frames >= TOE_DEFER_FRAMES_MAX ||
        n->defer_bytes + len > TOE_DEFER_BYTES_MAX) {
        toe_count(n->counters, PORT_OUT_DROPS);
        toe_trace_eth_defer_drop(len, n->defer_frames);
        return TOE_ST_BUSY;
    }
    w = g_malloc(sizeof(*w) + len);
    w->next = NULL;
    w->len = len;
    w->more = false;
    memcpy(w->data, frame, len);
    if (n->defer_last) {
        n->defer_last->next = w;
    } else {
        n->defer_first = w;
    }
    n->defer_last = w;
    n->defer_frames++;
    n->defer_bytes += len;
    return TOE_ST_OK;
}

static ToeWaiting *take_deferred(ToeNop *n)
{
    ToeWaiting *w = n->defer_first;

    if (w) {
        n->defer_first = w->next;
        if (!n->defer_first) {
            n->defer_last = NULL;
        }
        n->defer_frames--;
        n->defer_bytes -= w->len;
    }
    return w;
}

uint8_t toe_eth_output(ToeNop *n, const uint8_t *frame, size_t len)
{
    if (!n->link) {
        toe_count(n->counters, PORT_OUT_DROPS);
        return TOE_ST_LINKDOWN;
    }
    if (n->port_busy || n->in_frame || n->defer_first) {
        return defer(n, frame, len);
    }
    transmit(n, frame, len);
    return TOE_ST_OK;
}

void toe_eth_flush(ToeNop *n, uint32_t *budget)
{
    while (n->defer_first && !n->port_busy && *budget) {
        ToeWaiting *w = take_deferred(n);

        *budget -= MIN(*budget, w->len);
        transmit(n, w->data, w->len);
        g_free(w);
    }
}

bool toe_nop_eth_send(ToeNop *n, const uint8_t *frame, size_t len)
{
    if (len < TOE_ETH_HLEN || len > TOE_ETH_FRAME_MAX) {
        toe_count(n->counters, ETH_BAD);
        toe_nop_guest_error(n, "frame to send has %zu bytes, allowed are "
                            "%u to %u", len, TOE_ETH_HLEN, TOE_ETH_FRAME_MAX);
        return true;
    }
    if (!n->link) {
        toe_count(n->counters, PORT_OUT_DROPS);
        return true;            /* as a cable that is not plugged in */
    }
    if (n->defer_first) {
        uint32_t budget = UINT32_MAX;

        toe_eth_flush(n, &budget);
    }
    if (n->port_busy) {
        return false;
    }
    toe_count(n->counters, ETH_FROM_OS);
    toe_trace_eth_from_os(toe_get16(frame + 12), len);
    transmit(n, frame, len);
    return true;
}

void toe_eth_reset(ToeNop *n)
{
    ToeWaiting *w;

    while ((w = take_deferred(n))) {
        g_free(w);
    }
}
