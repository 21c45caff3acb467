/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sack.c - the scoreboard: what is in flight, and what the peer has of it.
 *
 * With SACK agreed, a list of spans covers [snd_una, snd_nxt), ascending and
 * without a gap.  A span is a run of bytes with one fate: flying, SACKed, or
 * lost and waiting to be sent again; and with one time of sending, for RACK.
 * The NCB has the sums (c->sacked, c->lost), so that "pipe" (RFC 6675) is a
 * subtraction.  The bytes themselves are in c->tx; a span knows nothing of
 * buflets.  snd_nxt never goes back here, unlike without SACK.
 *
 * Cost.  New data goes into the last span while that is young (a 32nd of a
 * round trip): a stream without loss has a few dozen spans, whatever its
 * window, and sending or acknowledging a segment changes one of them.  SACKed
 * neighbours are joined, so there are about two spans for each hole.
 *
 * Bounds, as the peer chooses where to cut.  Spans come from a pool of the
 * adapter: one for each NCB, which it can always have, and a shared part, of
 * which one connection gets at most TOE_SPANS_PER_CONN and less when it runs
 * short.  Nothing here can fail for want of one: a block that needs a cut for
 * which there is no span is ignored (SACK is advice, RFC 2018 section 8), new
 * data then joins the last span, which at worst makes it look younger, or
 * unSACKed, than it is.
 *
 * Blocks are believed only within what was sent and not acknowledged; a block
 * at or below the ACK is a D-SACK (RFC 2883) if it comes first, else
 * nonsense.
 */
#include "nop/tcp/tcp.h"

/* Data sent within this part of a round trip counts as sent together. */
#define SPAN_AGE_SHIFT 5

bool toe_sack_init(ToeTcp *t, uint32_t conns, uint32_t shared)
{
    t->spans_size = conns + shared;
    t->spans_shared = shared;
    t->spans = g_try_new0(ToeSpan, t->spans_size);
    if (!t->spans) {
        return false;
    }
    toe_sack_reset(t);
    return true;
}

void toe_sack_reset(ToeTcp *t)
{
    /* Every connection is gone, and has given back what it held. */
    for (uint32_t i = 0; i < t->spans_size; i++) {
        t->spans[i].next = i + 1 < t->spans_size ? i + 1 : TOE_NONE;
    }
    t->spans_free = t->spans_size ? 0 : TOE_NONE;
}

void toe_sack_free(ToeTcp *t)
{
    g_free(t->spans);
}

static uint32_t span_len(const ToeSpan *s)
{
    return s->right - s->left;
}

/* A span not on any list yet, or NONE. */
static uint32_t span_new(ToeTcp *t, ToeNcb *c)
{
    uint32_t i = t->spans_free;

    if (i == TOE_NONE) {
        return TOE_NONE;
    }
    if (c->spans) {
        if (!t->spans_shared || c->spans >= TOE_SPANS_PER_CONN ||
            (c->spans >= 8 && c->spans > t->spans_shared / 4)) {
            return TOE_NONE;
        }
        t->spans_shared--;
    }
    t->spans_free = t->spans[i].next;
    c->spans++;
    return i;
}

static void span_free(ToeTcp *t, ToeNcb *c, uint32_t i)
{
    t->spans[i].next = t->spans_free;
    t->spans_free = i;
    c->spans--;
    if (c->spans) {
        t->spans_shared++;
    }
}

void toe_sack_clear(ToeTcp *t, ToeNcb *c)
{
    while (c->span_first != TOE_NONE) {
        uint32_t i = c->span_first;

        c->span_first = t->spans[i].next;
        span_free(t, c, i);
    }
    c->span_last = TOE_NONE;
    c->sacked = c->lost = 0;
}

void toe_sack_set(ToeNcb *c, ToeSpan *s, ToeSpanState state)
{
    uint32_t len = span_len(s);

    c->sacked -= s->state == TOE_SPAN_SACKED ? len : 0;
    c->lost -= s->state == TOE_SPAN_LOST ? len : 0;
    s->state = (uint8_t)state;
    c->sacked += state == TOE_SPAN_SACKED ? len : 0;
    c->lost += state == TOE_SPAN_LOST ? len : 0;
}

/* Cut span i at seq, which is inside.  False: no span for the other half. */
static bool cut(ToeTcp *t, ToeNcb *c, uint32_t i, uint32_t seq)
{
    uint32_t n = span_new(t, c);
    ToeSpan *s = &t->spans[i];

    if (n == TOE_NONE) {
        return false;
    }
    t->spans[n] = *s;
    t->spans[n].left = s->right = seq;
    s->next = n;
    if (c->span_last == i) {
        c->span_last = n;
    }
    return true;
}

/* May the span behind s be joined to it? */
static bool alike(const ToeSpan *s, const ToeSpan *n)
{
    if (s->state != n->state) {
        return false;
    }
    /* When SACKed bytes were sent does not matter any more. */
    return s->state == TOE_SPAN_SACKED ||
           (s->again == n->again &&
            (s->sent == n->sent || s->state == TOE_SPAN_LOST));
}

/* Join the span behind span i to it as long as they are alike. */
static void join(ToeTcp *t, ToeNcb *c, uint32_t i)
{
    ToeSpan *s = &t->spans[i];

    while (s->next != TOE_NONE && alike(s, &t->spans[s->next])) {
        uint32_t n = s->next;

        s->right = t->spans[n].right;
        s->sent = MAX(s->sent, t->spans[n].sent);
        s->next = t->spans[n].next;
        if (c->span_last == n) {
            c->span_last = i;
        }
        span_free(t, c, n);
    }
}

static void join_all(ToeTcp *t, ToeNcb *c)
{
    for (uint32_t i = c->span_first; i != TOE_NONE; i = t->spans[i].next) {
        join(t, c, i);
    }
}

/* ---- Sending ---- */

void toe_sack_sent(ToeTcp *t, ToeNcb *c, uint32_t left, uint32_t right,
                   int64_t now)
{
    int64_t young = ((int64_t)c->srtt_us * 1000) >> SPAN_AGE_SHIFT;
    uint32_t i = c->span_last, n;
    ToeSpan *s;

    if (i != TOE_NONE) {
        s = &t->spans[i];
        if (s->state == TOE_SPAN_FLYING && !s->again &&
            now - s->sent <= young) {
            s->right = right;
            return;
        }
    }
    n = span_new(t, c);
    if (n == TOE_NONE && i == TOE_NONE) {
        return;                                 /* not possible */
    }
    if (n == TOE_NONE) {
        s = &t->spans[i];
        toe_sack_set(c, s, TOE_SPAN_FLYING);
        s->right = right;
        s->sent = now;
        return;
    }
    t->spans[n] = (ToeSpan) {
        .sent = now, .left = left, .right = right, .next = TOE_NONE,
    };
    if (i == TOE_NONE) {
        c->span_first = n;
    } else {
        t->spans[i].next = n;
    }
    c->span_last = n;
}

void toe_sack_resent(ToeTcp *t, ToeNcb *c, uint32_t left, uint32_t right,
                     int64_t now)
{
    uint32_t prev = TOE_NONE, i = c->span_first;
    ToeSpan *s;

    while (i != TOE_NONE && seq_leq(t->spans[i].right, left)) {
        prev = i;
        i = t->spans[i].next;
    }
    if (i == TOE_NONE) {
        return;
    }
    if (seq_lt(t->spans[i].left, left) && cut(t, c, i, left)) {
        prev = i;
        i = t->spans[i].next;
    }
    if (seq_lt(right, t->spans[i].right)) {
        /* Without a cut the rest counts as resent, and is lost again later. */
        cut(t, c, i, right);
    }
    s = &t->spans[i];
    toe_sack_set(c, s, TOE_SPAN_FLYING);
    s->sent = now;
    s->again = true;
    if (prev != TOE_NONE) {
        join(t, c, prev);
    }
}

bool toe_sack_next(const ToeTcp *t, const ToeNcb *c, uint32_t *left,
                   uint32_t *right)
{
    uint32_t i = c->lost ? c->span_first : TOE_NONE;

    while (i != TOE_NONE && t->spans[i].state != TOE_SPAN_LOST) {
        i = t->spans[i].next;
    }
    if (i == TOE_NONE) {
        return false;
    }
    *left = t->spans[i].left;
    *right = t->spans[i].right;
    return true;
}

bool toe_sack_any_resent(const ToeTcp *t, const ToeNcb *c)
{
    for (uint32_t i = c->span_first; i != TOE_NONE; i = t->spans[i].next) {
        if (t->spans[i].again && t->spans[i].state == TOE_SPAN_FLYING) {
            return true;
        }
    }
    return false;
}

/* ---- What an ACK says ---- */

static void delivered(ToeNcb *c, const ToeSpan *s, ToeAckNews *news)
{
    news->delivered += span_len(s);
    if (!s->again) {
        if (seq_leq(s->right, news->fack)) {
            /* It was overtaken by something sent later (RFC 8985 6.2). */
            c->flags2 |= TOE_F2_REORDERED;
            toe_info_reordered(c, s->left, news->fack);
        }
        news->rtt_us = (uint32_t)CLAMP((news->now - s->sent) / 1000, 1,
                                       UINT32_MAX);
        if (seq_leq(s->right, c->recover)) {
            news->original = true;
        }
    }
    c->fack = seq_max(c->fack, s->right);
    toe_rack_delivered(c, s, news);
}

/*
 * Was it the first copy of what was resent that arrived?  RFC 3522 3.2.  The
 * echo is of the segment that begins at snd_una (RFC 7323 4.3); and one that
 * was resent before undo_ts says nothing about what was resent since.
 */
static bool first_copy(const ToeTcp *t, const ToeNcb *c, uint32_t ack,
                       const ToeAckNews *news)
{
    const ToeSpan *s;
    uint32_t resent;

    if (!c->undo_ts || !news->ts_ecr || c->span_first == TOE_NONE) {
        return false;
    }
    s = &t->spans[c->span_first];
    resent = toe_ts_now(c, s->sent);
    return s->again && s->state != TOE_SPAN_SACKED && seq_lt(s->left, ack) &&
           (int32_t)(resent - c->undo_ts) >= 0 &&
           (int32_t)(news->ts_ecr - resent) < 0;
}

void toe_sack_advance(ToeTcp *t, ToeNcb *c, uint32_t ack, ToeAckNews *news)
{
    news->acked = ack - c->snd_una;
    news->first_copy = first_copy(t, c, ack, news);
    while (c->span_first != TOE_NONE) {
        uint32_t i = c->span_first;
        ToeSpan *s = &t->spans[i], part = *s;

        if (seq_geq(s->left, ack)) {
            break;
        }
        if (seq_gt(s->right, ack)) {
            part.right = ack;
        }
        if (s->state != TOE_SPAN_SACKED) {
            delivered(c, &part, news);
        }
        if (part.right != s->right) {
            c->sacked -= s->state == TOE_SPAN_SACKED ? span_len(&part) : 0;
            c->lost -= s->state == TOE_SPAN_LOST ? span_len(&part) : 0;
            s->left = ack;
            break;
        }
        toe_sack_set(c, s, TOE_SPAN_FLYING);
        c->span_first = s->next;
        if (c->span_last == i) {
            c->span_last = TOE_NONE;
        }
        span_free(t, c, i);
    }
    c->fack = seq_max(c->fack, ack);
}

/* The peer has [left, right). */
static void take_block(ToeTcp *t, ToeNcb *c, uint32_t left, uint32_t right,
                       ToeAckNews *news)
{
    uint32_t prev = TOE_NONE, i = c->span_first;

    while (i != TOE_NONE && seq_lt(t->spans[i].left, right)) {
        ToeSpan *s = &t->spans[i];

        if (s->state == TOE_SPAN_SACKED || seq_leq(s->right, left)) {
            prev = i;
            i = s->next;
            continue;
        }
        if (seq_lt(s->left, left)) {
            if (!cut(t, c, i, left)) {
                return;
            }
            prev = i;
            i = t->spans[i].next;
            s = &t->spans[i];
        }
        if (seq_gt(s->right, right) && !cut(t, c, i, right)) {
            return;
        }
        delivered(c, s, news);
        news->sacked = true;
        toe_sack_set(c, s, TOE_SPAN_SACKED);
        join(t, c, i);
        if (prev != TOE_NONE && alike(&t->spans[prev], s)) {
            join(t, c, prev);
            i = prev;                           /* its own predecessor stays */
        }
        prev = i;
        i = t->spans[i].next;
    }
}

/* RFC 2883 section 4: is the first block about a duplicate? */
static bool is_dsack(const ToeNcb *c, const ToeTcpOptions *o)
{
    const ToeSackBlock *b = o->sack;

    if (seq_leq(b[0].right, c->snd_una)) {
        return true;
    }
    return o->sacks > 1 && seq_geq(b[0].left, b[1].left) &&
           seq_leq(b[0].right, b[1].right);
}

void toe_sack_blocks(ToeTcp *t, ToeNcb *c, const ToeTcpOptions *opt,
                     ToeAckNews *news)
{
    unsigned first = 0;

    if (seq_lt(opt->sack[0].left, opt->sack[0].right) && is_dsack(c, opt)) {
        const ToeSackBlock *b = &opt->sack[0];

        first = 1;
        /* Older than a window: no news, or a lie. */
        if (c->snd_una - b->left <= MAX(c->snd_wnd_max, c->snd_buf) ||
            seq_geq(b->left, c->snd_una)) {
            news->dsack = true;
            news->dsack_tlp = seq_lt(b->left, c->tlp_end) &&
                              seq_geq(b->right, c->tlp_end);
            if (seq_geq(b->left, c->undo_una)) {
                news->dsacked = b->right - b->left;
            }
        }
    }
    for (unsigned i = first; i < opt->sacks; i++) {
        const ToeSackBlock *b = &opt->sack[i];

        if (seq_gt(b->left, c->snd_una) && seq_lt(b->left, b->right) &&
            seq_leq(b->right, c->snd_nxt)) {
            take_block(t, c, b->left, b->right, news);
        }
    }
}

/* ---- All at once ---- */

void toe_sack_lose_all(ToeTcp *t, ToeNcb *c)
{
    for (uint32_t i = c->span_first; i != TOE_NONE; i = t->spans[i].next) {
        if (t->spans[i].state == TOE_SPAN_FLYING) {
            toe_sack_set(c, &t->spans[i], TOE_SPAN_LOST);
        }
    }
    join_all(t, c);
}

void toe_sack_find_all(ToeTcp *t, ToeNcb *c)
{
    for (uint32_t i = c->span_first; i != TOE_NONE; i = t->spans[i].next) {
        if (t->spans[i].state == TOE_SPAN_LOST) {
            toe_sack_set(c, &t->spans[i], TOE_SPAN_FLYING);
        }
    }
}

void toe_sack_renege(ToeTcp *t, ToeNcb *c)
{
    for (uint32_t i = c->span_first; i != TOE_NONE; i = t->spans[i].next) {
        if (t->spans[i].state == TOE_SPAN_SACKED) {
            toe_sack_set(c, &t->spans[i], TOE_SPAN_FLYING);
        }
    }
}
