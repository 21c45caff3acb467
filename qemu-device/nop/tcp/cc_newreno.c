/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cc_newreno.c - NewReno's half of RFC 5681: growth as in cc.c, and half of
 * what is outstanding after a loss or a mark.  The other half, fast recovery,
 * is in recovery.c.
 */
#include "nop/tcp/tcp.h"

static void newreno_init(ToeNcb *c)
{
    (void)c;
}

static uint32_t newreno_ssthresh(ToeNcb *c, uint32_t flight, ToeCcEvent why)
{
    (void)why;
    c->cc_acked = 0;
    return MAX(flight / 2, 2u * c->mss);        /* RFC 5681 eq. 4 */
}

const ToeCcOps toe_cc_newreno = {
    .name = "newreno",
    .init = newreno_init,
    .acked = toe_cc_reno_acked,
    .ssthresh = newreno_ssthresh,
};
