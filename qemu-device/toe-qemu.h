/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * toe-qemu.h - the adapter as QEMU sees it: the PCI function's state, shared
 * by toe.c and port.c.  Include it after qemu/osdep.h.
 */
#ifndef TOE_QEMU_H
#define TOE_QEMU_H

#include "toe-qemu-compat.h"
#include "adapter.h"

#define TYPE_TOE "toe"
OBJECT_DECLARE_SIMPLE_TYPE(ToeState, TOE)

struct ToeState {
    PCIDevice parent_obj;

    MemoryRegion regs;          /* BAR 0 */
    MemoryRegion doorbells;     /* BAR 2 */
    MemoryRegion lmem;          /* local memory; in no address space */
    NICState *nic;
    NICConf conf;
    QEMUBH *bh;                 /* env->kick, from a processor's thread */
    Notifier poll;              /* env->kick, from the main loop's */
    bool kicked;                /* run the core before the main loop polls */
    QEMUTimer *timer;           /* env->set_timer */
    Error *blocker;             /* why it cannot migrate yet */
    ToeAdapter *adapter;

    /* Properties. */
    uint32_t contexts;
    uint32_t connections;
    uint64_t localmem;
    uint32_t mtu;
    int32_t max_segment;        /* -1: by the kind of the peer */
    uint32_t regions;
    uint32_t pages;
};

/* ---- port.c ---- */

/* Make the NIC on conf.peers; frames come as soon as it exists. */
void toe_port_realize(ToeState *s);
void toe_port_unrealize(ToeState *s);
/*
 * Can the peer take IPv4 packets larger than the MTU?  TOE_PEER_UNKNOWN: it is
 * a hub, which does not say what is behind it.
 */
typedef enum ToePeer { TOE_PEER_PLAIN, TOE_PEER_USER, TOE_PEER_UNKNOWN } ToePeer;
ToePeer toe_port_peer(ToeState *s);
/* env->send_frame, env's opaque is the ToeState. */
bool toe_port_send(void *opaque, const uint8_t *frame, size_t len);

#endif
