/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list.h - doubly linked lists of table entries, by index.
 *
 * The adapter's state must survive migration, so entries of a table refer to
 * each other by index.  A list has a first and a last; an entry has one
 * ToeLink per list that it can be on.  ToeLinks says where the links of a
 * table are: see TOE_CONN_LINKS() and TOE_CTX_LINKS().
 *
 * An entry may be on a list at most once; the owner of the table remembers
 * whether it is.
 */
#ifndef TOE_LIST_H
#define TOE_LIST_H

#include <stddef.h>
#include <stdint.h>

#define TOE_NONE 0xffffffffu

typedef struct ToeList {
    uint32_t first;
    uint32_t last;
} ToeList;

typedef struct ToeLink {
    uint32_t next;
    uint32_t prev;
} ToeLink;

typedef struct ToeLinks {
    char *base;                 /* address of entry 0's link */
    size_t stride;              /* size of an entry */
} ToeLinks;

static inline ToeList toe_list_init(void)
{
    return (ToeList) { TOE_NONE, TOE_NONE };
}

static inline ToeLink *toe_list_link(ToeLinks t, uint32_t index)
{
    return (ToeLink *)(void *)(t.base + t.stride * index);
}

static inline void toe_list_append(ToeList *l, ToeLinks t, uint32_t index)
{
    ToeLink *link = toe_list_link(t, index);

    link->next = TOE_NONE;
    link->prev = l->last;
    if (l->last == TOE_NONE) {
        l->first = index;
    } else {
        toe_list_link(t, l->last)->next = index;
    }
    l->last = index;
}

static inline void toe_list_remove(ToeList *l, ToeLinks t, uint32_t index)
{
    ToeLink *link = toe_list_link(t, index);

    if (link->prev == TOE_NONE) {
        l->first = link->next;
    } else {
        toe_list_link(t, link->prev)->next = link->next;
    }
    if (link->next == TOE_NONE) {
        l->last = link->prev;
    } else {
        toe_list_link(t, link->next)->prev = link->prev;
    }
    link->next = TOE_NONE;
    link->prev = TOE_NONE;
}

static inline uint32_t toe_list_next(ToeLinks t, uint32_t index)
{
    return toe_list_link(t, index)->next;
}

#endif
