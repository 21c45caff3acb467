/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port.c - the Ethernet port: a QEMU NIC on any -netdev.
 *
 * Frames from the peer go to the adapter at once; it never refuses one (what
 * comes while it is busy is queued there, within bounds).  Frames to the peer
 * are sent asynchronously: when the peer cannot take more, QEMU keeps the
 * frame, and the adapter waits for toe_port_sent().
 */
#include "qemu/osdep.h"
#include "toe-qemu.h"
#include "hw/core/cpu.h"
#include "qemu/main-loop.h"
#include "toe_trace.h"

static bool port_can_receive(NetClientState *nc)
{
    return true;
}

static ssize_t port_receive(NetClientState *nc, const uint8_t *buf,
                            size_t size)
{
    ToeState *s = qemu_get_nic_opaque(nc);

    toe_trace_port_receive(size);
    if (s->adapter) {
        toe_adapter_frame_in(s->adapter, buf, size);
    }
    return size;
}

static void port_link_changed(NetClientState *nc)
{
    ToeState *s = qemu_get_nic_opaque(nc);

    if (s->adapter) {
        toe_adapter_link(s->adapter, !nc->link_down);
    }
}

static NetClientInfo port_info = {
    .type = NET_CLIENT_DRIVER_NIC,
    .size = sizeof(NICState),
    .can_receive = port_can_receive,
    .receive = port_receive,
    .link_status_changed = port_link_changed,
};

/* QEMU sent the frame it kept. */
static void port_sent(NetClientState *nc, ssize_t ret)
{
    ToeState *s = qemu_get_nic_opaque(nc);

    if (s->adapter) {
        toe_adapter_port_ready(s->adapter);
    }
}

bool toe_port_send(void *opaque, const uint8_t *frame, size_t len)
{
    ToeState *s = opaque;
    ssize_t ret;

    if (!s->nic || !s->adapter) {
        return true;            /* not there yet, or unplugged */
    }
    ret = qemu_send_packet_async(qemu_get_queue(s->nic), frame, len,
                                 port_sent);
    /*
     * The backend polls its sockets from the main loop, and this frame may
     * have made it wait for other ones: libslirp opens a socket for a SYN,
     * and reads on when an ACK made room.  A main loop that already sleeps
     * does not know.
     */
    if (current_cpu) {
        qemu_notify_event();
    }
    toe_trace_port_send(len, ret);
    return ret != 0;
}

ToePeer toe_port_peer(ToeState *s)
{
    NetClientState *peer = s->conf.peers.ncs[0];

    if (!peer) {
        return TOE_PEER_PLAIN;
    }
    switch (peer->info->type) {
    case NET_CLIENT_DRIVER_USER:
        return TOE_PEER_USER;
    case NET_CLIENT_DRIVER_HUBPORT:
        return TOE_PEER_UNKNOWN;
    default:
        return TOE_PEER_PLAIN;
    }
}

void toe_port_realize(ToeState *s)
{
    NetClientState *nc;

    s->nic = toe_new_nic(&port_info, &s->conf, DEVICE(s), s);
    nc = qemu_get_queue(s->nic);
    qemu_format_nic_info_str(nc, s->conf.macaddr.a);
    toe_adapter_link(s->adapter, !nc->link_down);
}

void toe_port_unrealize(ToeState *s)
{
    NICState *nic = s->nic;

    if (nic) {
        s->nic = NULL;
        /*
         * A frame that waits for a busy peer names us as its sender, and
         * QEMU does not look for it when a NIC goes.
         */
        qemu_purge_queued_packets(qemu_get_queue(nic));
        qemu_del_nic(nic);
    }
}
