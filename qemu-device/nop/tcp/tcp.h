/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp.h - what the files of nop/tcp/ share: the NCB, the table of NCBs, and
 * the functions that go between the files.  The theory of operation is at
 * the top of tcp.c.
 *
 * Names are the RFC's: SND.UNA is snd_una.  Sequence numbers are uint32_t and
 * are compared with seq_lt() and its relatives only.  Times are nanoseconds
 * of the virtual clock.  NCBs, buflets and ranges name one another by index,
 * never by pointer, so that the state can be saved and loaded.
 */
#ifndef TOE_NOP_TCP_H
#define TOE_NOP_TCP_H

#include "nop/nop.h"
#include "nop/tcp/cc.h"
#include "nop/tcp/fastopen.h"
#include "nop/tcp/synq.h"

#define TOE_NONE                0xffffffffu     /* no such index */

/* ---- Sequence numbers, RFC 9293 section 3.4 ---- */

static inline bool seq_lt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool seq_leq(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

static inline bool seq_gt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

static inline bool seq_geq(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) >= 0;
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
    return seq_gt(a, b) ? a : b;
}

/* ---- Limits and times ---- */

#define TOE_MS                  TOE_NS_PER_MS
#define TOE_SEC                 TOE_NS_PER_S

#define TOE_RTO_INIT_NS         (1 * TOE_SEC)   /* RFC 6298 (2.1) */
#define TOE_R1                  3u      /* RFC 9293 3.8.3: time-outs in a row */
#define TOE_RTO_MIN_NS          (200 * TOE_MS)
#define TOE_RTO_MARGIN_NS       (100 * TOE_MS)  /* above SRTT, at least */
#define TOE_RTO_MAX_NS          (60 * TOE_SEC)  /* RFC 6298 (2.5) */
#define TOE_RTO_SYN_NS          (3 * TOE_SEC)   /* RFC 6298 (5.7) */
#define TOE_DELACK_NS           (40 * TOE_MS)   /* RFC 9293 3.8.6.3: < 0.5 s */
#define TOE_OVERRIDE_NS         (200 * TOE_MS)  /* RFC 9293 3.8.6.2.1 */
/*
 * libslirp does not say when a window that was closed opens again: it waits
 * to be asked.  So with user networking, where a round trip takes microseconds
 * and a probe costs nothing, both of the above begin with this instead.
 */
#define TOE_USER_STALL_NS       (5 * TOE_MS)
#define TOE_MIN_RTT_NS          (10 * TOE_SEC)  /* how long one is believed */
#define TOE_PTO_MIN_NS          (10 * TOE_MS)   /* RFC 8985 7.2, a floor */
#define TOE_WC_DELACK_NS        (200 * TOE_MS)  /* TLP.max_ack_delay */
#define TOE_R2_NS               (120 * TOE_SEC) /* RFC 9293 3.8.3: >= 100 s */
#define TOE_R2_SYN_NS           (180 * TOE_SEC) /* the same: >= 3 minutes */
#define TOE_FIN_WAIT_2_NS       (60 * TOE_SEC)
#define TOE_KEEP_INTVL_NS       (75 * TOE_SEC)
#define TOE_KEEP_PROBES         9u
#define TOE_CHALLENGE_NS        (1 * TOE_SEC)
#define TOE_CHALLENGE_PER_CONN  10u             /* in TOE_CHALLENGE_NS */
#define TOE_CHALLENGE_TOTAL     1000u           /* about: see input.c */

#define TOE_BUF_MIN             4096u           /* RCVBUF and SNDBUF, bytes */
#define TOE_BUF_MAX             (4u << 20)
#define TOE_BUF_AUTO_MAX        (16u << 20)     /* of the tuned ones */
#define TOE_WSCALE_MAX          14u             /* RFC 7323 2.3 */
#define TOE_MSS_MIN             48u             /* less is not believed */
#define TOE_MSS_DEFAULT_V4      536u            /* RFC 9293 3.7.1 */
#define TOE_MSS_DEFAULT_V6      1220u
#define TOE_PMTU_MIN_V4         552u
#define TOE_PMTU_MIN_V6         1280u
#define TOE_MAXSEG_MIN          88u             /* TOE_OPT_MAXSEG */
#define TOE_WINDOW_CLAMP_MIN    1024u
#define TOE_UTO_LEAST_MS        1000u           /* TOE_PARAM_UTO_* */
#define TOE_UTO_MIN_MS_MAX      3600000u
#define TOE_UTO_MAX_MS_MAX      86400000u
#define TOE_UTO_MIN_MS_DEFAULT  100000u         /* RFC 9293 3.8.3: R2 */
#define TOE_UTO_MAX_MS_DEFAULT  3600000u
#define TOE_PLPMTU_BASE         1280u           /* most paths take it */
#define TOE_PLPMTU_AGAIN_NS     (1 * TOE_SEC)   /* after a probe was lost */
#define TOE_BACKLOG_MAX         4096u
#define TOE_ISN_STEP            64000u          /* above an old connection's */
#define TOE_SYNACK_BYTES        74u             /* of a turn's budget */
#define TOE_RANGES_PER_CONN     64u             /* gaps in reassembly */
#define TOE_SPANS_PER_CONN      1024u           /* pieces in flight */
#define TOE_REPLIES             64u             /* RSTs waiting for a turn */
#define TOE_DUPACKS_PER_TURN    64u
#define TOE_QUICKACKS           8u              /* segments */
#define TOE_DUPTHRESH           3u              /* RFC 5681 3.2 */
#define TOE_REORDERING_MAX      300u            /* segments */
#define TOE_ECN_CHANGES         4u              /* between two turns */
#define TOE_PACING_MIN          1000u           /* bytes/s */

/* ---- A segment, parsed and checked ---- */

#define TOE_FIN                 0x01u
#define TOE_SYN                 0x02u
#define TOE_RST                 0x04u
#define TOE_PSH                 0x08u
#define TOE_ACK                 0x10u
#define TOE_URG                 0x20u
#define TOE_ECE                 0x40u           /* RFC 3168 6.1 */
#define TOE_CWR                 0x80u

/* The ECN field of IP, RFC 3168 section 5. */
#define TOE_ECN_NOT_ECT         0u
#define TOE_ECN_ECT0            2u
#define TOE_ECN_CE              3u
#define TOE_ECN_MASK            3u

#define TOE_TCP_HDR             20u
#define TOE_TCP_HDR_MAX         60u
#define TOE_OPT_TS_LEN          12u             /* with two NOPs in front */
#define TOE_OPT_SACK_MIN        12u             /* one block, the same */

#define TOE_SACK_BLOCKS         4u              /* what 40 bytes can hold */

/* [left, right) of the sequence space, RFC 2018 section 3. */
typedef struct ToeSackBlock {
    uint32_t left;
    uint32_t right;
} ToeSackBlock;

typedef struct ToeTcpOptions {
    bool have_mss;
    bool have_wscale;
    bool have_ts;
    bool sack_permitted;
    bool have_fo;               /* RFC 7413: asks for a cookie, or has one */
    uint8_t fo_len;
    uint8_t fo_cookie[TOE_FO_COOKIE_MAX];
    uint8_t sacks;              /* blocks in sack */
    uint16_t mss;
    uint16_t uto;               /* RFC 5482, as on the wire; 0: none */
    uint8_t wscale;
    uint32_t ts_val;
    uint32_t ts_ecr;
    ToeSackBlock sack[TOE_SACK_BLOCKS];
} ToeTcpOptions;

typedef struct ToeSeg {
    uint32_t seq;
    uint32_t ack;
    uint32_t wnd;               /* as in the header, not scaled */
    uint32_t len;               /* payload bytes */
    const uint8_t *data;
    uint16_t sport;
    uint16_t dport;
    uint8_t flags;
    uint16_t urg;               /* urgent pointer, from seq on */
    uint8_t ecn;                /* the IP header's: TOE_ECN_* */
    bool unscaled;              /* wnd was a SYN's: RFC 7323 2.2 */
    ToeTcpOptions opt;
} ToeSeg;

/* ---- Timers of an NCB; one heap entry stands for all of them ---- */

typedef enum ToeTcpTimer {
    TOE_T_TLP,                  /* tail loss probe; before RTX: it moves it */
    TOE_T_RTX,                  /* retransmission, or zero-window probe */
    TOE_T_REO,                  /* RACK: not reordered, lost */
    TOE_T_DELACK,
    TOE_T_PACE,                 /* new data may go, pacing.c */
    TOE_T_OVERRIDE,             /* data held back by SWS avoidance, or MORE */
    TOE_T_KEEP,
    TOE_T_LIFE,                 /* SYN-RECEIVED, TIME-WAIT, orphans */
    TOE_T_MAX
} ToeTcpTimer;

/* ---- The network control block ---- */

typedef enum ToeNcbKind {
    TOE_NCB_FREE,
    TOE_NCB_CONN,
    TOE_NCB_LISTENER,
} ToeNcbKind;

#define TOE_F_OWNED             0x00000001u /* the host side has the handle */
#define TOE_F_ORPHAN            0x00000002u /* it had, and let go */
#define TOE_F_HASHED            0x00000004u
#define TOE_F_ON_OUT            0x00000008u /* waits for an output turn */
#define TOE_F_HALF_OPEN         0x00000010u /* a listener's, handshake not over */
#define TOE_F_BACKLOG           0x00000020u /* counts against the backlog */
#define TOE_F_PORT              0x00000040u /* holds a reference on lport */
#define TOE_F_ON_TW             0x00000080u /* on the TIME-WAIT list */
#define TOE_F_ACTIVE            0x00000100u /* opened by connect */
#define TOE_F_NODELAY           0x00000200u
#define TOE_F_MORE              0x00000400u /* the last send said MORE */
#define TOE_F_OVERRIDE          0x00000800u /* send small segments now */
#define TOE_F_TS                0x00001000u /* timestamps agreed */
#define TOE_F_WSCALE            0x00002000u /* window scaling agreed */
#define TOE_F_FIN_QUEUED        0x00004000u /* FIN follows the send buffer */
#define TOE_F_FIN_ACKED         0x00008000u
#define TOE_F_FIN_RCVD          0x00010000u /* a FIN is known at rcv_fin */
#define TOE_F_FIN_TAKEN         0x00020000u /* and rcv_nxt is past it */
#define TOE_F_ACK_NOW           0x00040000u
#define TOE_F_ACK_LATER         0x00080000u
#define TOE_F_SEND_SYN          0x00100000u /* SYN or SYN-ACK is due */
#define TOE_F_SEND_RST          0x00200000u /* RST is due, then it is dead */
#define TOE_F_RTX_ONE           0x00400000u /* resend one segment at snd_una */
#define TOE_F_PROBE             0x00800000u /* a zero-window probe is due */
#define TOE_F_KEEP_PROBE        0x01000000u
#define TOE_F_PERSIST           0x02000000u /* TOE_T_RTX times probes */
#define TOE_F_RECOVERY          0x04000000u /* fast recovery */
#define TOE_F_PARTIAL           0x08000000u /* had a partial ACK in it */
#define TOE_F_CWND_LIMITED      0x10000000u
#define TOE_F_RTT_TIMED         0x20000000u /* rtt_seq, rtt_time are valid */
#define TOE_F_SPACE_SHORT       0x40000000u /* host wants writable() at 1/3 */
#define TOE_F_SPACE_WANT        0x80000000u /* host wants writable() if empty */

/* And in flags2. */
#define TOE_F2_SACK             0x00000001u /* SACK agreed */
#define TOE_F2_LOSS             0x00000002u /* a time-out, recover not acked */
#define TOE_F2_FRTO             0x00000004u /* was it spurious? RFC 5682 */
#define TOE_F2_FRTO_NEW         0x00000008u /* new data sent to find out */
#define TOE_F2_FORCE            0x00000010u /* resend one, whatever cwnd is */
#define TOE_F2_UNDO             0x00000020u /* undo_* are valid */
#define TOE_F2_REORDERED        0x00000040u /* the path does reorder */
#define TOE_F2_TLP_DUE          0x00000080u /* send a tail loss probe */
#define TOE_F2_TLP              0x00000100u /* one is out, up to tlp_end */
#define TOE_F2_TLP_RESENT       0x00000200u /* and it was sent before */
#define TOE_F2_ECN              0x00000400u /* ECN agreed: data is ECT */
#define TOE_F2_ECN_HEEDED       0x00000800u /* marks on what comes count */
#define TOE_F2_ECN_ECHO         0x00001000u /* ACKs carry ECE */
#define TOE_F2_ECN_CWR          0x00002000u /* the next new data carries CWR */
#define TOE_F2_ECN_REDUCED      0x00004000u /* cwnd, for all < ecn_recover */
#define TOE_F2_ECN_MARKED       0x00008000u /* and ECE was the reason */
#define TOE_F2_ECN_SEEN         0x00100000u /* data came with an ECN codepoint */
#define TOE_F2_SYN_DATA         0x00200000u /* data of the SYN was taken */
#define TOE_F2_RATE_TIMED       0x00400000u /* rate_seq is timed, */
#define TOE_F2_RATE_LIMITED     0x00800000u /* and the application was slow */
#define TOE_F2_RATE_APP         0x04000000u /* so it was with rate_bytes */
#define TOE_F2_RATE_SLOW_APP    0x08000000u /* so it is up to rate_slow_until */
#define TOE_F2_BLACK_HOLE       0x01000000u /* MTU lowered, nothing acked yet */
#define TOE_F2_PROBE_LOST       0x02000000u /* an MTU probe, to be sent again */

#define TOE_F2_FO_WAIT          0x00010000u /* server: SYN-ACK not acked yet */
#define TOE_F2_FO_ANSWER        0x00020000u /* a cookie goes with the SYN-ACK */
#define TOE_F2_FO_ASKED         0x00040000u /* client: the SYN has the option */
#define TOE_F2_FO_EARLY         0x00080000u /* reported before the handshake */
#define TOE_F2_FO_AGAIN         0x10000000u /* what is < fo_end was in the SYN */

/* What the owner wants, and what came of it: in so. */
#define TOE_SO_CORK             0x0001u
#define TOE_SO_RCVBUF           0x0002u /* set by hand: not tuned */
#define TOE_SO_SNDBUF           0x0004u
#define TOE_SO_LINGER           0x0008u /* CLOSE waits linger_ms */
#define TOE_SO_LINGERING        0x0010u /* it does */
#define TOE_SO_LINGERED         0x0020u /* it did: the time is over */
#define TOE_SO_UTO_SEND         0x0040u
#define TOE_SO_UTO_TAKE         0x0080u
#define TOE_SO_UTO_DUE          0x0100u /* the option goes with the next ACK */
#define TOE_SO_URG_OUT          0x0200u /* snd_up is valid, not acknowledged */
#define TOE_SO_URG_IN           0x0400u /* rcv_up is valid, not read */

/* Events that wait for toe_tcp_deliver(). */
#define TOE_E_ESTABLISHED       0x01u
#define TOE_E_INCOMING          0x02u
#define TOE_E_READABLE          0x04u
#define TOE_E_PUSH              0x08u
#define TOE_E_WRITABLE          0x10u
#define TOE_E_PEER_CLOSED       0x20u
#define TOE_E_CLOSED            0x40u
#define TOE_E_URGENT            0x80u

/* What keeps a sender from being through; the time of each is counted. */
typedef enum ToeChrono {
    TOE_CHRONO_IDLE,
    TOE_CHRONO_BUSY,            /* the path, or the algorithms */
    TOE_CHRONO_RWND,            /* the peer's window */
    TOE_CHRONO_SNDBUF,          /* all is sent, more waits for space */
} ToeChrono;

#define TOE_CHRONO_SHIFT        18u     /* ticks of 262 us: 13 days fit */

typedef struct ToeNcb {
    /* Who: the first line is all that a lookup touches. */
    uint8_t laddr[16];
    uint8_t raddr[16];
    uint16_t lport;
    uint16_t rport;
    uint32_t hash_next;
    uint8_t family;
    uint8_t kind;               /* ToeNcbKind */
    uint8_t state;              /* TOE_TCP_* */
    uint8_t events;             /* TOE_E_* */
    uint32_t flags;             /* TOE_F_* */
    uint16_t generation;        /* 1..4095 */
    uint8_t closed_status;      /* of TOE_E_CLOSED */
    uint8_t snd_wscale;         /* of the peer's window field */

    /* Sending, RFC 9293 section 3.3.1. */
    uint32_t snd_una;
    uint32_t snd_nxt;
    uint32_t snd_max;           /* highest snd_nxt so far; go-back moves nxt */
    uint32_t snd_wnd;           /* bytes */
    uint32_t snd_wl1;
    uint32_t snd_wl2;
    uint32_t iss;
    uint32_t snd_wnd_max;       /* largest window the peer ever offered */
    ToeChain tx;                /* its head is at snd_una */
    ToeChainPos tx_pos;
    ToeChainPos rtx_pos;        /* the same where it was resent last */
    uint32_t snd_buf;           /* limit of tx.len */
    uint32_t mtu;               /* of the path */
    uint16_t mss;               /* send MSS with options taken off */
    uint16_t peer_mss;          /* as announced */

    /* Scoreboard, sack.c: spans that cover [snd_una, snd_nxt). */
    uint32_t span_first;
    uint32_t span_last;
    uint16_t spans;
    uint8_t reo_mult;           /* RACK.reo_wnd_mult */
    uint8_t reo_persist;        /* recoveries until it is 1 again */
    uint32_t sacked;            /* bytes, of these */
    uint32_t lost;              /* bytes, of these, and not sent again yet */
    uint32_t fack;              /* right edge of all that was delivered */
    uint32_t rack_end;          /* RACK.segment: end, */
    int64_t rack_sent;          /* time sent, */
    int64_t rack_rtt;           /* and its round trip */
    uint32_t min_rtt_us;        /* of the last while; 0: not known */
    uint32_t dsack_round;       /* RACK.dsack_round */
    int64_t min_rtt_time;
    uint32_t tlp_end;           /* TLP.end_seq */
    uint32_t prr_delivered;     /* RFC 6937 */
    uint32_t prr_out;
    uint32_t prr_flight;        /* RecoverFS */
    uint32_t undo_una;          /* as they were when recovery began */
    uint32_t undo_cwnd;
    uint32_t undo_ssthresh;
    uint32_t undo_bytes;        /* resent since, and not known useless */
    uint32_t undo_ts;           /* timestamp of the first one resent; 0: none */

    /* Receiving. */
    uint32_t rcv_nxt;
    uint32_t rcv_adv;           /* right edge of the window offered so far */
    uint32_t rcv_acked;         /* last ACK number sent: Last.ACK.sent */
    uint32_t irs;
    uint32_t rcv_fin;           /* sequence number of FIN, if FIN_RCVD */
    ToeChain rx;
    uint32_t rcv_buf;           /* limit of rx.len */
    uint32_t reass;             /* first range, or TOE_NONE */
    uint16_t reass_ranges;
    uint16_t rcv_mss;           /* largest segment seen */
    uint32_t reass_buflets;     /* upper bound */
    uint32_t flags2;            /* TOE_F2_* */
    /*
     * What a SACK option says: a duplicate not yet reported (left == right:
     * none), and one sequence number in each range that changed lately, the
     * latest first.
     */
    ToeSackBlock dsack;
    uint32_t sack_recent[TOE_SACK_BLOCKS];
    uint8_t sack_recents;
    uint8_t dupacks_due;
    uint8_t quickacks;          /* segments still to be acknowledged at once */
    uint8_t rcv_wscale;
    uint8_t keep_probes;        /* sent without an answer */

    /* Timestamps, RFC 7323. */
    uint32_t ts_recent;
    uint32_t ts_offset;
    int64_t ts_recent_time;

    /* Round trip, RFC 6298. */
    uint32_t srtt_us;           /* 0: no sample yet */
    uint32_t rttvar_us;
    int64_t rto;                /* without back-off */
    int64_t rtt_time;
    uint32_t rtt_seq;
    uint8_t backoff;            /* time-outs in a row */
    uint8_t dupacks;            /* received in a row */
    uint8_t cc;                 /* TOE_CC_* */
    uint8_t challenges;         /* sent since challenge_time */

    /* Congestion, RFC 5681 and 6582. */
    uint32_t cwnd;
    uint32_t ssthresh;
    uint32_t recover;
    uint32_t cc_acked;          /* bytes acknowledged towards the next step */
    ToeCcState cc_state;        /* of the algorithm */

    /* Is cwnd used?  cc.c. */
    int64_t data_sent;          /* last time */
    int64_t cwv_time;           /* begin of the time looked at */
    uint32_t cwv_used;          /* most that was out in it */

    /* Pacing, pacing.c. */
    uint64_t pacing_max;        /* bytes/s; 0: no limit of the application's */
    int64_t pace_time;          /* when what was sent is through */

    /* ECN, ecn.c. */
    uint32_t ecn_recover;       /* snd_max when cwnd was reduced last */
    uint32_t ecn_change[TOE_ECN_CHANGES]; /* ACKs due: RFC 8257 3.2 */
    uint8_t ecn_changes;        /* how many */
    uint8_t ecn_change_ece;     /* a bit for each: does it carry ECE? */
    uint8_t ecn;                /* TOE_ECN_MODE_* */
    uint8_t ecn_syns;           /* SYNs sent: 1 with, 2 without asking */
    uint32_t fo_end;            /* TOE_F2_FO_AGAIN: end of the SYN's data */

    /* Path MTU, plpmtud.c; sizes of payload or, where called MTU, of IP. */
    int64_t raise_at;           /* when to try more; INT64_MAX: never */
    uint32_t probe_seq;         /* the last probe */
    uint32_t probe_end;
    uint32_t size_end;          /* where the segment of size_out ends */
    uint32_t ptb_seq;           /* what a doubtful "too big" was about */
    uint16_t mtu_high;          /* did not pass; 0: not known */
    uint16_t probe_mtu;         /* of the probe that is out; 0: none */
    uint16_t ptb_mtu;           /* of that "too big"; 0: none */
    uint16_t size_out;          /* largest so far, in flight; 0: none */
    uint16_t size_acked;        /* largest that was acknowledged */
    uint8_t probes_lost;        /* of this size */
    uint8_t pmtud;              /* TOE_PMTUD_* */

    /* Time. */
    int64_t deadline[TOE_T_MAX];
    int64_t armed;              /* what the heap holds */
    int64_t stalled;            /* first time-out without progress, 0: none */
    int64_t last_rcv;
    int64_t challenge_time;
    uint32_t keepalive_s;
    uint32_t user_timeout_ms;

    /* Lists: TIME-WAIT in the two-way one. */
    uint32_t free_next;
    uint32_t out_next;
    uint32_t list_prev;
    uint32_t list_next;
    uint32_t listener;          /* handle of the one it came from, or 0 */

    /* A listener's own. */
    uint32_t backlog;
    uint32_t pending;           /* in the accept queue */
    uint32_t requests;          /* first one in the SYN queue, synq.c */
    uint32_t nrequests;
    int64_t cookie_time;        /* last one sent; 0: none */
    uint16_t fastopen;          /* FASTOPEN: limit of fo_pending; 0: off */
    uint16_t fo_pending;        /* connections with TOE_F2_FO_WAIT */
    uint8_t defer;              /* DEFER_ACCEPT, in time-outs; 0: off */

    /* For toe_stream_info(). */
    uint32_t retransmits;
    uint32_t probes;
    uint64_t bytes_in;
    uint64_t bytes_out;

    /* Options, sockopt.c. */
    uint32_t linger_ms;
    uint32_t notsent_lowat;     /* bytes; 0: none */
    uint32_t window_clamp;      /* bytes; 0: none */
    uint32_t uto_peer_ms;       /* RFC 5482 REMOTE_UTO; 0: none */
    uint32_t snd_up;            /* behind the last urgent byte sent, */
    uint32_t rcv_up;            /* and received: RFC 6093 section 4 */
    uint16_t so;                /* TOE_SO_* */
    uint16_t maxseg;            /* 0: no limit */
    uint16_t keep_intvl_s;      /* 0: default */
    uint8_t keep_cnt;           /* 0: default */
    uint8_t tos;                /* without ECN's bits */
    uint8_t ttl;                /* 0: default */
    uint8_t wscale_offer;       /* of the SYN, autotune.c */

    /* What the application takes in a round trip, autotune.c. */
    uint32_t drs_space;         /* bytes, the most so far */
    uint32_t drs_read;          /* bytes_in - rx.len when it began, */
    uint32_t drs_since_us;      /* and the time; wraps */
    uint32_t drs_rtt_us;        /* estimate; 0: none */
    uint32_t drs_rtt_seq;       /* a window's worth of data ends here, */
    uint32_t drs_rtt_since_us;  /* and began then */

    /* For toe_stream_tcp_info(), info.c. */
    uint64_t bytes_retrans;
    uint32_t segs_in;
    uint32_t segs_out;
    uint32_t data_segs_in;
    uint32_t data_segs_out;
    uint32_t data_in_ms;        /* when, in ms of the clock, wraps */
    uint32_t data_out_ms;
    uint32_t ack_in_ms;
    uint32_t delivered;         /* segments */
    uint32_t delivered_ce;      /* of these, marked */
    uint32_t dsacks;
    uint32_t reorderings;
    uint16_t reordering;        /* segments that one was late, at most */
    uint32_t ooo_segs;
    uint32_t chrono_since;      /* ticks of TOE_CHRONO_SHIFT, wraps */
    uint32_t chrono[3];         /* by ToeChrono, less one */
    uint8_t chrono_now;         /* ToeChrono */

    /* The rate of delivery, rate.c; times in us of the clock, wrap. */
    uint32_t rate_delivered;    /* bytes in all, wraps, */
    uint32_t rate_delivered_us; /* the last time, */
    uint32_t rate_first_us;     /* and when what was acked last was sent */
    uint32_t rate_slow_until;   /* of rate_delivered */
    uint32_t rate_seq;          /* the segment that is timed: its end, */
    uint32_t rate_sent_us;      /* when it was sent, and those above then */
    uint32_t rate_sent_first_us;
    uint32_t rate_sent_delivered_us;
    uint32_t rate_sent_delivered;
    uint32_t rate_bytes;        /* the sample that counts, */
    uint32_t rate_us;           /* and its time; 0: none */
} __attribute__((aligned(64))) ToeNcb;

_Static_assert(sizeof(ToeNcb) <= 1024, "an idle NCB is at most 1 KiB");

/* Out-of-order bytes: a range of the sequence space and its chain. */
typedef struct ToeRange {
    uint32_t seq;
    uint32_t next;              /* of the connection, ascending; or free */
    uint32_t buflets;           /* at most, of those in chain */
    ToeChain chain;
} ToeRange;

/*
 * Bytes in flight with the same fate, sent about the same time.  FIN counts
 * as a byte.
 */
typedef enum ToeSpanState {
    TOE_SPAN_FLYING,
    TOE_SPAN_SACKED,
    TOE_SPAN_LOST,              /* and has to be sent again */
} ToeSpanState;

typedef struct ToeSpan {
    int64_t sent;               /* first byte, last time */
    uint32_t left;
    uint32_t right;
    uint32_t next;              /* of the connection, ascending; or free */
    uint8_t state;              /* ToeSpanState */
    bool again;                 /* it was retransmitted */
} ToeSpan;

/* What one ACK said. */
typedef struct ToeAckNews {
    int64_t now;
    uint32_t acked;             /* snd_una moved by */
    uint32_t delivered;         /* acked or SACKed for the first time */
    uint32_t flight;            /* outstanding before it */
    uint32_t fack;              /* c->fack before it */
    uint32_t rtt_us;            /* of the last one sent once; 0: none */
    uint32_t dsacked;           /* bytes of a D-SACK since undo_una */
    bool dup;                   /* a mere ACK of the same, same window */
    bool dsack;
    bool sacked;                /* SACK blocks told something new */
    bool original;              /* delivered without being resent, <= recover */
    bool first_copy;            /* what was resent since undo_ts need not be */
    bool dsack_tlp;             /* the D-SACK is about the probe */
    bool ece;                   /* it echoes congestion */
    uint32_t ts_ecr;            /* 0: none */
} ToeAckNews;

/* A segment without a connection: RST in answer to one that has none. */
typedef struct ToeReply {
    uint8_t family;
    uint8_t flags;
    uint16_t lport;
    uint16_t rport;
    uint32_t seq;
    uint32_t ack;
    uint8_t laddr[16];
    uint8_t raddr[16];
} ToeReply;

struct ToeTcp {
    ToeNop *nop;
    ToeNcb *ncbs;
    uint32_t size;              /* NCBs */
    uint32_t free_first, free_last;
    uint32_t *hash;             /* connections by 4-tuple */
    uint32_t recent;            /* the one last found there */
    uint32_t hash_mask;
    uint32_t *listen_hash;      /* listeners by port */
    uint32_t listen_mask;
    ToeSipKey hash_key;
    ToeSipKey isn_key;          /* RFC 6528 */
    ToeSipKey port_key;         /* RFC 6056 */
    uint32_t port_counter;      /* connects so far */
    uint32_t out_first, out_last;
    uint32_t tw_first, tw_last; /* oldest first */
    uint32_t conns;             /* NCBs that may hold received bytes */
    int64_t challenge_time;
    uint32_t challenge_left;
    ToeRange *ranges;
    uint32_t ranges_size;
    uint32_t ranges_free;
    ToeSpan *spans;
    uint32_t spans_size;
    uint32_t spans_free;        /* first free one */
    uint32_t spans_shared;      /* free, beyond one for each NCB */
    ToeReply replies[TOE_REPLIES];
    uint32_t replies_head;
    uint32_t replies_count;
    ToeSynq synq;
    ToeFastOpen fastopen;
};

static inline uint32_t toe_ncb_index(const ToeTcp *t, const ToeNcb *c)
{
    return (uint32_t)(c - t->ncbs);
}

static inline uint32_t toe_ncb_handle(const ToeTcp *t, const ToeNcb *c)
{
    return TOE_HANDLE(toe_ncb_index(t, c), c->generation);
}

/*
 * c is needed soon: fetch it into the processor's cache, all lines at once.
 * Among many connections each line is a miss, and one after the other they
 * cost as much as the rest of a segment.
 */
static inline void toe_ncb_prefetch(const ToeNcb *c)
{
    const char *p = (const char *)c;

    for (size_t at = 0; at < sizeof(*c); at += 64) {
        __builtin_prefetch(p + at, 1);
    }
}

/* Sequence number behind the last byte of the send buffer. */
static inline uint32_t toe_ncb_snd_end(const ToeNcb *c)
{
    return c->snd_una + c->tx.len;
}

/* Bytes and FIN sent and not acknowledged. */
static inline uint32_t toe_ncb_flight(const ToeNcb *c)
{
    return c->snd_nxt - c->snd_una;
}

/* May the peer still send data, and must we take it? */
static inline bool toe_ncb_receiving(const ToeNcb *c)
{
    return c->state == TOE_TCP_ESTABLISHED || c->state == TOE_TCP_FIN_WAIT_1 ||
           c->state == TOE_TCP_FIN_WAIT_2;
}

/* ESTABLISHED or later, and not closed. */
static inline bool toe_ncb_synchronized(const ToeNcb *c)
{
    return c->state >= TOE_TCP_ESTABLISHED;
}

static inline bool toe_ncb_fin_pending(const ToeNcb *c)
{
    return (c->flags & (TOE_F_FIN_QUEUED | TOE_F_FIN_ACKED)) ==
           TOE_F_FIN_QUEUED;
}

/* ---- tcp.c ---- */

/* Change the state, with trace and gauges.  Not for CLOSED, TIME-WAIT. */
void toe_tcp_set_state(ToeTcp *t, ToeNcb *c, uint8_t state);
/*
 * The protocol is through with c: to CLOSED, out of the tables, closed(status)
 * for the owner.  With rst, a RST goes out in the next turn.  c stays valid:
 * toe_tcp_deliver() or toe_tcp_reap() frees it when nobody needs it.
 */
void toe_tcp_close_ncb(ToeTcp *t, ToeNcb *c, uint8_t status, bool rst);
/* Enter TIME-WAIT: only what RFC 9293 3.10.7.4 needs stays. */
void toe_tcp_time_wait(ToeTcp *t, ToeNcb *c);
/* FIN after the send buffer; the state follows. */
void toe_tcp_queue_fin(ToeTcp *t, ToeNcb *c);
/* Report the waiting events of c, and free it if nothing needs it any more. */
void toe_tcp_deliver(ToeTcp *t, ToeNcb *c);
/* The second half of that alone, for calls that may not report events. */
void toe_tcp_reap(ToeTcp *t, ToeNcb *c);
/* c has something for the next output turn. */
void toe_tcp_mark(ToeTcp *t, ToeNcb *c);
/* Set TOE_E_WRITABLE if the host waits for room and there is enough now. */
void toe_tcp_check_writable(ToeNcb *c);

/* ---- ncb.c ---- */

bool toe_ncb_table_init(ToeTcp *t, uint32_t size);
void toe_ncb_table_reset(ToeTcp *t);
void toe_ncb_table_free(ToeTcp *t);
/*
 * A fresh NCB with default options, not hashed; the oldest one in TIME-WAIT
 * is given up for it if need be.  NULL: none.
 */
ToeNcb *toe_ncb_new(ToeTcp *t, ToeNcbKind kind);
/* A fresh one that is in no table and has no timers: to send from, at once. */
ToeNcb *toe_ncb_scratch(ToeTcp *t);
/* Give back everything c holds, and c. Its handle becomes stale. */
void toe_ncb_free(ToeTcp *t, ToeNcb *c);
/* NULL if the handle is not valid, or the host side does not own it. */
ToeNcb *toe_ncb_get(ToeTcp *t, uint32_t handle);
/* The same without regard to ownership. */
ToeNcb *toe_ncb_by_handle(ToeTcp *t, uint32_t handle);
/* Keyed; for tables of tuples. */
uint32_t toe_ncb_tuple_hash(const ToeTcp *t, uint8_t family,
                            const uint8_t *laddr, uint16_t lport,
                            const uint8_t *raddr, uint16_t rport);
ToeNcb *toe_ncb_lookup(ToeTcp *t, uint8_t family, const uint8_t *laddr,
                       uint16_t lport, const uint8_t *raddr, uint16_t rport);
/* The listener of exactly this address, else one of any address. */
ToeNcb *toe_ncb_lookup_listener(ToeTcp *t, uint8_t family,
                                const uint8_t *laddr, uint16_t lport);
/* A listener that stands in the way of a new one; laddr zero: any. */
ToeNcb *toe_ncb_listener_conflict(ToeTcp *t, uint8_t family,
                                  const uint8_t *laddr, uint16_t lport);
void toe_ncb_hash(ToeTcp *t, ToeNcb *c);
void toe_ncb_unhash(ToeTcp *t, ToeNcb *c);
/* As Linux counts: a backlog of n has room for n + 1. */
static inline bool toe_ncb_accept_full(const ToeNcb *listener)
{
    return listener->pending > listener->backlog;
}

/* c is in its listener's accept queue; is not any more. */
void toe_ncb_backlog_add(ToeTcp *t, ToeNcb *listener, ToeNcb *c);
void toe_ncb_backlog_del(ToeTcp *t, ToeNcb *c);
void toe_ncb_tw_add(ToeTcp *t, ToeNcb *c);
void toe_ncb_tw_del(ToeTcp *t, ToeNcb *c);
/* Drop all bytes held: sent, received, out of order. rx only if asked. */
void toe_ncb_drop_bytes(ToeTcp *t, ToeNcb *c, bool rx);

/* ---- options.c: the only place that knows the header's format ---- */

/*
 * Header and options; the checksum is not looked at.  False: malformed; the
 * ports are there if p has room for a header at all.
 */
bool toe_seg_parse(const ToeIpPacket *p, ToeSeg *seg);
/*
 * Write header and options of seg at p; the checksum field is zero.  Returns
 * the header's length.
 */
uint32_t toe_seg_emit(uint8_t *p, const ToeSeg *seg);
/* Is the checksum of the whole segment right? */
bool toe_seg_checksum_ok(const ToeIpPacket *p);
/*
 * Put the checksum into a header of hdr_len bytes at p, whose payload sums up
 * to payload_sum (toe_csum(), toe_csum_copy()).
 */
void toe_seg_seal(uint8_t *p, uint32_t hdr_len, uint32_t payload_len,
                  uint32_t payload_sum, uint8_t family, const uint8_t *src,
                  const uint8_t *dst);

/* ---- listen.c ---- */

/* RFC 6528: 4 us clock plus a keyed hash of the tuple. */
uint32_t toe_tcp_isn(ToeTcp *t, const ToeNcb *c);
uint32_t toe_tcp_isn_of(ToeTcp *t, const ToeSyn *s);
uint32_t toe_tcp_ts_offset(ToeTcp *t, const ToeNcb *c);
uint32_t toe_tcp_ts_offset_of(ToeTcp *t, const ToeSyn *s);
/*
 * Segment arrives for a listener: RFC 9293 3.10.7.2.  above: the sequence
 * number that a connection in TIME-WAIT, which gave way, ended with; or NULL.
 * Returns the connection that it made and that it is for, or NULL.
 */
ToeNcb *toe_tcp_listen_input(ToeTcp *t, ToeNcb *listener,
                             const ToeIpPacket *p, const ToeSeg *seg,
                             const uint32_t *above);
/*
 * Fill a fresh NCB from a SYN and what its listener says (may be NULL): as it
 * is before the SYN-ACK.  False: there is no route.
 */
bool toe_tcp_child(ToeTcp *t, ToeNcb *c, const ToeNcb *listener,
                   const ToeSyn *s);
/* What a SYN said: MSS, window scale, timestamps. */
void toe_tcp_take_syn_options(ToeTcp *t, ToeNcb *c, const ToeSeg *seg);
/* Send MSS from the path and the peer. */
void toe_tcp_update_mss(ToeTcp *t, ToeNcb *c);
/* What we announce: MTU-based. */
uint16_t toe_tcp_announced_mss(ToeTcp *t, const ToeNcb *c);
/* ESTABLISHED from SYN-SENT or SYN-RECEIVED. */
void toe_tcp_establish(ToeTcp *t, ToeNcb *c);

/* Options that only a listener has. */
uint8_t toe_listen_setopt(ToeNcb *c, uint32_t option, uint64_t value);
uint8_t toe_listen_getopt(const ToeNcb *c, uint32_t option, uint64_t *value);

/* ---- synq.c: half-open connections ---- */

bool toe_synq_init(ToeTcp *t, uint32_t conns);
void toe_synq_reset(ToeTcp *t);
void toe_synq_free(ToeTcp *t);
ToeSynReq *toe_synq_lookup(ToeTcp *t, uint8_t family, const uint8_t *laddr,
                           uint16_t lport, const uint8_t *raddr,
                           uint16_t rport);
/* A SYN for a listener; above: as for toe_tcp_listen_input(). */
void toe_synq_syn(ToeTcp *t, ToeNcb *listener, const ToeIpPacket *p,
                  const ToeSeg *seg, const uint32_t *above);
/* A segment for r; returns the connection that it is for now, or NULL. */
ToeNcb *toe_synq_input(ToeTcp *t, ToeSynReq *r, const ToeIpPacket *p,
                       const ToeSeg *seg);
/*
 * Make the connection of a SYN whose SYN-ACK offered wnd bytes: SYN-RECEIVED,
 * to be given the ACK at once.  NULL: no room, counted.
 */
ToeNcb *toe_synq_promote(ToeTcp *t, ToeNcb *listener, const ToeSyn *s,
                         uint32_t wnd);
/* The SYN as a segment again. */
void toe_syn_segment(const ToeSyn *s, ToeSeg *seg);
void toe_synq_drop(ToeTcp *t, ToeSynReq *r, bool rst);
/* All of this listener, with RST; all from an address that is not ours. */
void toe_synq_drop_listener(ToeTcp *t, ToeNcb *listener);
void toe_synq_addr_gone(ToeTcp *t, uint8_t family, const uint8_t *addr);
/* What is due, as toe_tcp_run(); true: the budget is used up. */
bool toe_synq_output(ToeTcp *t, uint32_t *budget);

/* ---- cookie.c: RFC 4987 3.6 ---- */

/* Answer s with a cookie in the next turn.  False: too many in this one. */
bool toe_cookie_syn(ToeTcp *t, ToeNcb *listener, ToeSyn *s, int64_t now);
void toe_cookie_send(ToeTcp *t, const ToeSyn *s);
/*
 * An ACK for a listener that belongs to no connection: if it brings a cookie
 * of ours back the connection, or NULL if there is no room.  *rst: it does
 * not, and a RST is due.
 */
ToeNcb *toe_cookie_ack(ToeTcp *t, ToeNcb *listener, const ToeIpPacket *p,
                       const ToeSeg *seg, bool *rst);

/* ---- fastopen.c: RFC 7413 ---- */

/*
 * Server: may this SYN make the connection at once, by its cookie?  Notes in s
 * whether the SYN-ACK brings a cookie.
 */
bool toe_fastopen_syn(ToeTcp *t, ToeNcb *listener, ToeSyn *s,
                      const ToeTcpOptions *o, int64_t now);
/* Make it, with the data of the SYN, and report it.  False: no room. */
bool toe_fastopen_accept(ToeTcp *t, ToeNcb *listener, const ToeSyn *s,
                         const ToeSeg *seg);
void toe_fastopen_synack_sent(ToeNcb *c);
/* An acceptable ACK came; a time-out (true: it was about the SYN-ACK). */
void toe_fastopen_acked(ToeTcp *t, ToeNcb *c, uint32_t ack, int64_t now);
bool toe_fastopen_timeout(ToeTcp *t, ToeNcb *c, int64_t now);
/* c does not wait any more, one way or the other. */
void toe_fastopen_done(ToeTcp *t, ToeNcb *c);

/* Client: c was just opened, and should be fast. */
void toe_fastopen_connect(ToeTcp *t, ToeNcb *c);
/*
 * Both: put the option into a SYN or SYN-ACK.  Returns how many bytes of the
 * send buffer go with it.
 */
uint32_t toe_fastopen_option(ToeTcp *t, ToeNcb *c, ToeSeg *seg);
/* Client: SYN or SYN-ACK of the peer; snd_una has not moved yet. */
void toe_fastopen_synack(ToeTcp *t, ToeNcb *c, const ToeSeg *seg);
void toe_fastopen_syn_lost(ToeTcp *t, ToeNcb *c);
void toe_fastopen_refused(ToeTcp *t, ToeNcb *c);

/* Client: may bytes be sent, though the handshake is not over? */
static inline bool toe_fastopen_early(const ToeNcb *c)
{
    return c->state == TOE_TCP_SYN_SENT && c->flags2 & TOE_F2_FO_EARLY;
}

/* ---- input.c ---- */

/* Does the limit of all challenge ACKs allow one more?  Counts it. */
bool toe_tcp_may_challenge(ToeTcp *t, int64_t now);

/* A RST (or nothing, if it was one itself) for a segment without NCB. */
void toe_tcp_reply_rst(ToeTcp *t, const ToeIpPacket *p, const ToeSeg *seg);

/* ---- recovery.c: what to resend and when, RFC 5681, 6298 and 6582 ---- */

/*
 * ack acknowledges something new; called before snd_una moves.  False: leave
 * the retransmission timer as it is.
 */
bool toe_recovery_new_ack(ToeTcp *t, ToeNcb *c, uint32_t ack,
                          const ToeAckNews *news);
void toe_recovery_dup_ack(ToeTcp *t, ToeNcb *c);
void toe_recovery_rto(ToeTcp *t, ToeNcb *c);
/* Bytes that may be in flight now by congestion control. */
uint32_t toe_recovery_window(const ToeNcb *c);

/* The same for a connection with SACK: everything that the ACK said. */
void toe_recovery_ack(ToeTcp *t, ToeNcb *c, const ToeAckNews *news);
/* RACK found bytes lost while no ACK came. */
void toe_recovery_lost(ToeTcp *t, ToeNcb *c, int64_t now);
/* Path MTU: all that is out is lost, and not by congestion. */
void toe_recovery_too_big(ToeTcp *t, ToeNcb *c);
/* len bytes were sent; again: not for the first time. */
void toe_recovery_sent(ToeTcp *t, ToeNcb *c, uint32_t seq, uint32_t len,
                       bool again, int64_t now);

/* Bytes that are out on the path, as far as we know: RFC 6675 "pipe". */
static inline uint32_t toe_ncb_pipe(const ToeNcb *c)
{
    return c->snd_nxt - c->snd_una - c->sacked - c->lost;
}

/* ---- ecn.c: RFC 3168, and the receiver's half of RFC 8257 ---- */

/* A SYN or SYN-ACK of c goes out; again: not for the first time. */
void toe_ecn_send_syn(ToeTcp *t, ToeNcb *c, ToeSeg *seg, bool again);
/* One came in: what it agrees on.  Before the state follows. */
void toe_ecn_syn(ToeNcb *c, const ToeSeg *seg);
void toe_ecn_established(ToeTcp *t, const ToeNcb *c);
/* Data in the window, rcv_nxt has not moved. */
void toe_ecn_data(ToeTcp *t, ToeNcb *c, const ToeSeg *seg);
/* An acceptable ACK, after all else that it says was taken in. */
void toe_ecn_ack(ToeTcp *t, ToeNcb *c, const ToeSeg *seg, uint32_t una,
                 uint32_t flight);
/* len bytes go out; fresh: none of them did before. */
void toe_ecn_send_data(ToeNcb *c, ToeSeg *seg, uint32_t len, bool fresh);
/* A RST goes out. */
void toe_ecn_send_rst(const ToeNcb *c, ToeSeg *seg);
/* cwnd was reduced. */
void toe_ecn_reduced(ToeNcb *c, ToeCcEvent why);
/* Was it, for a mark on data that is still out? */
bool toe_ecn_covers(const ToeNcb *c);
/* The reduction was needless. */
void toe_ecn_undone(ToeNcb *c);

/* ---- pacing.c ---- */

/* Bytes/s at which new data goes; 0: as it comes. */
uint64_t toe_pacing_rate(const ToeTcp *t, const ToeNcb *c);
/* Is cwnd spread over the round trip, so that it may grow in large steps? */
bool toe_pacing_on(const ToeTcp *t, const ToeNcb *c);
/* May new data go now?  If not, TOE_T_PACE is set. */
bool toe_pacing_ready(ToeTcp *t, ToeNcb *c, int64_t now);
void toe_pacing_sent(ToeTcp *t, ToeNcb *c, uint32_t len, int64_t now);
/* No new data before this time. */
void toe_pacing_hold(ToeNcb *c, int64_t until);

/* ---- sack.c ---- */

bool toe_sack_init(ToeTcp *t, uint32_t conns, uint32_t shared);
void toe_sack_reset(ToeTcp *t);
void toe_sack_free(ToeTcp *t);
void toe_sack_clear(ToeTcp *t, ToeNcb *c);
/* [left, right) goes out for the first time; right after what is there. */
void toe_sack_sent(ToeTcp *t, ToeNcb *c, uint32_t left, uint32_t right,
                   int64_t now);
/* [left, right), part of one span, goes out again. */
void toe_sack_resent(ToeTcp *t, ToeNcb *c, uint32_t left, uint32_t right,
                     int64_t now);
/* Is anything that was sent again under way? */
bool toe_sack_any_resent(const ToeTcp *t, const ToeNcb *c);
/* The first bytes that are lost and wait to be sent again. */
bool toe_sack_next(const ToeTcp *t, const ToeNcb *c, uint32_t *left,
                   uint32_t *right);
/* Everything below ack is delivered; snd_una has not moved yet. */
void toe_sack_advance(ToeTcp *t, ToeNcb *c, uint32_t ack, ToeAckNews *news);
/* The blocks of a segment with this ack, which is snd_una by now. */
void toe_sack_blocks(ToeTcp *t, ToeNcb *c, const ToeTcpOptions *opt,
                     ToeAckNews *news);
void toe_sack_set(ToeNcb *c, ToeSpan *s, ToeSpanState state);
/* What flies is lost; what is lost flies; SACKed: not any more. */
void toe_sack_lose_all(ToeTcp *t, ToeNcb *c);
void toe_sack_find_all(ToeTcp *t, ToeNcb *c);
void toe_sack_renege(ToeTcp *t, ToeNcb *c);

/* ---- rack.c: RFC 8985 ---- */

void toe_rack_init(ToeNcb *c);
/* s is delivered. */
void toe_rack_delivered(ToeNcb *c, const ToeSpan *s, const ToeAckNews *news);
void toe_rack_dsack(ToeNcb *c);
/* A recovery is over. */
void toe_rack_recovered(ToeNcb *c);
/* Mark what is lost, and set TOE_T_REO for what may be. */
void toe_rack_detect(ToeTcp *t, ToeNcb *c, int64_t now);
/* Start or stop the timer of the tail loss probe. */
void toe_rack_arm_probe(ToeTcp *t, ToeNcb *c, int64_t now);
/* The probe was sent, up to c->snd_nxt. */
void toe_rack_probed(ToeTcp *t, ToeNcb *c, bool resent, int64_t now);
/* True: the probe repaired a loss, of which the sender must take notice. */
bool toe_rack_probe_acked(ToeNcb *c, const ToeAckNews *news);

/* ---- plpmtud.c: path MTU, RFC 1191, 8201, 4821, 8899 ---- */

/* Established. */
void toe_plpmtud_begin(ToeTcp *t, ToeNcb *c);
/* A router's word about the segment at seq, in flight; mtu 0: not said. */
void toe_plpmtud_too_big(ToeTcp *t, ToeNcb *c, uint32_t mtu, uint32_t seq);
/* The retransmission timer expired; before recovery takes notice. */
void toe_plpmtud_timeout(ToeTcp *t, ToeNcb *c);
/* Payload of a probe to be sent now, of avail bytes that wait; 0: none. */
uint32_t toe_plpmtud_probe(ToeTcp *t, ToeNcb *c, uint32_t avail,
                           uint32_t usable);
void toe_plpmtud_probed(ToeTcp *t, ToeNcb *c, uint32_t seq, uint32_t len);
/* What is lost is a probe and nothing else, so that congestion is no cause. */
bool toe_plpmtud_probe_lost(ToeTcp *t, ToeNcb *c, int64_t now);
/* A segment goes out; snd_max is not moved yet. */
void toe_plpmtud_sent(ToeNcb *c, uint32_t seq, uint32_t len);
/* snd_una moved. */
void toe_plpmtud_acked(ToeTcp *t, ToeNcb *c, int64_t now);
/* TOE_OPT_MTU_DISCOVER. */
uint8_t toe_plpmtud_setopt(ToeTcp *t, ToeNcb *c, uint64_t value);

/* ---- output.c ---- */

/*
 * Send what is due, at most about *budget bytes.  True: more waits.  c may
 * be gone afterwards.
 */
bool toe_tcp_output(ToeTcp *t, ToeNcb *c, uint32_t *budget);
/* One segment from c as it is: TOE_SYN (SYN-ACK), TOE_ACK or TOE_RST. */
void toe_tcp_output_request(ToeTcp *t, ToeNcb *c, uint8_t what);
void toe_tcp_output_replies(ToeTcp *t, uint32_t *budget);
/* The window that would be offered now, from rcv_nxt. */
uint32_t toe_tcp_receive_window(ToeTcp *t, const ToeNcb *c);
/* The receiver made room: is it worth telling? */
bool toe_tcp_window_update_due(ToeTcp *t, const ToeNcb *c);

/* ---- tcp_timer.c ---- */

void toe_timer_set(ToeTcp *t, ToeNcb *c, ToeTcpTimer which, int64_t deadline);
void toe_timer_off(ToeNcb *c, ToeTcpTimer which);
void toe_timer_all_off(ToeTcp *t, ToeNcb *c);
/* A round-trip sample. */
void toe_rtt_sample(ToeNcb *c, int64_t rtt_ns);
/* One that was measured exactly: for the least of the last while. */
void toe_rtt_least(ToeNcb *c, int64_t rtt_ns, int64_t now);
/*
 * Something new was acknowledged.  Without a sample the RTO stays what back-off
 * has made of it.
 */
void toe_rto_progress(ToeNcb *c);
/* The time-out that counts now: with back-off. */
int64_t toe_rto(const ToeNcb *c);
/* Time to the next zero-window probe; to the end of silly window avoidance. */
int64_t toe_persist_time(const ToeTcp *t, const ToeNcb *c);
int64_t toe_override_time(const ToeTcp *t);
/* Start TOE_T_RTX for retransmission if something is in flight, else stop. */
void toe_timer_restart_rtx(ToeTcp *t, ToeNcb *c, int64_t now);
void toe_timer_restart_keep(ToeTcp *t, ToeNcb *c, int64_t now);
/* When an orphan, or one in FIN-WAIT-2 without owner, is given up. */
void toe_timer_orphan(ToeTcp *t, ToeNcb *c, int64_t now);
/* The clock in 32 bits: good for differences. */
static inline uint32_t toe_us(int64_t now)
{
    return (uint32_t)(uint64_t)(now / 1000);
}

static inline uint32_t toe_ms(int64_t now)
{
    return (uint32_t)(uint64_t)(now / TOE_MS);
}

/* Timestamp clock: milliseconds. */
static inline uint32_t toe_ts_now(const ToeNcb *c, int64_t now)
{
    return toe_ms(now) + c->ts_offset;
}

/* ---- info.c: accounts of a connection, for who asks ---- */

/* It is ESTABLISHED: times run from here. */
void toe_info_start(ToeNcb *c, int64_t now);
/* A segment came, or went; payload of len bytes, again of them not new. */
void toe_info_in(ToeNcb *c, const ToeSeg *seg, int64_t now);
void toe_info_out(ToeNcb *c, uint32_t len, uint32_t again, int64_t now);
/* So many bytes were delivered, acknowledged or SACKed for the first time. */
void toe_info_delivered(ToeNcb *c, uint32_t bytes);
/* A span of the sequence space was overtaken by what ends at fack. */
void toe_info_reordered(ToeNcb *c, uint32_t left, uint32_t fack);
/* An ACK of so many bytes says that something was marked. */
void toe_info_marked(ToeNcb *c, uint32_t bytes);
/* What is the sender waiting for, from now on? */
void toe_info_chrono(ToeNcb *c, int64_t now);

/* ---- rate.c: the rate of delivery ---- */

void toe_rate_start(ToeNcb *c, int64_t now);
/* A segment goes out, before snd_max moves: new, or sent before. */
void toe_rate_sent(ToeNcb *c, uint32_t end, int64_t now);
void toe_rate_resent(ToeNcb *c, uint32_t seq, uint32_t end);
/* All there is was sent. */
void toe_rate_idle(ToeNcb *c);
/* So many bytes were delivered (as in info.c); snd_una has moved. */
void toe_rate_acked(ToeNcb *c, uint32_t bytes, int64_t now);
/* Bytes a second; 0: not known. */
uint64_t toe_rate(const ToeNcb *c);

/* ---- sockopt.c: options that the owner sets ---- */

/* Those that tcp.c does not know. */
uint8_t toe_sockopt_set(ToeTcp *t, ToeNcb *c, uint32_t option,
                        uint64_t value);
uint8_t toe_sockopt_get(ToeTcp *t, const ToeNcb *c, uint32_t option,
                        uint64_t *value);
/* A new connection of a listener begins with the listener's. */
void toe_sockopt_inherit(ToeNcb *c, const ToeNcb *listener);
/* RFC 5482: the option to send, and one that came; as on the wire. */
uint16_t toe_sockopt_uto(const ToeNcb *c);
void toe_sockopt_uto_in(ToeNcb *c, uint16_t uto);
/* How long the peer may leave everything unacknowledged. */
int64_t toe_sockopt_patience(const ToeTcp *t, const ToeNcb *c);
/* CLOSE need not wait any more: delivered, or the time is over. */
void toe_sockopt_lingered(ToeTcp *t, ToeNcb *c);
/* Are there too many bytes that were never sent? */
bool toe_sockopt_notsent_full(const ToeNcb *c);

/* ---- urgent.c: RFC 9293 3.8.5 ---- */

/* The URG flag and pointer of a segment that is about to go out. */
void toe_urgent_out(const ToeNcb *c, ToeSeg *seg);
/* Does urgent data wait to be sent the first time? */
bool toe_urgent_waits(const ToeNcb *c);
/* snd_una moved; bytes were read. */
void toe_urgent_acked(ToeNcb *c);
void toe_urgent_read(ToeNcb *c);
/* A segment said that urgent data ends before sequence number up. */
void toe_urgent_in(ToeNcb *c, uint32_t up);
/* The mark as a number of bytes of the stream. */
uint64_t toe_urgent_mark(const ToeNcb *c);

/* ---- autotune.c: the size of buffers ---- */

/* The window scale to offer: for the largest buffer there may be. */
uint8_t toe_autotune_wscale(const ToeNop *n);
/* It is ESTABLISHED. */
void toe_autotune_start(ToeNcb *c, int64_t now);
/* Data came in order, up to rcv_nxt; the segment's options in seg. */
void toe_autotune_rtt(ToeNcb *c, const ToeSeg *seg, int64_t now);
/* The application took bytes. */
void toe_autotune_read(ToeTcp *t, ToeNcb *c, int64_t now);
/* The peer acknowledged bytes. */
void toe_autotune_acked(ToeTcp *t, ToeNcb *c, uint32_t flight);

/* ---- reass.c ---- */

bool toe_reass_init(ToeTcp *t, uint32_t ranges);
void toe_reass_reset(ToeTcp *t);
void toe_reass_free(ToeTcp *t);
/*
 * Keep the bytes of [seq, seq + len) that are not there yet; all of it lies
 * above rcv_nxt and in the window.  False: no room, dropped.
 */
bool toe_reass_insert(ToeTcp *t, ToeNcb *c, uint32_t seq, const uint8_t *data,
                      uint32_t len);
/* Move what is in order now to rx; returns bytes, rcv_nxt has moved. */
uint32_t toe_reass_pull(ToeTcp *t, ToeNcb *c);
void toe_reass_clear(ToeTcp *t, ToeNcb *c);
/* [left, right) came once more: for the next SACK option, RFC 2883. */
void toe_reass_duplicate(ToeNcb *c, uint32_t left, uint32_t right);
/* The blocks of a SACK option, at most max; returns how many. */
uint8_t toe_reass_sack(const ToeTcp *t, const ToeNcb *c, ToeSackBlock *b,
                       unsigned max);

#endif
