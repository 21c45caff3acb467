/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pacing.c - new data is spread over the round trip.
 *
 * ACKs that come in bunches, windows that open, applications that write by the
 * megabyte: each lets a large part of cwnd go at once, into a queue that may be
 * shallower than that.  So new data leaves at cwnd / SRTT, times 2 in slow
 * start, where cwnd doubles in a round trip, and times 1.2 later, so that cwnd
 * and not the pace stays the limit (Linux's figures; slow start ends for this
 * purpose at half of ssthresh).
 *
 * How.  c->pace_time is when what was sent is through at that rate.  Each
 * segment moves it on by its length / rate; segments sent again do so too, but
 * are not held back (recovery.c has its own clock).  New data may go while
 * pace_time is not more than a quantum ahead of the clock: two segments or
 * PACE_QUANTUM_NS, whichever is more, so that a connection costs a timer a
 * millisecond at most.  TOE_T_PACE ends the wait.  Time that was not used is
 * good for a burst of PACE_BURST segments, so that with the quantum the first
 * flight of a connection (RFC 6928: ten) goes at once; and for a quantum, so
 * that a timer which comes a little late costs no speed.
 *
 * When not.  Below PACE_SRTT_US of round trip a quantum is a good part of it,
 * there is nothing to spread, and the timer would only cost; so it is without a
 * round trip measured yet.  Segments above PACE_MSS are no wire's: user
 * networking takes them and has no queue in the middle.  TOE_PARAM_PACING
 * turns it off for good.  The application's limit (TOE_OPT_PACING_RATE) holds
 * in all these cases.
 */
#include "nop/tcp/tcp.h"

#define PACE_QUANTUM_NS (1 * TOE_MS)
#define PACE_BURST      8u              /* segments */
#define PACE_SRTT_US    2000u
#define PACE_MSS        9216u

bool toe_pacing_on(const ToeTcp *t, const ToeNcb *c)
{
    return t->nop->pacing && c->srtt_us >= PACE_SRTT_US && c->mss <= PACE_MSS;
}

uint64_t toe_pacing_rate(const ToeTcp *t, const ToeNcb *c)
{
    uint64_t window = MAX(c->cwnd, c->snd_max - c->snd_una), rate = 0;

    if (toe_pacing_on(t, c)) {
        rate = window * 1000000 / c->srtt_us;
        rate = c->cwnd < c->ssthresh / 2 ? rate * 2 : rate * 6 / 5;
        rate = MAX(rate, 1);
    }
    if (c->pacing_max) {
        rate = rate ? MIN(rate, c->pacing_max) : c->pacing_max;
    }
    return rate;
}

static int64_t duration(uint64_t bytes, uint64_t rate)
{
    return (int64_t)(bytes * TOE_SEC / rate);
}

static int64_t quantum(const ToeNcb *c, uint64_t rate)
{
    return rate ? MAX(duration(2u * c->mss, rate), PACE_QUANTUM_NS)
                : PACE_QUANTUM_NS;
}

bool toe_pacing_ready(ToeTcp *t, ToeNcb *c, int64_t now)
{
    /* The usual case, and all there is without pacing: nothing to compute. */
    if (c->pace_time <= now ||
        c->pace_time < now + quantum(c, toe_pacing_rate(t, c))) {
        return true;
    }
    toe_count(t->nop->counters, TCP_PACED);
    toe_timer_set(t, c, TOE_T_PACE, c->pace_time);
    return false;
}

void toe_pacing_sent(ToeTcp *t, ToeNcb *c, uint32_t len, int64_t now)
{
    uint64_t rate = toe_pacing_rate(t, c);
    int64_t unused;

    if (!rate || !len) {
        return;
    }
    unused = MAX(duration(PACE_BURST * c->mss, rate), PACE_QUANTUM_NS);
    c->pace_time = MAX(c->pace_time, now - unused) + duration(len, rate);
}

void toe_pacing_hold(ToeNcb *c, int64_t until)
{
    c->pace_time = MAX(c->pace_time, until);
}
