/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cc.h - congestion control as a table of functions.
 *
 * recovery.c finds out that something was acknowledged, lost or marked; the
 * algorithm says what that means for cwnd and ssthresh, which are in the NCB
 * and in bytes.  It keeps the rest of its state in ncb->cc_state.  A further
 * algorithm is one more file with one ToeCcOps, one entry in cc.c's table and
 * a TOE_CC_* in toe_hw.h; ncb->cc is that number.
 *
 *   cc.c          the table; slow start and Reno's parts that others share
 *   cc_newreno.c  RFC 5681
 *   cc_cubic.c    RFC 9438 with HyStart++, RFC 9406; the default
 *   cc_dctcp.c    RFC 8257
 */
#ifndef TOE_NOP_TCP_CC_H
#define TOE_NOP_TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

struct ToeNcb;

/* Bytes were acknowledged, or SACKed (bytes is 0), in no recovery. */
typedef struct ToeCcAck {
    int64_t now;
    uint32_t bytes;
    uint32_t delivered;         /* of them, or SACKed: not told before */
    uint32_t flight;            /* outstanding before that */
    uint32_t rtt_us;            /* of the latest of them; 0: not known */
    bool ece;                   /* the ACK echoes congestion */
    bool paced;                 /* what it lets out does not go as a burst */
} ToeCcAck;

typedef enum ToeCcEvent {
    TOE_CC_LOSS,
    TOE_CC_TIMEOUT,
    TOE_CC_MARK,                /* ECN */
} ToeCcEvent;

typedef struct ToeCcOps {
    const char *name;
    /* Begin: own state only; cwnd and ssthresh are there. */
    void (*init)(struct ToeNcb *c);
    void (*acked)(struct ToeNcb *c, const ToeCcAck *a);
    /* The new ssthresh, from the bytes outstanding. */
    uint32_t (*ssthresh)(struct ToeNcb *c, uint32_t flight, ToeCcEvent why);
    /* The last ssthresh() was needless; cwnd is what it was.  May be NULL. */
    void (*undo)(struct ToeNcb *c);
    /* Nothing was sent for a while, cwnd was reduced.  May be NULL. */
    void (*idle)(struct ToeNcb *c);
    /* For each ACK: bytes, and did it echo a mark?  May be NULL. */
    void (*marked)(struct ToeNcb *c, uint32_t bytes, bool ece);
} ToeCcOps;

/* CUBIC and HyStart++. */
typedef struct ToeCubic {
    int64_t epoch;              /* begin of congestion avoidance; 0: not yet */
    int64_t paused;             /* since when cwnd is not used up; 0: it is */
    uint32_t k_ms;              /* K */
    uint32_t w_max;             /* W_max */
    uint32_t w_max_before;      /* for undo */
    uint32_t origin;            /* the curve's plateau in this epoch */
    uint32_t w_est;             /* W_est */
    uint32_t cwnd_prior;        /* cwnd_prior */
    uint32_t round_end;         /* HyStart++: windowEnd */
    uint32_t rtt_last;          /* lastRoundMinRTT; UINT32_MAX: infinity */
    uint32_t rtt_now;           /* currentRoundMinRTT, the same */
    uint32_t rtt_base;          /* cssBaselineMinRtt, the same */
    uint32_t rtt_part;          /* the least of this part of the round, too */
    int64_t part_begun;
    uint32_t part_bytes;
    uint32_t bdp_last;          /* the most a part showed, rate times RTT */
    uint32_t bdp_now;
    uint8_t part_samples;
    uint8_t parts_last;         /* parts of a round */
    uint8_t parts_now;
    bool full;                  /* cwnd is well above that */
    uint8_t samples;            /* rttSampleCount */
    uint8_t css_rounds;         /* 0: slow start; else CSS, the n-th round */
    uint8_t rounding;           /* eighths of a byte: see cc_cubic.c */
} ToeCubic;

typedef struct ToeDctcp {
    uint32_t alpha;             /* DCTCP.Alpha, 1024 is 1 */
    uint32_t acked;             /* DCTCP.BytesAcked */
    uint32_t marked;            /* DCTCP.BytesMarked */
    uint32_t window_end;        /* DCTCP.WindowEnd */
} ToeDctcp;

typedef union ToeCcState {
    ToeCubic cubic;
    ToeDctcp dctcp;
} ToeCcState;

#define TOE_CWND_MAX            (1u << 30)

extern const ToeCcOps toe_cc_newreno;
extern const ToeCcOps toe_cc_cubic;
extern const ToeCcOps toe_cc_dctcp;

const ToeCcOps *toe_cc_ops(const struct ToeNcb *c);
bool toe_cc_exists(uint64_t cc);
/* The connection is established, mss is known. */
void toe_cc_start(struct ToeNcb *c);
/* RFC 6928: min(10 MSS, max(2 MSS, 14600)). */
uint32_t toe_cc_initial_window(uint32_t mss);
/* Was cwnd what held the sender back?  Else it must not grow. */
bool toe_cc_limited(const struct ToeNcb *c, uint32_t flight);
void toe_cc_acked(struct ToeNcb *c, const ToeCcAck *a);
/* The new ssthresh after loss or a mark; once for each window of data. */
uint32_t toe_cc_reduce(struct ToeNcb *c, uint32_t flight, ToeCcEvent why);
/* The SYN, or the SYN-ACK, was sent again so many times. */
void toe_cc_syn_lost(struct ToeNcb *c, unsigned times);
/*
 * Data is about to be sent: was none for longer than an RTO?  And: all that the
 * application gave is out, how much of cwnd did that use?
 */
void toe_cc_idle(struct ToeNcb *c, int64_t now);
void toe_cc_validate(struct ToeNcb *c, int64_t now);
/* Reno's growth, RFC 5681. */
void toe_cc_reno_acked(struct ToeNcb *c, const ToeCcAck *a);

#endif
