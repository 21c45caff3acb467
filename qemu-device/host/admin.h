/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * admin.h - the admin queue.  See admin.c.
 */
#ifndef TOE_ADMIN_H
#define TOE_ADMIN_H

#include <glib.h>
#include "toe_hw.h"

struct ToeAdapter;

#define TOE_AQ_LOG2_MAX         8u

typedef struct ToeAdmin {
    /* Set by registers while the queue is off. */
    uint64_t aq_base;
    uint64_t acq_base;
    uint32_t aq_log2;
    uint32_t acq_log2;

    bool ready;                 /* accepted by ENABLE */
    uint32_t fatal;             /* TOE_FATAL_* */
    uint32_t aq_head;           /* commands fetched */
    uint32_t aq_tail;           /* told by the doorbell */
    uint32_t acq_tail;          /* completions written */
    uint32_t acq_head;          /* told by the register */
    bool link_event;            /* a link change was not reported yet */
    bool interrupt;             /* vector 0 is due */
    /* Completions that come later than their command: drained contexts. */
    struct toe_hw_adm_cpl *later;
    uint32_t later_first, later_len;
} ToeAdmin;

void toe_admin_init(struct ToeAdapter *a);
void toe_admin_fini(struct ToeAdapter *a);
void toe_admin_reset(struct ToeAdapter *a);

/* Registers. */
void toe_admin_enable(struct ToeAdapter *a, bool on);
void toe_admin_doorbell(struct ToeAdapter *a, uint32_t tail);
void toe_admin_consumed(struct ToeAdapter *a, uint32_t head);

/* Run commands within the turn's budget.  True if any was run. */
bool toe_admin_run(struct ToeAdapter *a);
/* Commands wait and can be run. */
bool toe_admin_pending(struct ToeAdapter *a);
/* Complete a command whose handler said "later". */
void toe_admin_complete(struct ToeAdapter *a, uint8_t opcode, uint16_t tag,
                        uint8_t status);
void toe_admin_link_event(struct ToeAdapter *a);
/* Raise vector 0 if something was written. */
void toe_admin_flush(struct ToeAdapter *a);

#endif
