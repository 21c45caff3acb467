/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * urgent.c - urgent data: RFC 9293 section 3.8.5, as RFC 6093 reads it.
 *
 * "Urgent" is a mark in the stream, not a second channel: the urgent pointer
 * says behind which byte urgent data ends (RFC 6093 section 4: it points to the
 * octet that follows), and the bytes travel and are delivered in their place
 * like any others.  Who wants one of them apart takes it out above.
 *
 * Sending.  snd_up is the mark.  Until it is acknowledged each segment that is
 * not past it carries URG, with the distance, or 65535 if that is farther.
 * Urgent data does not wait for Nagle, CORK or a full segment, but for windows
 * it does; so that the peer hears of it even if its window is closed (it
 * should: 3.8.5), an ACK goes out with it.
 *
 * Receiving.  rcv_up is the mark, which moves forward only.  The owner is told
 * when there was none that he has not read past, and when it moves (MUST-32);
 * what he is told is the mark as a count of bytes of the stream, from which he
 * knows how much of it remains (MUST-33).
 */
#include "nop/tcp/tcp.h"

/* ---- Sending ---- */

void toe_stream_urgent(ToeNop *n, uint32_t handle)
{
    ToeTcp *t = n->tcp;
    ToeNcb *c = toe_ncb_get(t, handle);

    if (!c || c->kind != TOE_NCB_CONN || !c->tx.len ||
        c->flags & TOE_F_FIN_QUEUED) {
        return;                 /* MUST-30: at least one byte of data */
    }
    c->snd_up = toe_ncb_snd_end(c);
    c->so |= TOE_SO_URG_OUT;
    if (c->snd_wnd <= toe_ncb_flight(c)) {
        c->flags |= TOE_F_ACK_NOW;
    }
    toe_tcp_mark(t, c);
}

bool toe_urgent_waits(const ToeNcb *c)
{
    return c->so & TOE_SO_URG_OUT && seq_gt(c->snd_up, c->snd_max);
}

void toe_urgent_out(const ToeNcb *c, ToeSeg *seg)
{
    if (c->so & TOE_SO_URG_OUT && seq_gt(c->snd_up, seg->seq)) {
        seg->flags |= TOE_URG;
        seg->urg = (uint16_t)MIN(c->snd_up - seg->seq, 65535);
    }
}

void toe_urgent_acked(ToeNcb *c)
{
    if (c->so & TOE_SO_URG_OUT && seq_geq(c->snd_una, c->snd_up)) {
        c->so &= (uint16_t)~TOE_SO_URG_OUT;
    }
}

/* ---- Receiving ---- */

void toe_urgent_in(ToeNcb *c, uint32_t up)
{
    if (seq_leq(up, c->rcv_nxt - c->rx.len)) {
        return;                 /* read past it already */
    }
    if (c->so & TOE_SO_URG_IN && seq_leq(up, c->rcv_up)) {
        return;
    }
    c->so |= TOE_SO_URG_IN;
    c->rcv_up = up;
    if (c->flags & TOE_F_OWNED) {
        c->events |= TOE_E_URGENT;
    }
}

void toe_urgent_read(ToeNcb *c)
{
    if (c->so & TOE_SO_URG_IN &&
        seq_geq(c->rcv_nxt - c->rx.len, c->rcv_up)) {
        c->so &= (uint16_t)~TOE_SO_URG_IN;
    }
}

uint64_t toe_urgent_mark(const ToeNcb *c)
{
    /* rcv_nxt stands for bytes_in, but for a FIN that was taken. */
    return c->bytes_in + (int32_t)(c->rcv_up - c->rcv_nxt +
                                   !!(c->flags & TOE_F_FIN_TAKEN));
}
