/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adapter.c - the chip's life, and its turns.
 *
 * Every entry from the world is a turn (adapter_priv.h).  There are two kinds:
 *
 *  A frame       goes to the NOPs at once, and what must be told at once is
 *                told (a small answer is in the application's memory before
 *                the call returns).  Nothing is sent: a backend may not
 *                be re-entered from its own delivery.  Output and the rest
 *                follow from env->kick(), so the ACKs of a burst become one.
 *  Anything else runs commands, requests, deliveries and output in rounds
 *                until nothing is left or the turn's bounds are reached; a
 *                doorbell's request is on the wire when the write returns.
 *
 * A turn ends with the pages and interrupts of contexts that got something,
 * the timer, and a kick if work is left.
 *
 * Re-entry.  While a turn is under way, env->send_frame() may bring frames in
 * (a backend that answers at once): they go to the backlog, bounded in bytes
 * and frames, and are processed in the same turn's next round.  A register or
 * doorbell access in a turn can only come from DMA into the adapter's own
 * BARs: it is counted and refused.  A reset in a turn is done at its end.
 */
#include <stdarg.h>
#include <string.h>
#include "adapter_priv.h"
#include "toe_trace.h"

/* ---- The world --------------------------------------------------------- */

void toe_guest_error(ToeAdapter *a, const char *fmt, ...)
{
    char sentence[320];
    va_list args;

    va_start(args, fmt);
    g_vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);
    a->env.guest_error(a->env.opaque, sentence);
}

void toe_adapter_kick(ToeAdapter *a)
{
    if (!a->turn.kicked) {
        a->turn.kicked = true;
        a->env.kick(a->env.opaque);
    }
}

bool toe_dma_read_bus(ToeAdapter *a, uint64_t addr, void *buf, size_t len)
{
    if (len - 1 <= UINT64_MAX - addr &&
        a->env.dma_read(a->env.opaque, addr, buf, len)) {
        return true;
    }
    toe_count(&a->counters, DMA_ERRORS);
    toe_trace_adapter_dma_error(addr, len, false);
    toe_guest_error(a, "host memory at 0x%" PRIx64 ", %zu bytes, cannot be "
                    "read", addr, len);
    return false;
}

bool toe_dma_write_bus(ToeAdapter *a, uint64_t addr, const void *buf,
                       size_t len)
{
    if (len - 1 <= UINT64_MAX - addr &&
        a->env.dma_write(a->env.opaque, addr, buf, len)) {
        return true;
    }
    toe_count(&a->counters, DMA_ERRORS);
    toe_trace_adapter_dma_error(addr, len, true);
    toe_guest_error(a, "host memory at 0x%" PRIx64 ", %zu bytes, cannot be "
                    "written", addr, len);
    return false;
}

/*
 * The NOPs' way out: as env->send_frame(), but the adapter keeps account of
 * the turn's output and of the port's being busy.
 */
static bool nop_send_frame(void *opaque, const uint8_t *frame, size_t len)
{
    ToeAdapter *a = opaque;

    a->turn.output += len;
    if (!a->env.send_frame(a->env.opaque, frame, len)) {
        a->port.busy = true;
        a->turn.ready = false;
    }
    return !a->port.busy;
}

static int64_t nop_now(void *opaque)
{
    ToeAdapter *a = opaque;

    if (!a->turn.busy) {
        return a->env.now(a->env.opaque);
    }
    if (!a->turn.timed) {
        a->turn.timed = true;
        a->turn.now = a->env.now(a->env.opaque);
    }
    return a->turn.now;
}

static void nop_random(void *opaque, void *buf, size_t len)
{
    ToeAdapter *a = opaque;

    a->env.random(a->env.opaque, buf, len);
}

static void nop_guest_error(void *opaque, const char *sentence)
{
    ToeAdapter *a = opaque;

    a->env.guest_error(a->env.opaque, sentence);
}

static void nop_kick(void *opaque)
{
    toe_adapter_kick(opaque);
}

/* The adapter asks toe_nop_deadline() itself at the end of each turn. */
static void nop_set_timer(void *opaque, int64_t deadline)
{
    (void)opaque;
    (void)deadline;
}

/* The NOPs have no business in host memory. */
static bool nop_dma_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
    (void)opaque;
    (void)addr;
    (void)buf;
    (void)len;
    return false;
}

static bool nop_dma_write(void *opaque, uint64_t addr, const void *buf,
                          size_t len)
{
    (void)opaque;
    (void)addr;
    (void)buf;
    (void)len;
    return false;
}

static void nop_irq(void *opaque, unsigned vector)
{
    (void)opaque;
    (void)vector;
}

/* ---- Life -------------------------------------------------------------- */

ToeAdapter *toe_adapter_new(const ToeEnv *env, const ToeConfig *config,
                            uint8_t *lmem_ram, size_t lmem_size)
{
    ToeAdapter *a = g_new0(ToeAdapter, 1);
    ToeNopConfig nop = {
        .connections = config->connections,
        .mtu_max = config->mtu_max,
        .max_segment = config->max_segment,
    };

    a->env = *env;
    a->config = *config;
    a->nop_env = (ToeEnv) {
        .opaque = a,
        .dma_read = nop_dma_read,
        .dma_write = nop_dma_write,
        .irq = nop_irq,
        .send_frame = nop_send_frame,
        .now = nop_now,
        .set_timer = nop_set_timer,
        .kick = nop_kick,
        .random = nop_random,
        .guest_error = nop_guest_error,
    };
    a->turn.number = 1;
    a->turn.deadline = INT64_MAX;
    a->port.backlog = g_malloc(TOE_BACKLOG_BYTES);

    toe_admin_init(a);
    toe_ctx_init(a);
    toe_memval_init(a);
    toe_conn_init(a);
    toe_ethq_init(a);
    a->lmem = toe_lmem_new(lmem_ram, lmem_size, &a->counters);
    memcpy(nop.mac, config->mac, sizeof(nop.mac));
    a->nop = toe_nop_new(&a->nop_env, a->lmem, &a->counters, &nop,
                         &toe_conn_ops, a);
    toe_sock_init(a);
    toe_nop_link(a->nop, false);
    return a;
}

void toe_adapter_free(ToeAdapter *a)
{
    if (!a) {
        return;
    }
    toe_sock_fini(a);
    toe_conn_fini(a);
    toe_nop_free(a->nop);
    toe_lmem_free(a->lmem);
    toe_ethq_fini(a);
    toe_ctx_fini(a);
    toe_memval_fini(a);
    toe_admin_fini(a);
    g_free(a->port.backlog);
    g_free(a);
}

bool toe_adapter_busy(const ToeAdapter *a)
{
    return a->turn.busy;
}

static void backlog_clear(ToeAdapter *a)
{
    a->port.backlog_head = 0;
    a->port.backlog_tail = 0;
    a->port.backlog_frames = 0;
}

static void set_timer(ToeAdapter *a, int64_t deadline)
{
    if (deadline != a->turn.deadline) {
        a->turn.deadline = deadline;
        a->env.set_timer(a->env.opaque, deadline);
    }
}

static void reset(ToeAdapter *a)
{
    toe_trace_adapter_reset(a->regs.epoch + 1);
    /* From the application's side to the wire; each block returns its own. */
    toe_sock_reset(a);
    toe_conn_reset(a);
    toe_nop_reset(a->nop);
    toe_lmem_reset(a->lmem);
    toe_ctx_reset(a);
    toe_memval_reset(a);
    toe_ethq_reset(a);
    toe_admin_reset(a);
    toe_regs_reset(a);
    backlog_clear(a);
    toe_count(&a->counters, RESETS);
    set_timer(a, INT64_MAX);
}

void toe_adapter_reset(ToeAdapter *a)
{
    if (a->turn.busy) {
        a->turn.reset = true;
        return;
    }
    reset(a);
}

const ToeCounters *toe_adapter_counters(ToeAdapter *a)
{
    return &a->counters;
}

/* ---- Backlog ----------------------------------------------------------- */

/* Frames lie behind each other: length, bytes, up to a multiple of 8. */
static uint32_t record_size(uint32_t len)
{
    return (sizeof(uint32_t) + len + 7) & ~7u;
}

static void backlog_push(ToeAdapter *a, const uint8_t *frame, uint32_t len)
{
    ToePort *p = &a->port;

    if (p->backlog_frames >= TOE_BACKLOG_FRAMES ||
        record_size(len) > TOE_BACKLOG_BYTES - p->backlog_tail) {
        toe_count(&a->counters, PORT_BACKLOG_DROPS);
        toe_trace_adapter_backlog_drop(len, p->backlog_frames);
        return;
    }
    memcpy(p->backlog + p->backlog_tail, &len, sizeof(len));
    memcpy(p->backlog + p->backlog_tail + sizeof(len), frame, len);
    p->backlog_tail += record_size(len);
    p->backlog_frames++;
}

/* Process every frame in the backlog.  True if there was one. */
static bool backlog_run(ToeAdapter *a)
{
    ToePort *p = &a->port;
    bool any = p->backlog_frames != 0;

    while (p->backlog_frames) {
        uint32_t len;
        const uint8_t *frame = p->backlog + p->backlog_head + sizeof(len);

        memcpy(&len, p->backlog + p->backlog_head, sizeof(len));
        p->backlog_head += record_size(len);
        p->backlog_frames--;
        toe_nop_frame_in(a->nop, frame, len);
    }
    p->backlog_head = 0;
    p->backlog_tail = 0;
    return any;
}

/* ---- Turns ------------------------------------------------------------- */

/* False: a turn is under way. */
static bool turn_begin(ToeAdapter *a, bool frame)
{
    if (a->turn.busy) {
        return false;
    }
    a->turn.busy = true;
    a->turn.number++;
    a->turn.commands = 0;
    a->turn.requests = 0;
    a->turn.copied = 0;
    a->turn.output = 0;
    /* Frames that come one behind another share one look at the clock. */
    a->turn.timed &= frame && a->turn.burst;
    a->turn.burst = frame;
    return true;
}

/* What came from the world meanwhile, other than frames. */
static void news(ToeAdapter *a)
{
    if (a->turn.ready) {
        a->turn.ready = false;
        a->port.busy = false;
        toe_nop_port_busy(a->nop, false);
        if (a->ethq.waiting) {
            a->ethq.waiting = false;
            if (a->ethq.ctx != TOE_NONE) {
                toe_ctx_schedule(a, &a->ctxs.table[a->ethq.ctx],
                                 TOE_WORK_REFRESH | TOE_WORK_RQ);
            }
        }
    }
    if (a->turn.link_changed) {
        a->turn.link_changed = false;
        if (a->port.link != a->turn.link_up) {
            a->port.link = a->turn.link_up;
            toe_trace_adapter_link(a->port.link);
            toe_nop_link(a->nop, a->port.link);
            toe_admin_link_event(a);
        }
    }
}

/* Commands, requests, deliveries, output, until done or out of bounds. */
static void rounds(ToeAdapter *a)
{
    bool more = true;           /* output waits */
    bool any = true;
    uint32_t avail = 0;         /* buflets that no waiting SEND wanted */

    for (uint32_t i = 0; i < TOE_TURN_ROUNDS && any; i++) {
        a->turn.timed = false;
        news(a);
        any = toe_admin_run(a);
        any |= backlog_run(a);
        any |= toe_ctx_run_all(a);
        any |= toe_ctx_lmem_retry(a);
        avail = toe_lmem_avail(a->lmem, TOE_LMEM_OUT);
        if (a->turn.output >= TOE_TURN_OUTPUT) {
            break;
        }
        more = toe_nop_run(a->nop, TOE_TURN_OUTPUT - a->turn.output);
        any |= a->port.backlog_frames != 0;
    }
    /* Frames of the last round's answers; what they cause comes next turn. */
    more |= backlog_run(a);
    more |= a->ctxs.lmem.first != TOE_NONE &&
            toe_lmem_avail(a->lmem, TOE_LMEM_OUT) > avail;
    if (more || any || a->ctxs.run.first != TOE_NONE ||
        toe_admin_pending(a)) {
        toe_adapter_kick(a);
    }
}

static void turn_end(ToeAdapter *a)
{
    toe_ctx_flush_all(a);
    toe_admin_flush(a);
    a->turn.busy = false;
    if (a->turn.reset || a->regs.reset_asked) {
        a->turn.reset = false;
        reset(a);
    }
    if (a->turn.ready || a->turn.link_changed || a->port.backlog_frames) {
        toe_adapter_kick(a);
    }
    set_timer(a, toe_nop_deadline(a->nop));
}

/* ---- Entries ----------------------------------------------------------- */

uint64_t toe_adapter_reg_read(ToeAdapter *a, uint64_t off, unsigned size)
{
    if (a->turn.busy) {
        toe_count(&a->counters, VIOL_REGISTER);
        return 0;
    }
    return toe_regs_read(a, off, size);
}

/* An access from inside a turn: the adapter's own DMA hit its own BARs. */
static void refuse(ToeAdapter *a, uint64_t off)
{
    toe_count(&a->counters, VIOL_REGISTER);
    toe_trace_adapter_reentered(off);
    toe_guest_error(a, "the adapter was made to write to its own BAR, at "
                    "0x%" PRIx64, off);
}

void toe_adapter_reg_write(ToeAdapter *a, uint64_t off, uint64_t val,
                           unsigned size)
{
    if (!turn_begin(a, false)) {
        refuse(a, off);
        return;
    }
    toe_regs_write(a, off, val, size);
    rounds(a);
    turn_end(a);
}

void toe_adapter_doorbell_write(ToeAdapter *a, uint64_t off, uint64_t val,
                                unsigned size)
{
    if (!turn_begin(a, false)) {
        refuse(a, off);
        return;
    }
    if (size != 4 || off % 4) {
        toe_count(&a->counters, VIOL_DOORBELL);
        toe_guest_error(a, "doorbell at 0x%" PRIx64 " written with %u bytes",
                        off, size);
    } else {
        uint64_t ctx = off / TOE_DOORBELL_PAGE_SIZE;

        toe_ctx_doorbell(a, (uint32_t)MIN(ctx, (uint64_t)UINT32_MAX),
                         off % TOE_DOORBELL_PAGE_SIZE, (uint32_t)val);
        rounds(a);
    }
    turn_end(a);
}

void toe_adapter_frame_in(ToeAdapter *a, const uint8_t *frame, size_t len)
{
    if (len > TOE_FRAME_MAX) {
        toe_count(&a->counters, ETH_BAD);
        return;
    }
    if (!turn_begin(a, true)) {
        backlog_push(a, frame, (uint32_t)len);
        return;
    }
    toe_nop_frame_in(a->nop, frame, len);
    toe_adapter_kick(a);
    turn_end(a);
}

void toe_adapter_port_ready(ToeAdapter *a)
{
    a->turn.ready = true;
    if (turn_begin(a, false)) {
        rounds(a);
        turn_end(a);
    }
}

void toe_adapter_link(ToeAdapter *a, bool up)
{
    a->turn.link_changed = true;
    a->turn.link_up = up;
    if (turn_begin(a, false)) {
        rounds(a);
        turn_end(a);
    }
}

void toe_adapter_timer(ToeAdapter *a)
{
    if (turn_begin(a, false)) {
        a->turn.deadline = INT64_MAX;   /* the world's timer has fired */
        toe_nop_timer(a->nop);
        rounds(a);
        turn_end(a);
    }
}

void toe_adapter_run(ToeAdapter *a)
{
    a->turn.kicked = false;
    if (turn_begin(a, false)) {
        if (toe_ctx_watched(a)) {
            toe_adapter_kick(a);
        }
        rounds(a);
        turn_end(a);
    }
}
