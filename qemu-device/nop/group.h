/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * group.h - multicast groups: what UDP, IP, IGMP and MLD share.  See group.c.
 */
#ifndef TOE_NOP_GROUP_H
#define TOE_NOP_GROUP_H

#include "nop.h"

#define TOE_GROUPS_MAX          1024u   /* of both families */
#define TOE_GROUP_NONE          UINT16_MAX

/* What is said about a group; numbers of IGMPv3 and MLDv2. */
#define TOE_GROUP_IS_EXCLUDE    2u      /* we listen, asked for it */
#define TOE_GROUP_TO_INCLUDE    3u      /* we left */
#define TOE_GROUP_TO_EXCLUDE    4u      /* we joined */

typedef struct ToeGroupRecord {
    uint8_t type;
    const uint8_t *addr;
} ToeGroupRecord;

ToeGroups *toe_groups_new(void);
void toe_groups_free(ToeGroups *g);
/* Every membership vanishes, and nobody is told. */
void toe_groups_reset(ToeNop *n);
void toe_groups_timer(ToeNop *n);
/* The port got link: tell whoever is there now. */
void toe_groups_announce(ToeNop *n);

/*
 * One listener more, one less.  The group must be one (toe_route_kind()).
 * TOE_GROUP_NONE: the table is full.
 */
uint16_t toe_group_join(ToeNop *n, uint8_t family, const uint8_t *addr);
void toe_group_leave(ToeNop *n, uint16_t index);
/* The group that somebody listens to, or TOE_GROUP_NONE. */
uint16_t toe_group_find(ToeNop *n, uint8_t family, const uint8_t *addr);
/* The MAC of a group or of everybody.  False: it is neither. */
bool toe_group_mac(ToeNop *n, uint8_t family, const uint8_t *addr,
                   uint8_t *mac);

/* ---- Between group.c and igmp.c, mld.c ---- */

/*
 * A router asks, in this version of IGMP (MLD: plus one), for this group or
 * (NULL) for all; answers may take so long.  robustness: 0: not said.
 */
void toe_group_query(ToeNop *n, uint8_t family, unsigned version,
                     const uint8_t *addr, int64_t time, unsigned robustness);
/* Another host says that it listens to the group. */
void toe_group_heard(ToeNop *n, uint8_t family, const uint8_t *addr);

/* IGMPv3, MLDv2: several at once; how many one packet holds. */
uint32_t toe_igmp_room(const ToeNop *n);
void toe_igmp_report(ToeNop *n, const ToeGroupRecord *r, uint32_t count);
uint32_t toe_mld_room(const ToeNop *n);
void toe_mld_report(ToeNop *n, const ToeGroupRecord *r, uint32_t count);
/* The versions before these: one. */
void toe_igmp_report_old(ToeNop *n, unsigned version,
                         const ToeGroupRecord *r);
void toe_mld_report_old(ToeNop *n, const ToeGroupRecord *r);

/* ---- igmp.c, mld.c: in ---- */

struct ToeWireIpv4;
struct ToeWireIcmp;
/* A packet of protocol IGMP.  The operating system wants it too. */
void toe_igmp_input(ToeNop *n, const struct ToeWireIpv4 *ip);
bool toe_mld_is(uint8_t type);
/* alert: the packet has the router alert option. */
void toe_mld_input(ToeNop *n, const ToeIpPacket *p,
                   const struct ToeWireIcmp *m, bool alert);

#endif
