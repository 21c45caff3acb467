/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * regs.c - the register interface.
 *
 * Registers are dispatched through a table indexed by offset: a function to
 * read, a function to write, either may be missing.  Behind them in BAR 0
 * follow the counters and a window of 32 KiB into local memory, which
 * TOE_REG_LMW_BASE moves.
 *
 * Accesses are aligned and 32 bits wide (counters: also 64).  Anything else,
 * and a write to what is not writable, is counted and ignored; no access ever
 * fails in another way.
 */
#include <string.h>
#include "adapter_priv.h"
#include "toe_trace.h"

typedef struct Reg {
    uint32_t (*read)(ToeAdapter *a);
    void (*write)(ToeAdapter *a, uint32_t val);
} Reg;

static void violation(ToeAdapter *a, const char *what, uint64_t off,
                      uint64_t val, unsigned size)
{
    toe_count(&a->counters, VIOL_REGISTER);
    toe_trace_regs_bad(off, val, size);
    toe_guest_error(a, "register 0x%" PRIx64 ", %u bytes, value 0x%" PRIx64
                    ": %s", off, size, val, what);
}

/* ---- What the adapter is ---- */

static uint32_t r_magic(ToeAdapter *a)
{
    (void)a;
    return TOE_MAGIC;
}

static uint32_t r_revision(ToeAdapter *a)
{
    (void)a;
    return TOE_REVISION_MAJOR << 16 | TOE_REVISION_MINOR;
}

static uint32_t r_caps(ToeAdapter *a)
{
    (void)a;
    return TOE_CAP_TCP | TOE_CAP_ETH | TOE_CAP_IPV4 | TOE_CAP_IPV6 |
           TOE_CAP_UDP;
}

static uint32_t r_max_contexts(ToeAdapter *a)
{
    return a->config.contexts;
}

static uint32_t r_max_conns(ToeAdapter *a)
{
    return a->config.connections;
}

static uint32_t r_max_regions(ToeAdapter *a)
{
    return a->config.regions;
}

static uint32_t r_max_pages(ToeAdapter *a)
{
    return a->config.pages;
}

static uint32_t r_lmem_size(ToeAdapter *a)
{
    size_t size;

    toe_lmem_ram(a->lmem, &size);
    return MIN(size, (size_t)UINT32_MAX);
}

static uint32_t r_buflet_size(ToeAdapter *a)
{
    (void)a;
    return TOE_BUFLET_SIZE;
}

static uint32_t r_max_queue(ToeAdapter *a)
{
    (void)a;
    return TOE_QUEUE_LOG2_MAX;
}

static uint32_t r_vectors(ToeAdapter *a)
{
    (void)a;
    return TOE_MSIX_VECTORS;
}

static uint32_t r_mac_lo(ToeAdapter *a)
{
    const uint8_t *m = a->config.mac;

    return m[0] | m[1] << 8 | m[2] << 16 | (uint32_t)m[3] << 24;
}

static uint32_t r_mac_hi(ToeAdapter *a)
{
    return a->config.mac[4] | a->config.mac[5] << 8;
}

static uint32_t r_mtu_max(ToeAdapter *a)
{
    return a->config.mtu_max;
}

static uint32_t r_max_segment(ToeAdapter *a)
{
    return a->config.max_segment;
}

static uint32_t r_counter_count(ToeAdapter *a)
{
    (void)a;
    return TOE_CTR_MAX;
}

/* ---- Control and status ---- */

static uint32_t r_control(ToeAdapter *a)
{
    return a->regs.control;
}

static void w_control(ToeAdapter *a, uint32_t val)
{
    bool on = val & TOE_CTL_ENABLE;

    if (val & ~(TOE_CTL_ENABLE | TOE_CTL_RESET)) {
        violation(a, "CONTROL has bits that do not exist", TOE_REG_CONTROL,
                  val, 4);
    }
    if (val & TOE_CTL_RESET) {
        a->regs.reset_asked = true;     /* the end of the access does it */
        return;
    }
    if (on != !!(a->regs.control & TOE_CTL_ENABLE)) {
        a->regs.control = on ? TOE_CTL_ENABLE : 0;
        toe_admin_enable(a, on);
    }
}

static uint32_t r_status(ToeAdapter *a)
{
    return (a->admin.ready ? TOE_STATUS_READY : 0) |
           (a->port.link ? TOE_STATUS_LINK : 0) |
           (a->admin.fatal ? TOE_STATUS_FATAL : 0) |
           (a->config.max_segment ? TOE_STATUS_USERNET : 0);
}

static uint32_t r_error(ToeAdapter *a)
{
    return a->admin.fatal;
}

static uint32_t r_epoch(ToeAdapter *a)
{
    return a->regs.epoch;
}

/* ---- Admin queue ---- */

/* Where the queues are may change only while they are off. */
static bool queues_off(ToeAdapter *a, uint32_t off, uint32_t val)
{
    if (!a->admin.ready) {
        return true;
    }
    violation(a, "the admin queue is on", off, val, 4);
    return false;
}

static void set_half(uint64_t *v, bool high, uint32_t val)
{
    *v = high ? (*v & UINT32_MAX) | (uint64_t)val << 32
              : (*v & ~(uint64_t)UINT32_MAX) | val;
}

static uint32_t r_aq_base_lo(ToeAdapter *a)
{
    return (uint32_t)a->admin.aq_base;
}

static void w_aq_base_lo(ToeAdapter *a, uint32_t val)
{
    if (queues_off(a, TOE_REG_AQ_BASE_LO, val)) {
        set_half(&a->admin.aq_base, false, val);
    }
}

static uint32_t r_aq_base_hi(ToeAdapter *a)
{
    return a->admin.aq_base >> 32;
}

static void w_aq_base_hi(ToeAdapter *a, uint32_t val)
{
    if (queues_off(a, TOE_REG_AQ_BASE_HI, val)) {
        set_half(&a->admin.aq_base, true, val);
    }
}

static uint32_t r_aq_log2(ToeAdapter *a)
{
    return a->admin.aq_log2;
}

static void w_aq_log2(ToeAdapter *a, uint32_t val)
{
    if (queues_off(a, TOE_REG_AQ_LOG2, val)) {
        a->admin.aq_log2 = val;         /* ENABLE checks it */
    }
}

static uint32_t r_aq_tail(ToeAdapter *a)
{
    return a->admin.aq_tail;
}

static uint32_t r_aq_head(ToeAdapter *a)
{
    return a->admin.aq_head;
}

static uint32_t r_acq_base_lo(ToeAdapter *a)
{
    return (uint32_t)a->admin.acq_base;
}

static void w_acq_base_lo(ToeAdapter *a, uint32_t val)
{
    if (queues_off(a, TOE_REG_ACQ_BASE_LO, val)) {
        set_half(&a->admin.acq_base, false, val);
    }
}

static uint32_t r_acq_base_hi(ToeAdapter *a)
{
    return a->admin.acq_base >> 32;
}

static void w_acq_base_hi(ToeAdapter *a, uint32_t val)
{
    if (queues_off(a, TOE_REG_ACQ_BASE_HI, val)) {
        set_half(&a->admin.acq_base, true, val);
    }
}

static uint32_t r_acq_log2(ToeAdapter *a)
{
    return a->admin.acq_log2;
}

static void w_acq_log2(ToeAdapter *a, uint32_t val)
{
    if (queues_off(a, TOE_REG_ACQ_LOG2, val)) {
        a->admin.acq_log2 = val;
    }
}

static uint32_t r_acq_head(ToeAdapter *a)
{
    return a->admin.acq_head;
}

/* ---- The window into local memory ---- */

static uint32_t r_lmw_base(ToeAdapter *a)
{
    return a->regs.lmw_base;
}

static void w_lmw_base(ToeAdapter *a, uint32_t val)
{
    if (val & 3) {
        violation(a, "LMW_BASE is not aligned to 4", TOE_REG_LMW_BASE, val,
                  4);
        return;
    }
    a->regs.lmw_base = val;
}

/* The four bytes of local memory shown at this place, or NULL. */
static uint8_t *window(ToeAdapter *a, uint64_t off)
{
    size_t size;
    uint8_t *ram = toe_lmem_ram(a->lmem, &size);
    uint64_t at = (uint64_t)a->regs.lmw_base + (off - TOE_REG_LMW);

    return at + 4 <= size ? ram + at : NULL;
}

/* ---- The table ---- */

#define REG(off) [(off) / 4]

static const Reg table[] = {
    REG(TOE_REG_MAGIC) = { r_magic, NULL },
    REG(TOE_REG_REVISION) = { r_revision, NULL },
    REG(TOE_REG_CAPS) = { r_caps, NULL },
    REG(TOE_REG_MAX_CONTEXTS) = { r_max_contexts, NULL },
    REG(TOE_REG_MAX_CONNS) = { r_max_conns, NULL },
    REG(TOE_REG_MAX_REGIONS) = { r_max_regions, NULL },
    REG(TOE_REG_MAX_PAGES) = { r_max_pages, NULL },
    REG(TOE_REG_LMEM_SIZE) = { r_lmem_size, NULL },
    REG(TOE_REG_BUFLET_SIZE) = { r_buflet_size, NULL },
    REG(TOE_REG_MAX_QUEUE_LOG2) = { r_max_queue, NULL },
    REG(TOE_REG_VECTORS) = { r_vectors, NULL },
    REG(TOE_REG_MAC_LO) = { r_mac_lo, NULL },
    REG(TOE_REG_MAC_HI) = { r_mac_hi, NULL },
    REG(TOE_REG_MTU_MAX) = { r_mtu_max, NULL },
    REG(TOE_REG_MAX_SEGMENT) = { r_max_segment, NULL },
    REG(TOE_REG_CONTROL) = { r_control, w_control },
    REG(TOE_REG_STATUS) = { r_status, NULL },
    REG(TOE_REG_ERROR) = { r_error, NULL },
    REG(TOE_REG_EPOCH) = { r_epoch, NULL },
    REG(TOE_REG_AQ_BASE_LO) = { r_aq_base_lo, w_aq_base_lo },
    REG(TOE_REG_AQ_BASE_HI) = { r_aq_base_hi, w_aq_base_hi },
    REG(TOE_REG_AQ_LOG2) = { r_aq_log2, w_aq_log2 },
    REG(TOE_REG_AQ_TAIL) = { r_aq_tail, toe_admin_doorbell },
    REG(TOE_REG_ACQ_BASE_LO) = { r_acq_base_lo, w_acq_base_lo },
    REG(TOE_REG_ACQ_BASE_HI) = { r_acq_base_hi, w_acq_base_hi },
    REG(TOE_REG_ACQ_LOG2) = { r_acq_log2, w_acq_log2 },
    REG(TOE_REG_ACQ_HEAD) = { r_acq_head, toe_admin_consumed },
    REG(TOE_REG_AQ_HEAD) = { r_aq_head, NULL },
    REG(TOE_REG_LMW_BASE) = { r_lmw_base, w_lmw_base },
    REG(TOE_REG_COUNTER_COUNT) = { r_counter_count, NULL },
};

uint64_t toe_regs_read(ToeAdapter *a, uint64_t off, unsigned size)
{
    uint64_t counters_end = TOE_REG_COUNTERS +
                            TOE_CTR_MAX * sizeof(uint64_t);
    uint32_t val;

    if (off >= TOE_REG_COUNTERS && off < counters_end &&
        (size == 4 || size == 8) && off % size == 0) {
        uint64_t v = a->counters.v[(off - TOE_REG_COUNTERS) / 8];

        return size == 8 ? v : off % 8 ? v >> 32 : v & UINT32_MAX;
    }
    if (size != 4 || off % 4) {
        violation(a, "reads are aligned and 32 bits wide", off, 0, size);
        return 0;
    }
    if (off >= TOE_REG_LMW && off < TOE_REG_LMW + TOE_REG_LMW_SIZE) {
        const uint8_t *p = window(a, off);

        if (!p) {
            return 0;
        }
        memcpy(&val, p, sizeof(val));
        return val;
    }
    if (off / 4 < G_N_ELEMENTS(table) && table[off / 4].read) {
        val = table[off / 4].read(a);
        toe_trace_regs_read(off, val);
        return val;
    }
    return 0;
}

void toe_regs_write(ToeAdapter *a, uint64_t off, uint64_t val, unsigned size)
{
    uint32_t val32 = (uint32_t)val;

    if (size != 4 || off % 4) {
        violation(a, "writes are aligned and 32 bits wide", off, val, size);
        return;
    }
    if (off >= TOE_REG_LMW && off < TOE_REG_LMW + TOE_REG_LMW_SIZE) {
        uint8_t *p = window(a, off);

        if (p) {
            memcpy(p, &val32, sizeof(val32));
        } else {
            violation(a, "the window is behind the end of local memory", off,
                      val, size);
        }
        return;
    }
    if (off / 4 >= G_N_ELEMENTS(table) || !table[off / 4].write) {
        violation(a, "not writable", off, val, size);
        return;
    }
    toe_trace_regs_write(off, val32);
    table[off / 4].write(a, val32);
}

void toe_regs_reset(ToeAdapter *a)
{
    a->regs.control = 0;
    a->regs.lmw_base = 0;
    a->regs.reset_asked = false;
    a->regs.epoch++;
}
