/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cc_cubic.c - CUBIC (RFC 9438), with HyStart++ (RFC 9406) for slow start.
 *
 * Congestion avoidance.  cwnd follows W_cubic(t) = C (t - K)^3 + W_max, where
 * t is the time since the epoch began, W_max the window at which the last
 * loss happened, and K the time at which the curve reaches it again; or Reno's
 * estimate W_est where that is larger.  RFC 9438 counts in segments and
 * seconds; here it is bytes and milliseconds, in integers: with C = 0.4,
 *
 *     C t^3 segments  =  4 mss t_ms^3 / 10^10 bytes
 *
 * Time in which cwnd was not used up does not count (RFC 9438 4.2).
 *
 * Slow start.  HyStart++ compares the least round trip of each round with that
 * of the round before; a rise of an eighth (4 to 16 ms) means that a queue
 * builds up.  Growth is then a quarter (CSS) for five rounds, after which slow
 * start is over, unless the round trip falls again.  It is used in the first
 * slow start only, where ssthresh is not known yet.  Without exact round trips
 * (no SACK) it sees none and changes nothing.
 *
 * It is too late for a queue of one round trip: what shows the rise was sent a
 * round trip ago, and cwnd has doubled since.  So each part of a round, an
 * eighth, is looked at too (4.3 lets an implementation tune it):
 *  - the most bytes that came through in a part, times parts per round trip, is
 *    what the path takes.  Segments leave at twice cwnd a round trip (pacing.c),
 *    so that it is cwnd at least until the path is full.  While cwnd is well
 *    above it, growth is a quarter as well;
 *  - a part that shows a rise begins CSS as a round does.  If the path is full,
 *    or the rise is a second one, slow start is over.
 */
#include "nop/tcp/tcp.h"

#define HYSTART_L           8u          /* segments, RFC 9406 4.2 */
#define MIN_RTT_THRESH_US   4000u
#define MAX_RTT_THRESH_US   16000u
#define N_RTT_SAMPLE        8u
#define CSS_GROWTH_DIVISOR  4u
#define CSS_ROUNDS          5u
#define PARTS               8u          /* of a round, ours */

#define CURVE_MS_MAX        100000      /* t - K is not looked at beyond */

/* Largest r with r^3 <= x. */
static uint32_t cube_root(uint64_t x)
{
    uint64_t r = 0;

    for (int bit = 20; bit >= 0; bit--) {
        uint64_t y = r | 1ull << bit;

        if (y * y * y <= x) {
            r = y;
        }
    }
    return (uint32_t)r;
}

/* 0.7 x. */
static uint32_t beta(uint32_t x)
{
    return (uint32_t)((uint64_t)x * 7 / 10);
}

static void new_round(ToeNcb *c, ToeCubic *q)
{
    q->round_end = c->snd_nxt;
    q->rtt_last = q->rtt_now;
    q->rtt_now = UINT32_MAX;
    q->samples = 0;
    q->bdp_last = q->bdp_now;
    q->parts_last = q->parts_now;
    q->bdp_now = q->parts_now = 0;
}

static void new_part(ToeCubic *q, int64_t now)
{
    q->part_begun = now;
    q->rtt_part = UINT32_MAX;
    q->part_bytes = 0;
    q->part_samples = 0;
}

/* RttThresh: is this one that much longer? */
static bool risen(uint32_t rtt_us, uint32_t than)
{
    return than != UINT32_MAX &&
           rtt_us >= than + CLAMP(than / 8, MIN_RTT_THRESH_US,
                                  MAX_RTT_THRESH_US);
}

static void cubic_init(ToeNcb *c)
{
    ToeCubic *q = &c->cc_state.cubic;

    memset(q, 0, sizeof(*q));
    q->rtt_now = q->rtt_base = UINT32_MAX;
    new_round(c, q);
    new_part(q, 0);
}

static void begin_css(ToeCubic *q, uint32_t rtt_us)
{
    q->rtt_base = rtt_us;
    q->css_rounds = 1;
}

static void end_slow_start(ToeNcb *c, ToeCubic *q)
{
    c->ssthresh = c->cwnd;
    q->css_rounds = 0;
}

/* A part of a round is over: is the path full? */
static void end_part(ToeNcb *c, ToeCubic *q, const ToeCcAck *a)
{
    uint64_t us = (uint64_t)(a->now - q->part_begun) / 1000, bdp;

    bdp = (uint64_t)q->part_bytes * c->min_rtt_us / MAX(us, 1);
    q->bdp_now = MAX(q->bdp_now, (uint32_t)MIN(bdp, TOE_CWND_MAX));
    q->parts_now = (uint8_t)MIN(q->parts_now + 1u, PARTS);
    q->full = a->paced && q->parts_last >= PARTS / 2 &&
              c->cwnd / 5 * 4 > MAX(q->bdp_last, q->bdp_now);
    if (risen(q->rtt_part, q->css_rounds ? q->rtt_base
                                         : MIN(q->rtt_last, q->rtt_now))) {
        if (q->css_rounds || q->full) {
            end_slow_start(c, q);
        } else {
            begin_css(q, q->rtt_part);
            /* This round began lower, which is no false alarm. */
            q->rtt_now = UINT32_MAX;
            q->samples = 0;
        }
    }
    new_part(q, a->now);
}

/* How much slow start may grow for these bytes; RFC 9406 4.2. */
static uint32_t slow_start(ToeNcb *c, ToeCubic *q, const ToeCcAck *a)
{
    /* RFC 9406 4.3: L is infinite where segments are paced. */
    uint32_t grow = a->paced ? a->bytes : MIN(a->bytes, HYSTART_L * c->mss);

    if (c->ssthresh != TOE_CWND_MAX) {
        /* After a time-out L is 1, RFC 3465 2.3. */
        if (c->flags2 & TOE_F2_LOSS || seq_leq(c->snd_una, c->recover)) {
            grow = MIN(grow, c->mss);
        }
        return grow;
    }
    if (seq_geq(c->snd_una, q->round_end)) {
        new_round(c, q);
        if (q->css_rounds && ++q->css_rounds > CSS_ROUNDS) {
            end_slow_start(c, q);
            return 0;
        }
    }
    if (a->rtt_us) {
        q->rtt_now = MIN(q->rtt_now, a->rtt_us);
        q->samples = (uint8_t)MIN(q->samples + 1u, N_RTT_SAMPLE);
        q->rtt_part = MIN(q->rtt_part, a->rtt_us);
        q->part_samples = (uint8_t)MIN(q->part_samples + 1u, N_RTT_SAMPLE);
    }
    if (q->samples >= N_RTT_SAMPLE) {
        if (q->css_rounds && q->rtt_now < q->rtt_base) {
            q->rtt_base = UINT32_MAX;           /* a false alarm */
            q->css_rounds = 0;
        } else if (!q->css_rounds && risen(q->rtt_now, q->rtt_last)) {
            begin_css(q, q->rtt_now);
        }
    }
    q->part_bytes += a->delivered;
    if (q->part_samples >= N_RTT_SAMPLE && q->rtt_last != UINT32_MAX &&
        a->now - q->part_begun >= (int64_t)q->rtt_last * 1000 / PARTS) {
        end_part(c, q, a);
        if (c->ssthresh != TOE_CWND_MAX) {
            return 0;
        }
    }
    return q->css_rounds || q->full ? grow / CSS_GROWTH_DIVISOR : grow;
}

static void begin_epoch(ToeNcb *c, ToeCubic *q, int64_t now)
{
    q->epoch = now;
    q->w_est = c->cwnd;
    q->rounding = 0;
    if (c->cwnd < q->w_max) {
        /* K = cbrt((W_max - cwnd_epoch) / C), in ms. */
        q->k_ms = cube_root((uint64_t)(q->w_max - c->cwnd) * 2500000000ull /
                            c->mss);
        q->origin = q->w_max;
    } else {
        q->k_ms = 0;
        q->origin = c->cwnd;
    }
}

/* W_cubic at ms after the epoch began. */
static uint32_t curve(const ToeNcb *c, const ToeCubic *q, int64_t ms)
{
    int64_t t = CLAMP(ms - (int64_t)q->k_ms, -CURVE_MS_MAX, CURVE_MS_MAX);
    int64_t w = q->origin + t * t * t / 10000 * 4 * c->mss / 1000000;

    return (uint32_t)CLAMP(w, (int64_t)c->mss, (int64_t)TOE_CWND_MAX);
}

static void avoidance(ToeNcb *c, ToeCubic *q, const ToeCcAck *a)
{
    uint32_t target, w;
    uint64_t add;
    int64_t ms;

    if (!q->epoch) {
        begin_epoch(c, q, a->now);
    }
    ms = (a->now - q->epoch) / TOE_MS;
    /*
     * RFC 9438 4.3: alpha is 3 (1 - beta) / (1 + beta) = 9/17 until W_est has
     * caught up with the window before the loss, then 1.
     */
    add = (uint64_t)a->bytes * c->mss / c->cwnd;
    q->w_est += (uint32_t)(q->w_est < q->cwnd_prior ? add * 9 / 17 : add);
    q->w_est = MIN(q->w_est, TOE_CWND_MAX);
    w = curve(c, q, ms);
    if (w < q->w_est) {
        c->cwnd = MAX(c->cwnd, q->w_est);
        return;
    }
    target = curve(c, q, ms + c->srtt_us / 1000);
    target = CLAMP(target, c->cwnd, c->cwnd + c->cwnd / 2);
    /* Eighths of a byte are kept: on long paths the curve is flat at first. */
    add = (uint64_t)(target - c->cwnd) * a->bytes * 8 / c->cwnd + q->rounding;
    q->rounding = add % 8;
    c->cwnd += (uint32_t)(add / 8);
}

static void cubic_acked(ToeNcb *c, const ToeCcAck *a)
{
    ToeCubic *q = &c->cc_state.cubic;

    if (!toe_cc_limited(c, a->flight)) {
        if (!q->paused) {
            q->paused = a->now;
        }
        return;
    }
    if (q->paused) {
        q->epoch += q->epoch ? a->now - q->paused : 0;
        q->paused = 0;
    }
    if (c->cwnd < c->ssthresh) {
        c->cwnd += slow_start(c, q, a);
    } else {
        avoidance(c, q, a);
    }
}

static uint32_t cubic_ssthresh(ToeNcb *c, uint32_t flight, ToeCcEvent why)
{
    ToeCubic *q = &c->cc_state.cubic;
    uint32_t w = c->cwnd;

    (void)why;
    q->w_max_before = q->w_max;
    q->cwnd_prior = w;
    /* Fast convergence, RFC 9438 4.7: leave room to newcomers. */
    q->w_max = w < q->w_max ? (uint32_t)((uint64_t)w * 17 / 20) : w;
    q->epoch = 0;
    q->css_rounds = 0;
    return MAX(beta(flight), 2u * c->mss);
}

static void cubic_undo(ToeNcb *c)
{
    ToeCubic *q = &c->cc_state.cubic;

    q->w_max = q->w_max_before;
    q->epoch = 0;
}

static void cubic_idle(ToeNcb *c)
{
    ToeCubic *q = &c->cc_state.cubic;

    q->epoch = 0;
    q->paused = 0;
}

const ToeCcOps toe_cc_cubic = {
    .name = "cubic",
    .init = cubic_init,
    .acked = cubic_acked,
    .ssthresh = cubic_ssthresh,
    .undo = cubic_undo,
    .idle = cubic_idle,
};
