/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.c - the TCP header and its options, from and to bytes.
 *
 * Nobody else looks at the format.  Parsing copies each field out once, and
 * checks each length against the segment before it is used; an option with a
 * wrong length makes the segment malformed, an unknown one is skipped by its
 * length (RFC 9293 3.2).  A second option of a kind replaces the first.
 */
#include "nop/tcp/tcp.h"

#define OPT_END                 0
#define OPT_NOP                 1
#define OPT_MSS                 2
#define OPT_WSCALE              3
#define OPT_SACK_PERMITTED      4
#define OPT_SACK                5
#define OPT_TS                  8
#define OPT_UTO                 28
#define OPT_FASTOPEN            34

#define CHECKSUM_OFFSET         16

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
           (uint32_t)p[2] << 8 | p[3];
}

static void put16(uint8_t *p, uint16_t v)
{
    p[0] = v >> 8;
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, (uint16_t)v);
}

static bool parse_options(const uint8_t *p, size_t len, ToeTcpOptions *o)
{
    size_t i = 0;

    /* What nearly every segment has: two NOPs and timestamps. */
    if (len == TOE_OPT_TS_LEN && get32(p) == 0x0101080a) {
        o->have_ts = true;
        o->ts_val = get32(p + 4);
        o->ts_ecr = get32(p + 8);
        return true;
    }
    while (i < len && p[i] != OPT_END) {
        uint8_t kind = p[i], olen;

        if (kind == OPT_NOP) {
            i++;
            continue;
        }
        if (len - i < 2) {
            return false;
        }
        olen = p[i + 1];
        if (olen < 2 || olen > len - i) {
            return false;
        }
        switch (kind) {
        case OPT_MSS:
            if (olen != 4) {
                return false;
            }
            o->have_mss = true;
            o->mss = get16(p + i + 2);
            break;
        case OPT_WSCALE:
            if (olen != 3) {
                return false;
            }
            o->have_wscale = true;
            /* RFC 7323 2.3: larger values count as 14. */
            o->wscale = MIN(p[i + 2], TOE_WSCALE_MAX);
            break;
        case OPT_SACK_PERMITTED:
            if (olen != 2) {
                return false;
            }
            o->sack_permitted = true;
            break;
        case OPT_SACK:
            if ((olen - 2) % 8) {
                return false;
            }
            /* More than four do not fit 40 bytes. */
            o->sacks = (uint8_t)MIN((olen - 2u) / 8, TOE_SACK_BLOCKS);
            for (unsigned k = 0; k < o->sacks; k++) {
                o->sack[k].left = get32(p + i + 2 + 8 * k);
                o->sack[k].right = get32(p + i + 6 + 8 * k);
            }
            break;
        case OPT_TS:
            if (olen != 10) {
                return false;
            }
            o->have_ts = true;
            o->ts_val = get32(p + i + 2);
            o->ts_ecr = get32(p + i + 6);
            break;
        case OPT_UTO:
            if (olen != 4) {
                return false;
            }
            o->uto = get16(p + i + 2);
            break;
        case OPT_FASTOPEN:
            /* RFC 7413 4.1.1: other lengths are ignored. */
            if (olen == 2 || (olen >= 2 + TOE_FO_COOKIE_MIN &&
                              olen <= 2 + TOE_FO_COOKIE_MAX && !(olen & 1))) {
                o->have_fo = true;
                o->fo_len = olen - 2;
                memcpy(o->fo_cookie, p + i + 2, o->fo_len);
            }
            break;
        default:
            break;
        }
        i += olen;
    }
    return true;
}

bool toe_seg_parse(const ToeIpPacket *p, ToeSeg *seg)
{
    const uint8_t *h = p->payload;
    size_t hlen;

    memset(seg, 0, sizeof(*seg));
    if (p->len < TOE_TCP_HDR || p->len > 65535) {
        return false;
    }
    seg->sport = get16(h);
    seg->dport = get16(h + 2);
    hlen = (h[12] >> 4) * 4u;
    if (hlen < TOE_TCP_HDR || hlen > p->len) {
        return false;
    }
    seg->seq = get32(h + 4);
    seg->ack = get32(h + 8);
    seg->flags = h[13];
    seg->ecn = p->tos & TOE_ECN_MASK;
    seg->wnd = get16(h + 14);
    seg->urg = get16(h + 18);
    seg->data = h + hlen;
    seg->len = (uint32_t)(p->len - hlen);
    return hlen == TOE_TCP_HDR ||
           parse_options(h + TOE_TCP_HDR, hlen - TOE_TCP_HDR, &seg->opt);
}

bool toe_seg_checksum_ok(const ToeIpPacket *p)
{
    uint32_t sum = toe_csum_pseudo(p->family, p->src, p->dst, TOE_PROTO_TCP,
                                   (uint32_t)p->len);

    return toe_csum_ok(toe_csum(p->payload, p->len, sum));
}

uint32_t toe_seg_emit(uint8_t *p, const ToeSeg *seg)
{
    uint32_t hlen = TOE_TCP_HDR;

    put16(p, seg->sport);
    put16(p + 2, seg->dport);
    put32(p + 4, seg->seq);
    put32(p + 8, seg->ack);
    p[13] = seg->flags;
    put16(p + 14, (uint16_t)seg->wnd);
    put32(p + CHECKSUM_OFFSET, seg->urg);       /* behind the checksum, 0 */
    if (seg->opt.have_mss) {
        p[hlen] = OPT_MSS;
        p[hlen + 1] = 4;
        put16(p + hlen + 2, seg->opt.mss);
        hlen += 4;
    }
    if (seg->opt.have_wscale) {
        p[hlen] = OPT_NOP;
        p[hlen + 1] = OPT_WSCALE;
        p[hlen + 2] = 3;
        p[hlen + 3] = seg->opt.wscale;
        hlen += 4;
    }
    if (seg->opt.sack_permitted && !(seg->opt.have_fo && seg->opt.have_ts)) {
        put32(p + hlen, 0x01010402);
        hlen += 4;
    }
    if (seg->opt.have_ts) {
        /* With a long cookie SACK-permitted has room in place of the NOPs. */
        put32(p + hlen, seg->opt.sack_permitted && seg->opt.have_fo
                        ? 0x0402080a : 0x0101080a);
        put32(p + hlen + 4, seg->opt.ts_val);
        put32(p + hlen + 8, seg->opt.ts_ecr);
        hlen += TOE_OPT_TS_LEN;
    }
    if (seg->opt.uto) {
        p[hlen] = OPT_UTO;
        p[hlen + 1] = 4;
        put16(p + hlen + 2, seg->opt.uto);
        hlen += 4;
    }
    if (seg->opt.have_fo) {
        unsigned pad = -(2u + seg->opt.fo_len) & 3;

        memset(p + hlen, OPT_NOP, pad);
        hlen += pad;
        p[hlen] = OPT_FASTOPEN;
        p[hlen + 1] = 2 + seg->opt.fo_len;
        memcpy(p + hlen + 2, seg->opt.fo_cookie, seg->opt.fo_len);
        hlen += 2 + seg->opt.fo_len;
    }
    if (seg->opt.sacks) {
        put32(p + hlen, 0x01010502 + 8u * seg->opt.sacks);
        hlen += 4;
        for (unsigned i = 0; i < seg->opt.sacks; i++) {
            put32(p + hlen, seg->opt.sack[i].left);
            put32(p + hlen + 4, seg->opt.sack[i].right);
            hlen += 8;
        }
    }
    p[12] = (uint8_t)(hlen / 4 << 4);
    return hlen;
}

void toe_seg_seal(uint8_t *p, uint32_t hdr_len, uint32_t payload_len,
                  uint32_t payload_sum, uint8_t family, const uint8_t *src,
                  const uint8_t *dst)
{
    uint32_t sum = toe_csum_pseudo(family, src, dst, TOE_PROTO_TCP,
                                   hdr_len + payload_len);

    sum = toe_csum(p, hdr_len, sum);
    sum = toe_csum_join(sum, payload_sum, 0);
    toe_csum_store(p + CHECKSUM_OFFSET, sum);
}
