/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * regs.h - the register interface.  See regs.c.
 */
#ifndef TOE_REGS_H
#define TOE_REGS_H

#include <stdbool.h>
#include <stdint.h>

struct ToeAdapter;

typedef struct ToeRegs {
    uint32_t control;           /* TOE_CTL_ENABLE */
    uint32_t epoch;             /* resets so far */
    uint32_t lmw_base;          /* local memory shown in the window */
    bool reset_asked;           /* TOE_CTL_RESET was written in this access */
} ToeRegs;

uint64_t toe_regs_read(struct ToeAdapter *a, uint64_t off, unsigned size);
void toe_regs_write(struct ToeAdapter *a, uint64_t off, uint64_t val,
                    unsigned size);
void toe_regs_reset(struct ToeAdapter *a);

#endif
