/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multicast and broadcast: who gets what, IGMP and MLD with routers of each
 * version, limits, and what is sent to groups and to everybody.
 */
#include "common_udp.h"
#include "nop/group.h"
#include "nop/wire_group.h"

#define G1		IP(239, 1, 2, 3)
#define G2		IP(239, 129, 2, 3)
#define ALL_HOSTS	IP(224, 0, 0, 1)
#define EVERYBODY	IP(255, 255, 255, 255)
#define SUBNET		IP(10, 0, 2, 255)
#define H1		IP6(0xff, 0x05, 1, 2, 3)
#define H2		IP6(0xff, 0x02, 1, 2, 4)

/* The kernel's interface takes every group. */
static struct world *start_multi(void)
{
	struct world *w = start();

	toe_nop_port_set(w->n, 0, NULL, TOE_FILTER_UP | TOE_FILTER_ALLMULTI,
			 0);
	return w;
}

static struct world *start_multi6(void)
{
	struct world *w = start6();

	toe_nop_port_set(w->n, 0, NULL, TOE_FILTER_UP | TOE_FILTER_ALLMULTI,
			 0);
	return w;
}

static uint32_t open_shared(struct world *w, const uint8_t *laddr,
			    uint16_t lport)
{
	uint32_t handle;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET, laddr, lport, NOADDR, 0,
				   TOE_UDP_F_REUSE, &handle), TOE_ST_OK);
	return handle;
}

static uint32_t open6(struct world *w, uint16_t lport)
{
	uint32_t handle;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET6, NO6, lport, NO6, 0,
				   TOE_UDP_F_REUSE, &handle), TOE_ST_OK);
	return handle;
}

static uint8_t join(struct world *w, uint32_t handle, const uint8_t *group)
{
	return toe_udp_join(w->n, handle, group[0] == 0xff ? TOE_AF_INET6
							   : TOE_AF_INET,
			    group);
}

static uint8_t leave(struct world *w, uint32_t handle, const uint8_t *group)
{
	return toe_udp_leave(w->n, handle, group[0] == 0xff ? TOE_AF_INET6
							    : TOE_AF_INET,
			     group);
}

/* Joined, and the reports are sent and forgotten. */
static void join_quiet(struct world *w, uint32_t handle, const uint8_t *group)
{
	ck_assert_uint_eq(join(w, handle, group), TOE_ST_OK);
	world_advance(w, 60 * SEC);
	world_forget(w);
}

static void mac_of(uint8_t *mac, const uint8_t *dst)
{
	if (dst[0] == 0xff || dst[0] == 10)
		memset(mac, 0xff, 6);
	else
		toe_wire_ipv4_group_mac(mac, dst);
}

/* An IPv4 packet to a group or to everybody. */
static void packet_in(struct world *w, const uint8_t *src, const uint8_t *dst,
		      uint8_t proto, uint8_t ttl, const void *payload,
		      size_t len)
{
	uint8_t *f = g_malloc(TOE_ETH_HLEN + TOE_IPV4_HLEN + len);
	size_t size = world_make_ip(f, src, dst, proto, payload, len);

	mac_of(f, dst);
	f[22] = ttl;
	toe_put16(f + 24, 0);
	toe_csum_store(f + 24, toe_csum(f + 14, TOE_IPV4_HLEN, 0));
	world_in(w, f, size);
	g_free(f);
}

static void group_in(struct world *w, const uint8_t *src, uint16_t sport,
		     const uint8_t *dst, uint16_t dport, const char *data)
{
	uint8_t d[256];
	size_t len = make(d, TOE_AF_INET, src, sport, dst, dport, data,
			  strlen(data), true);

	packet_in(w, src, dst, 17, 1, d, len);
}

static void group_in6(struct world *w, const uint8_t *dst, uint16_t dport,
		      const char *data)
{
	uint8_t d[256];
	size_t len = make(d, TOE_AF_INET6, P6, 53, dst, dport, data,
			  strlen(data), true);

	world6_in(w, P6, dst, 17, 1, d, len);
}

/* ---- IGMP ---- */

static void igmp_in(struct world *w, const uint8_t *dst, uint8_t ttl,
		    uint8_t type, uint8_t code, const uint8_t *group,
		    size_t len)
{
	uint8_t m[16] = { type, code };

	memcpy(m + 4, group, 4);
	toe_csum_store(m + 2, toe_csum(m, len, 0));
	packet_in(w, PEER_IP, dst, 2, ttl, m, len);
}

static void query_in(struct world *w, uint8_t code, const uint8_t *group,
		     size_t len)
{
	igmp_in(w, group[0] ? group : ALL_HOSTS, 1, TOE_IGMP_QUERY, code,
		group, len);
}

/* The next frame must be an IGMP message, right in every detail. */
static const uint8_t *expect_igmp(struct world *w, uint8_t type,
				  const uint8_t *dst, size_t len)
{
	ToeWireIpv4 ip = world_expect_ip(w, 2);
	uint8_t mac[6];

	mac_of(mac, dst);
	ck_assert_mem_eq(w->last.data, mac, 6);
	ck_assert_mem_eq(ip.dst, dst, 4);
	ck_assert_mem_eq(ip.src, WORLD_IP, 4);
	ck_assert_uint_eq(ip.ttl, 1);
	ck_assert_uint_eq(ip.hlen, 24);
	ck_assert_uint_eq(toe_get32(ip.header + 20), 0x94040000);
	ck_assert_uint_eq(ip.len, len);
	ck_assert(toe_csum_ok(toe_csum(ip.payload, len, 0)));
	ck_assert_uint_eq(ip.payload[0], type);
	return ip.payload;
}

/* An IGMPv3 report of one record. */
static void expect_report(struct world *w, uint8_t type, const uint8_t *group)
{
	const uint8_t *m = expect_igmp(w, 0x22, IP(224, 0, 0, 22), 16);

	ck_assert_uint_eq(toe_get16(m + 6), 1);
	ck_assert_uint_eq(m[8], type);
	ck_assert_uint_eq(toe_get32(m + 8) & 0xffffff, 0);
	ck_assert_mem_eq(m + 12, group, 4);
}

/* ---- Who gets what ---- */

START_TEST(member_gets_what_is_sent_to_its_group)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);
	const ToeChain *c;
	ToeDgram d;

	join_quiet(w, h, G1);
	group_in(w, PEER_IP, 53, G1, 5000, "yes");
	ck_assert(toe_udp_rx(w->n, h, &d, &c));
	ck_assert_mem_eq(d.laddr, G1, 16);
	ck_assert_mem_eq(d.raddr, PEER_IP, 16);
	expect(w, h, 53, "yes", 3);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_GROUP_IN), 1);
	/* Another group of the same MAC, and another port. */
	group_in(w, PEER_IP, 53, G2, 5000, "no");
	group_in(w, PEER_IP, 53, G1, 5001, "no");
	expect_nothing(w, h);
	/* The operating system may have members of all of them. */
	ck_assert_uint_eq(world_os_count(w), 3);
	ck_assert_uint_eq(leave(w, h, G1), TOE_ST_OK);
	group_in(w, PEER_IP, 53, G1, 5000, "no");
	expect_nothing(w, h);
	ck_assert_uint_eq(lmem_used(w), 0);
	world_free(w);
}
END_TEST

START_TEST(every_member_gets_a_copy)
{
	struct world *w = start_multi();
	uint32_t a = open_shared(w, NOADDR, 5000);
	uint32_t b = open_shared(w, NOADDR, 5000);
	uint32_t bound = open_shared(w, WORLD_IP, 5000);
	uint32_t other = open_shared(w, NOADDR, 5000);
	uint32_t none = open_shared(w, NOADDR, 5000);

	ck_assert_uint_eq(join(w, a, G1), TOE_ST_OK);
	ck_assert_uint_eq(join(w, b, G1), TOE_ST_OK);
	ck_assert_uint_eq(join(w, bound, G1), TOE_ST_OK);
	ck_assert_uint_eq(join(w, other, G2), TOE_ST_OK);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_GROUPS), 2);
	group_in(w, PEER_IP, 53, G1, 5000, "all");
	ck_assert_uint_eq(ev.readable, 3);
	expect(w, a, 53, "all", 3);
	expect(w, b, 53, "all", 3);
	expect(w, bound, 53, "all", 3);
	expect_nothing(w, other);
	expect_nothing(w, none);
	toe_udp_close(w->n, a);
	group_in(w, PEER_IP, 53, G1, 5000, "both");
	expect(w, b, 53, "both", 4);
	expect(w, bound, 53, "both", 4);
	ck_assert_uint_eq(lmem_used(w), 0);
	world_free(w);
}
END_TEST

/* The first one told closes the second, or itself. */
START_TEST(members_closed_meanwhile)
{
	struct world *w = start_multi();
	uint32_t h[3], i, k;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < 3; i++) {
			h[i] = open_shared(w, NOADDR, 5000);
			ck_assert_uint_eq(join(w, h[i], G1), TOE_ST_OK);
		}
		close_when_told = h[k];
		ev.readable = 0;
		group_in(w, PEER_IP, 53, G1, 5000, "all");
		ck_assert_uint_eq(ev.readable, k ? 2 : 3);
		for (i = 0; i < 3; i++) {
			if (i == k)
				continue;
			expect(w, h[i], 53, "all", 3);
			toe_udp_close(w->n, h[i]);
		}
		ck_assert_uint_eq(lmem_used(w), 0);
	}
	world_free(w);
}
END_TEST

START_TEST(connected_member_hears_its_remote_only)
{
	struct world *w = start_multi();
	uint32_t h = open_to(w, 5000, PEER_IP, 53);

	join_quiet(w, h, G1);
	group_in(w, PEER_IP, 54, G1, 5000, "no");
	group_in(w, FAR_IP, 53, G1, 5000, "no");
	expect_nothing(w, h);
	group_in(w, PEER_IP, 53, G1, 5000, "yes");
	expect(w, h, 53, "yes", 3);
	world_free(w);
}
END_TEST

/* A member that may not read has its own limits; the others do not feel it. */
START_TEST(copies_are_within_each_ones_limits)
{
	struct world *w = start_multi();
	uint32_t slow = open_shared(w, NOADDR, 5000);
	uint32_t fast = open_shared(w, NOADDR, 5000);
	uint64_t drops;

	toe_udp_setopt(w->n, slow, TOE_OPT_UDP_RCVBUF, 2048);
	ck_assert_uint_eq(join(w, slow, G1), TOE_ST_OK);
	ck_assert_uint_eq(join(w, fast, G1), TOE_ST_OK);
	for (int i = 0; i < 20; i++) {
		group_in(w, PEER_IP, 53, G1, 5000, "x");
		expect(w, fast, 53, "x", 1);
	}
	toe_udp_getopt(w->n, slow, TOE_OPT_UDP_DROPS, &drops);
	ck_assert_uint_eq(drops, 20 - 8);
	world_free(w);
}
END_TEST

START_TEST(bad_datagrams_to_a_group)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);
	uint8_t d[64];
	size_t len = make(d, TOE_AF_INET, PEER_IP, 53, G1, 5000, "abc", 3,
			  true);

	join_quiet(w, h, G1);
	d[9] ^= 1;
	packet_in(w, PEER_IP, G1, 17, 1, d, len);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_BAD_CHECKSUM), 1);
	packet_in(w, PEER_IP, G1, 17, 1, d, 7);
	/* Sources that no host can have, and our own. */
	group_in(w, WORLD_IP, 53, G1, 5000, "no");
	group_in(w, G2, 53, G1, 5000, "no");
	group_in(w, NOADDR, 53, G1, 5000, "no");
	group_in(w, IP(127, 0, 0, 1), 53, G1, 5000, "no");
	expect_nothing(w, h);
	world_run(w);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

START_TEST(fragments_to_a_group)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);
	uint8_t d[3008], data[3000], f[TOE_ETH_HLEN + 20 + 1480];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 3 + (i >> 8));
	make(d, TOE_AF_INET, PEER_IP, 53, G1, 5000, data, 3000, true);
	join_quiet(w, h, G1);
	for (int pass = 0; pass < 3; pass++) {
		const uint8_t *dst = pass == 1 ? G2 : G1;

		for (size_t off = 0; off < 3008; off += 1480) {
			size_t n = MIN(1480u, 3008 - off);
			size_t size = world_make_ip(f, PEER_IP, dst, 17,
						    d + off, n);

			if (pass == 2 && off)
				break;		/* the rest never comes */
			toe_wire_ipv4_group_mac(f, dst);
			toe_put16(f + 20, (off + n < 3008 ? 0x2000 : 0) |
					  off / 8);
			toe_put16(f + 24, 0);
			toe_csum_store(f + 24, toe_csum(f + 14, 20, 0));
			world_in(w, f, size);
		}
		/* As fragments to the operating system, each. */
		ck_assert_uint_eq(world_os_count(w), MIN(pass + 1, 2) * 3);
	}
	expect(w, h, 53, data, 3000);
	expect_nothing(w, h);
	/* Nobody is told that the rest did not come (RFC 1122, 3.2.2). */
	world_advance(w, 40 * SEC);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP_REASM_TIMEOUTS), 1);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

START_TEST(ipv6_members)
{
	struct world *w = start_multi6();
	uint32_t a = open6(w, 5000), b = open6(w, 5000);

	join_quiet(w, a, H1);
	join_quiet(w, b, H1);
	group_in6(w, H1, 5000, "both");
	group_in6(w, H2, 5000, "no");
	expect(w, a, 53, "both", 4);
	expect(w, b, 53, "both", 4);
	expect_nothing(w, a);
	ck_assert_uint_eq(world_os_count(w), 2);
	world_free(w);
}
END_TEST

/* A group's packet is never answered, whatever is in it. */
START_TEST(nothing_to_a_group_is_answered)
{
	struct world *w = start_multi6();
	uint32_t h = open6(w, 5000);
	uint8_t m[16] = { 17, 0, 0xc2, 2 }, f[24] = { 17, 0, 0, 1 };

	join_quiet(w, h, H1);
	toe_nop_port_set(w->n, 0, NULL, 0, 0);
	world6_in(w, P6, H1, 60, 1, m, sizeof(m));	/* unknown option */
	world6_in(w, P6, H1, 44, 1, f, 13);		/* not a multiple of 8 */
	f[2] = 0xff;
	f[3] = 0xf8;
	world6_in(w, P6, H1, 44, 1, f, 24);		/* beyond the end */
	/* The same option in a packet of two fragments. */
	memcpy(f, "\x3c\0\0\1\0\0\0\7\x11\0\xc2\2\0\0\0\0", 16);
	world6_in(w, P6, H1, 44, 1, f, 24);
	memcpy(f, "\x3c\0\0\x10\0\0\0\7", 8);
	world6_in(w, P6, H1, 44, 1, f, 16);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IP6_REASSEMBLED), 1);
	group_in6(w, H1, 5001, "nobody has the port");
	world_advance(w, 70 * SEC);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

/* ---- Joining ---- */

START_TEST(what_can_be_joined)
{
	struct world *w = start_multi6();
	uint32_t h = open_at(w, NOADDR, 5000), six = open6(w, 5000);

	ck_assert_uint_eq(join(w, h, PEER_IP), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_udp_join(w->n, h, TOE_AF_INET, EVERYBODY),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_udp_join(w->n, h, TOE_AF_INET6, H1),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_udp_join(w->n, h, TOE_AF_INET, H1),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_udp_join(w->n, six, TOE_AF_INET6, P6),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_udp_join(w->n, h, 7, G1), TOE_ST_INVALID);
	ck_assert_uint_eq(join(w, h, G1), TOE_ST_OK);
	ck_assert_uint_eq(join(w, h, G1), TOE_ST_ADDRINUSE);
	ck_assert_uint_eq(leave(w, h, G2), TOE_ST_ADDRNOTAVAIL);
	ck_assert_uint_eq(join(w, six, H1), TOE_ST_OK);
	ck_assert_uint_eq(leave(w, six, H2), TOE_ST_ADDRNOTAVAIL);
	ck_assert_uint_eq(leave(w, h, G1), TOE_ST_OK);
	ck_assert_uint_eq(leave(w, h, G1), TOE_ST_ADDRNOTAVAIL);
	toe_udp_close(w->n, h);
	ck_assert_uint_eq(join(w, h, G1), TOE_ST_HANDLE);
	ck_assert_uint_eq(leave(w, h, G1), TOE_ST_HANDLE);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_GROUPS), 1);
	world_free(w);
}
END_TEST

START_TEST(groups_are_bounded_and_come_back)
{
	struct world *w = start_ram(4u << 20, 256);
	uint32_t h[80], n = 0, full = 0;

	for (unsigned i = 0; i < 80; i++) {
		h[i] = open_shared(w, NOADDR, 5000);
		for (unsigned g = 0; g < 17; g++) {
			const uint8_t *group = IP(239, i, g, 1);
			uint8_t status = join(w, h[i], group);

			if (g == 16 && i < 64)
				ck_assert_uint_eq(status, TOE_ST_QUOTA);
			n += status == TOE_ST_OK;
			full += status == TOE_ST_NOMEM;
		}
	}
	ck_assert_uint_eq(n, TOE_GROUPS_MAX);
	ck_assert_uint_eq(full, 16 * 17);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_GROUPS), n);
	/* One that is there can be shared; the others are all found. */
	ck_assert_uint_eq(join(w, h[79], IP(239, 0, 0, 1)), TOE_ST_OK);
	group_in(w, PEER_IP, 53, IP(239, 63, 15, 1), 5000, "x");
	expect(w, h[63], 53, "x", 1);
	for (unsigned i = 0; i < 80; i++)
		toe_udp_close(w->n, h[i]);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_GROUPS), 0);
	/* They are still to be said; a new one is in their place. */
	h[0] = open_at(w, NOADDR, 5000);
	ck_assert_uint_eq(join(w, h[0], G1), TOE_ST_OK);
	world_advance(w, 60 * SEC);
	toe_udp_close(w->n, h[0]);
	world_advance(w, 60 * SEC);
	ck_assert_int_eq(toe_nop_deadline(w->n), TOE_TIMER_OFF);
	world_free(w);
}
END_TEST

START_TEST(reset_forgets_groups)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);

	ck_assert_uint_eq(join(w, h, G1), TOE_ST_OK);
	toe_nop_reset(w->n);
	toe_lmem_reset(w->lm);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_GROUPS), 0);
	world_advance(w, 60 * SEC);
	world_expect_silence(w);
	ck_assert_uint_eq(toe_group_find(w->n, TOE_AF_INET, G1),
			  TOE_GROUP_NONE);
	world_free(w);
}
END_TEST

/* ---- IGMP ---- */

START_TEST(join_and_leave_are_reported_twice)
{
	struct world *w = start_multi();
	uint32_t a = open_shared(w, NOADDR, 5000);
	uint32_t b = open_shared(w, NOADDR, 5000);

	ck_assert_uint_eq(join(w, a, G1), TOE_ST_OK);
	world_expect_silence(w);	/* a call sends nothing */
	world_run(w);
	expect_report(w, TOE_GROUP_TO_EXCLUDE, G1);
	world_expect_silence(w);
	world_advance(w, SEC + MS);
	expect_report(w, TOE_GROUP_TO_EXCLUDE, G1);
	world_advance(w, 600 * SEC);
	world_expect_silence(w);
	/* A second member changes nothing; nor does the first one's end. */
	ck_assert_uint_eq(join(w, b, G1), TOE_ST_OK);
	ck_assert_uint_eq(leave(w, a, G1), TOE_ST_OK);
	world_advance(w, 600 * SEC);
	world_expect_silence(w);
	toe_udp_close(w->n, b);
	world_run(w);
	expect_report(w, TOE_GROUP_TO_INCLUDE, G1);
	world_advance(w, SEC + MS);
	expect_report(w, TOE_GROUP_TO_INCLUDE, G1);
	world_advance(w, 600 * SEC);
	world_expect_silence(w);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IGMP_OUT), 4);
	world_free(w);
}
END_TEST

START_TEST(changes_of_several_are_one_packet)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);
	const uint8_t *m;

	ck_assert_uint_eq(join(w, h, G1), TOE_ST_OK);
	ck_assert_uint_eq(join(w, h, G2), TOE_ST_OK);
	world_run(w);
	m = expect_igmp(w, 0x22, IP(224, 0, 0, 22), 24);
	ck_assert_uint_eq(toe_get16(m + 6), 2);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

START_TEST(rejoining_is_a_change_again)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);

	join_quiet(w, h, G1);
	ck_assert_uint_eq(leave(w, h, G1), TOE_ST_OK);
	world_run(w);
	expect_report(w, TOE_GROUP_TO_INCLUDE, G1);
	ck_assert_uint_eq(join(w, h, G1), TOE_ST_OK);
	world_advance(w, 60 * SEC);
	expect_report(w, TOE_GROUP_TO_EXCLUDE, G1);
	expect_report(w, TOE_GROUP_TO_EXCLUDE, G1);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

START_TEST(all_hosts_is_never_reported)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);

	ck_assert_uint_eq(join(w, h, ALL_HOSTS), TOE_ST_OK);
	world_advance(w, 60 * SEC);
	query_in(w, 100, NOADDR, 12);
	world_advance(w, 60 * SEC);
	world_expect_silence(w);
	group_in(w, PEER_IP, 53, ALL_HOSTS, 5000, "x");
	expect(w, h, 53, "x", 1);
	ck_assert_uint_eq(leave(w, h, ALL_HOSTS), TOE_ST_OK);
	world_advance(w, 60 * SEC);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

START_TEST(queries_are_answered_and_go_on)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);
	const uint8_t *m;

	join_quiet(w, h, G1);
	join_quiet(w, h, G2);
	/* About all: one report, within the time that is given. */
	query_in(w, 100, NOADDR, 12);
	ck_assert_uint_eq(world_os_count(w), 1);
	world_expect_silence(w);
	world_advance(w, 10 * SEC + MS);
	m = expect_igmp(w, 0x22, IP(224, 0, 0, 22), 24);
	ck_assert_uint_eq(toe_get16(m + 6), 2);
	ck_assert_uint_eq(m[8], TOE_GROUP_IS_EXCLUDE);
	ck_assert_uint_eq(m[16], TOE_GROUP_IS_EXCLUDE);
	world_advance(w, 600 * SEC);
	world_expect_silence(w);
	/* About one. */
	query_in(w, 10, G1, 12);
	world_advance(w, SEC + MS);
	expect_report(w, TOE_GROUP_IS_EXCLUDE, G1);
	/* About one that we are not in. */
	query_in(w, 10, IP(239, 9, 9, 9), 12);
	world_advance(w, 600 * SEC);
	world_expect_silence(w);
	ck_assert_uint_eq(world_os_count(w), 3);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IGMP_IN), 3);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IGMP_BAD), 0);
	world_free(w);
}
END_TEST

/* One that was left is not answered for, though still to be said. */
START_TEST(left_group_is_not_answered_for)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);

	join_quiet(w, h, G1);
	query_in(w, 100, G1, 12);
	ck_assert_uint_eq(leave(w, h, G1), TOE_ST_OK);
	query_in(w, 100, NOADDR, 12);
	world_advance(w, 60 * SEC);
	expect_report(w, TOE_GROUP_TO_INCLUDE, G1);
	expect_report(w, TOE_GROUP_TO_INCLUDE, G1);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

START_TEST(times_are_floating_point)
{
	ck_assert_uint_eq(toe_wire_query_time(0, 4), 0);
	ck_assert_uint_eq(toe_wire_query_time(127, 4), 127);
	ck_assert_uint_eq(toe_wire_query_time(128, 4), 128);
	ck_assert_uint_eq(toe_wire_query_time(0xff, 4), 31744);
	ck_assert_uint_eq(toe_wire_query_time(32767, 12), 32767);
	ck_assert_uint_eq(toe_wire_query_time(32768, 12), 32768);
	ck_assert_uint_eq(toe_wire_query_time(0xffff, 12), 0x1fff << 10);
}
END_TEST

START_TEST(router_of_version_2)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);
	const uint8_t *m;

	join_quiet(w, h, G1);
	query_in(w, 100, NOADDR, 8);
	world_advance(w, 10 * SEC + MS);
	m = expect_igmp(w, 0x16, G1, 8);
	ck_assert_mem_eq(m + 4, G1, 4);
	world_expect_silence(w);
	/* About one group; another host's answer saves ours. */
	query_in(w, 100, G1, 8);
	igmp_in(w, G1, 1, 0x16, 0, G1, 8);
	world_advance(w, 11 * SEC);
	world_expect_silence(w);
	query_in(w, 100, G1, 8);
	igmp_in(w, G2, 1, 0x16, 0, G2, 8);
	world_advance(w, 11 * SEC);
	expect_igmp(w, 0x16, G1, 8);
	/* Joining and leaving in its language. */
	ck_assert_uint_eq(join(w, h, G2), TOE_ST_OK);
	world_run(w);
	expect_igmp(w, 0x16, G2, 8);
	world_advance(w, 11 * SEC);
	expect_igmp(w, 0x16, G2, 8);
	ck_assert_uint_eq(leave(w, h, G2), TOE_ST_OK);
	world_run(w);
	m = expect_igmp(w, 0x17, IP(224, 0, 0, 2), 8);
	ck_assert_mem_eq(m + 4, G2, 4);
	world_advance(w, 11 * SEC);
	world_expect_silence(w);
	/* It is not heard for long: version 3 again. */
	world_advance(w, 300 * SEC);
	ck_assert_uint_eq(join(w, h, G2), TOE_ST_OK);
	world_run(w);
	expect_report(w, TOE_GROUP_TO_EXCLUDE, G2);
	world_free(w);
}
END_TEST

START_TEST(router_of_version_1)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);

	join_quiet(w, h, G1);
	query_in(w, 0, NOADDR, 8);
	world_advance(w, 10 * SEC + MS);
	expect_igmp(w, 0x12, G1, 8);
	ck_assert_uint_eq(leave(w, h, G1), TOE_ST_OK);
	world_advance(w, 60 * SEC);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

START_TEST(bad_queries)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);
	uint8_t m[8] = { TOE_IGMP_QUERY, 10, 1, 2 };

	join_quiet(w, h, G1);
	packet_in(w, PEER_IP, ALL_HOSTS, 2, 1, m, 8);	/* checksum */
	packet_in(w, PEER_IP, ALL_HOSTS, 2, 1, m, 7);	/* short */
	igmp_in(w, ALL_HOSTS, 2, 0x11, 10, NOADDR, 12);	/* forwarded */
	igmp_in(w, G1, 1, 0x11, 10, NOADDR, 12);	/* about all, to few */
	igmp_in(w, ALL_HOSTS, 1, 0x11, 10, NOADDR, 10);	/* no length of any */
	igmp_in(w, ALL_HOSTS, 1, 0x11, 10, PEER_IP, 12); /* no group */
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IGMP_BAD), 6);
	world_advance(w, 60 * SEC);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

START_TEST(flood_of_queries)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);

	for (int i = 0; i < 16; i++)
		ck_assert_uint_eq(join(w, h, IP(239, 1, 1, i)), TOE_ST_OK);
	world_advance(w, 60 * SEC);
	world_forget(w);
	for (int i = 0; i < 10000; i++) {
		query_in(w, 0, NOADDR, 12);
		query_in(w, 0, IP(239, 1, 1, i % 16), 12);
		world_advance(w, SEC / 10000);
	}
	/* A second: each of the 16, and all, each tenth of one at most. */
	ck_assert_uint_ge(world_sent_count(w), 10);
	ck_assert_uint_le(world_sent_count(w), 17 * 100);
	world_free(w);
}
END_TEST

START_TEST(new_cable_new_routers)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);
	unsigned reports = 0;
	const uint8_t *f;
	size_t len;

	join_quiet(w, h, G1);
	toe_nop_link(w->n, false);
	toe_nop_link(w->n, true);
	world_advance(w, 60 * SEC);
	while ((f = world_sent(w, &len)))
		reports += len > 34 && f[12] == 8 && f[13] == 0 && f[23] == 2;
	ck_assert_uint_eq(reports, 2);
	world_free(w);
}
END_TEST

START_TEST(many_groups_in_small_packets)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);
	unsigned records = 0;

	toe_nop_port_set(w->n, 68, NULL, TOE_FILTER_UP, 0);
	for (int i = 0; i < 16; i++)
		ck_assert_uint_eq(join(w, h, IP(239, 1, 1, i)), TOE_ST_OK);
	world_run(w);
	while (world_sent_count(w)) {
		ToeWireIpv4 ip = world_expect_ip(w, 2);

		ck_assert_uint_le(ip.hlen + ip.len, 68);
		ck_assert(toe_csum_ok(toe_csum(ip.payload, ip.len, 0)));
		ck_assert_uint_eq(ip.len, 8u + 8 * toe_get16(ip.payload + 6));
		records += toe_get16(ip.payload + 6);
	}
	ck_assert_uint_eq(records, 16);
	world_free(w);
}
END_TEST

/* ---- MLD ---- */

static void mld_in(struct world *w, const uint8_t *src, const uint8_t *dst,
		   uint8_t hops, uint8_t type, uint16_t delay,
		   const uint8_t *group, size_t len, bool alert)
{
	uint8_t m[64] = { 0 };

	toe_wire_mld_alert_build(m);
	if (!alert)
		m[2] = 1;		/* padding instead */
	m[8] = type;
	toe_put16(m + 12, delay);
	memcpy(m + 16, group, 16);
	toe_csum_store(m + 10, toe_csum(m + 8, len,
		toe_csum_pseudo(TOE_AF_INET6, src, dst, 58, (uint32_t)len)));
	world6_in(w, src, dst, 0, hops, m, 8 + len);
}

static void mld_query(struct world *w, uint16_t delay, const uint8_t *group,
		      size_t len)
{
	mld_in(w, P6_LL, group[0] ? group : ALL_NODES6, 1, TOE_MLD_QUERY,
	       delay, group, len, true);
}

static const uint8_t *expect_mld(struct world *w, uint8_t type,
				 const uint8_t *dst, size_t len)
{
	ToeWireIpv6 ip = world6_expect(w, 0);
	uint8_t mac[6];
	uint32_t sum;

	toe_wire_ipv6_group_mac(mac, dst);
	ck_assert_mem_eq(w->last.data, mac, 6);
	ck_assert_mem_eq(ip.src, W6_LL, 16);
	ck_assert_mem_eq(ip.dst, dst, 16);
	ck_assert_uint_eq(ip.hops, 1);
	ck_assert_uint_eq(ip.len, 8 + len);
	ck_assert_mem_eq(ip.payload, "\x3a\0\5\2\0\0\1\0", 8);
	sum = toe_csum_pseudo(TOE_AF_INET6, ip.src, ip.dst, 58,
			      (uint32_t)len);
	ck_assert(toe_csum_ok(toe_csum(ip.payload + 8, len, sum)));
	ck_assert_uint_eq(ip.payload[8], type);
	return ip.payload + 8;
}

static void expect_mld_report(struct world *w, uint8_t type,
			      const uint8_t *group)
{
	const uint8_t *m = expect_mld(w, 143, IP6(0xff, 2, 0, 0, 0x16), 28);

	ck_assert_uint_eq(toe_get32(m + 4), 1);
	ck_assert_uint_eq(m[8], type);
	ck_assert_mem_eq(m + 12, group, 16);
}

START_TEST(mld_join_query_leave)
{
	struct world *w = start_multi6();
	uint32_t h = open6(w, 5000);
	const uint8_t *m;

	ck_assert_uint_eq(join(w, h, H1), TOE_ST_OK);
	world_run(w);
	expect_mld_report(w, TOE_GROUP_TO_EXCLUDE, H1);
	world_advance(w, SEC + MS);
	expect_mld_report(w, TOE_GROUP_TO_EXCLUDE, H1);
	join_quiet(w, h, H2);
	mld_query(w, 10000, NO6, 28);
	ck_assert_uint_eq(world_os_count(w), 1);
	world_advance(w, 10 * SEC + MS);
	m = expect_mld(w, 143, IP6(0xff, 2, 0, 0, 0x16), 48);
	ck_assert_uint_eq(toe_get32(m + 4), 2);
	mld_query(w, 1000, H1, 28);
	world_advance(w, SEC + MS);
	expect_mld_report(w, TOE_GROUP_IS_EXCLUDE, H1);
	toe_udp_close(w->n, h);
	world_run(w);
	m = expect_mld(w, 143, IP6(0xff, 2, 0, 0, 0x16), 48);
	ck_assert_uint_eq(m[8], TOE_GROUP_TO_INCLUDE);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_MLD_IN), 2);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_MLD_BAD), 0);
	world_free(w);
}
END_TEST

START_TEST(mld_router_of_version_1)
{
	struct world *w = start_multi6();
	uint32_t h = open6(w, 5000);
	const uint8_t *m;

	join_quiet(w, h, H1);
	mld_query(w, 10000, NO6, 24);
	world_advance(w, 10 * SEC + MS);
	m = expect_mld(w, 131, H1, 24);
	ck_assert_mem_eq(m + 8, H1, 16);
	mld_query(w, 10000, H1, 24);
	mld_in(w, P6_LL, H1, 1, 131, 0, H1, 24, true);
	world_advance(w, 11 * SEC);
	world_expect_silence(w);
	ck_assert_uint_eq(leave(w, h, H1), TOE_ST_OK);
	world_run(w);
	m = expect_mld(w, 132, IP6(0xff, 2, 0, 0, 2), 24);
	ck_assert_mem_eq(m + 8, H1, 16);
	world_free(w);
}
END_TEST

START_TEST(mld_queries_that_do_not_count)
{
	struct world *w = start_multi6();
	uint32_t h = open6(w, 5000);

	join_quiet(w, h, H1);
	mld_in(w, P6, ALL_NODES6, 1, 130, 100, NO6, 28, true);
	mld_in(w, P6_LL, ALL_NODES6, 2, 130, 100, NO6, 28, true);
	mld_in(w, P6_LL, ALL_NODES6, 1, 130, 100, NO6, 28, false);
	mld_in(w, P6_LL, ALL_NODES6, 1, 130, 100, NO6, 26, true);
	mld_in(w, P6_LL, ALL_NODES6, 1, 130, 100, NO6, 12, true);
	mld_in(w, P6_LL, H1, 1, 130, 100, NO6, 28, true);
	mld_in(w, P6_LL, ALL_NODES6, 1, 130, 100, P6, 28, true);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_MLD_BAD), 7);
	ck_assert_uint_eq(world_os_count(w), 7);
	world_advance(w, 60 * SEC);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

START_TEST(mld_of_a_host_is_not_reported)
{
	static const uint8_t never[][16] = {
		{ 0xff, 2, [15] = 1 }, { 0xff, 1, [15] = 9 }, { 0xff, 0x10 },
	};
	struct world *w = start_multi6();
	uint32_t h = open6(w, 5000);

	for (size_t i = 0; i < G_N_ELEMENTS(never); i++)
		ck_assert_uint_eq(join(w, h, never[i]), TOE_ST_OK);
	mld_query(w, 1000, NO6, 28);
	world_advance(w, 60 * SEC);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

/* ---- Sending ---- */

static ToeWireIpv4 expect_group_out(struct world *w, const uint8_t *dst,
				    uint8_t ttl)
{
	ToeWireIpv4 ip = world_expect_ip(w, 17);
	uint8_t mac[6];

	mac_of(mac, dst);
	ck_assert_mem_eq(w->last.data, mac, 6);
	ck_assert_mem_eq(ip.dst, dst, 4);
	ck_assert_mem_eq(ip.src, WORLD_IP, 4);
	ck_assert_uint_eq(ip.ttl, ttl);
	return ip;
}

START_TEST(to_a_group)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);
	uint64_t v;

	ck_assert_uint_eq(send4(w, h, G2, 6000, "x", 1), TOE_ST_OK);
	world_run(w);
	expect_group_out(w, G2, 1);
	ck_assert_uint_eq(w->last.data[3], 1);	/* 23 bits: RFC 1112 */
	toe_udp_setopt(w->n, h, TOE_OPT_UDP_TTL, 99);	/* not for groups */
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_UDP_MCAST_TTL, 7),
			  TOE_ST_OK);
	ck_assert_uint_eq(send4(w, h, G2, 6000, "x", 1), TOE_ST_OK);
	world_run(w);
	expect_group_out(w, G2, 7);
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_UDP_MCAST_TTL, 256),
			  TOE_ST_INVALID);
	toe_udp_getopt(w->n, h, TOE_OPT_UDP_MCAST_TTL, &v);
	ck_assert_uint_eq(v, 7);
	/* Never beyond this host. */
	toe_udp_setopt(w->n, h, TOE_OPT_UDP_MCAST_TTL, 0);
	ck_assert_uint_eq(send4(w, h, G2, 6000, "x", 1), TOE_ST_OK);
	world_run(w);
	world_expect_silence(w);
	ck_assert_uint_eq(lmem_used(w), 0);
	world_free(w);
}
END_TEST

START_TEST(to_an_ipv6_group)
{
	struct world *w = start_multi6();
	uint32_t h = open6(w, 5000);
	ToeWireIpv6 ip;

	ck_assert_uint_eq(send_to(w, h, TOE_AF_INET6, H1, 6000, "x", 1),
			  TOE_ST_OK);
	ck_assert_uint_eq(send_to(w, h, TOE_AF_INET6, H2, 6000, "x", 1),
			  TOE_ST_OK);
	world_run(w);
	ip = world6_expect(w, 17);
	ck_assert_mem_eq(w->last.data, "\x33\x33\0\1\2\3", 6);
	ck_assert_uint_eq(ip.hops, 1);
	ck_assert_mem_eq(ip.src, W6, 16);	/* of the site */
	ip = world6_expect(w, 17);
	ck_assert_mem_eq(ip.src, W6_LL, 16);	/* of the link */
	world_free(w);
}
END_TEST

START_TEST(members_here_hear_it_too)
{
	struct world *w = start_multi();
	uint32_t a = open_shared(w, NOADDR, 5000);
	uint32_t b = open_shared(w, NOADDR, 5000);

	join_quiet(w, a, G1);
	join_quiet(w, b, G1);
	ck_assert_uint_eq(send4(w, a, G1, 5000, "x", 1), TOE_ST_OK);
	world_run(w);
	expect_group_out(w, G1, 1);
	expect(w, a, 5000, "x", 1);
	expect(w, b, 5000, "x", 1);
	ck_assert_uint_eq(toe_udp_setopt(w->n, a, TOE_OPT_UDP_MCAST_LOOP, 0),
			  TOE_ST_OK);
	ck_assert_uint_eq(send4(w, a, G1, 5000, "x", 1), TOE_ST_OK);
	world_run(w);
	expect_group_out(w, G1, 1);
	expect_nothing(w, a);
	expect_nothing(w, b);
	ck_assert_uint_eq(ev.errors, 0);
	world_free(w);
}
END_TEST

/* Whole for those here, in fragments of the MTU for the network. */
START_TEST(large_to_a_group)
{
	ToeNopConfig config = world_default_config();
	uint8_t data[3000], got[3008];
	struct world *w;
	ToeWireIpv4 ip;
	size_t at = 0;
	uint32_t h;

	config.max_segment = 65535;	/* that is for the backend alone */
	w = world_new_config(&config, 4u << 20, &udp_ops);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 5 + (i >> 8));
	h = open_at(w, NOADDR, 5000);
	join_quiet(w, h, G1);
	ck_assert_uint_eq(send4(w, h, G1, 5000, data, 3000), TOE_ST_OK);
	world_run(w);
	expect(w, h, 5000, data, 3000);
	do {
		ip = expect_group_out(w, G1, 1);
		ck_assert_uint_le(ip.hlen + ip.len, 1500);
		ck_assert_uint_eq(ip.frag_off, at);
		memcpy(got + at, ip.payload, ip.len);
		at += ip.len;
	} while (ip.more);
	ck_assert_uint_eq(at, 3008);
	ck_assert_mem_eq(got + 8, data, 3000);
	world_free(w);
}
END_TEST

START_TEST(connected_to_a_group)
{
	struct world *w = start_multi();
	uint32_t h = open_to(w, 5000, G1, 6000);

	ck_assert_uint_eq(send_to(w, h, 0, NOADDR, 0, "x", 1), TOE_ST_OK);
	world_run(w);
	expect_group_out(w, G1, 1);
	world_free(w);
}
END_TEST

/* ---- Broadcast ---- */

START_TEST(to_everybody_must_be_asked_for)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000), other;
	ToeTuple t = { .family = TOE_AF_INET, .rport = 67 };
	uint64_t v;

	ck_assert_uint_eq(send4(w, h, EVERYBODY, 67, "x", 1), TOE_ST_PERM);
	ck_assert_uint_eq(send4(w, h, SUBNET, 67, "x", 1), TOE_ST_PERM);
	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 0, EVERYBODY, 67,
				   0, &other), TOE_ST_PERM);
	memcpy(t.raddr, SUBNET, 16);
	ck_assert_uint_eq(toe_udp_connect(w->n, h, &t), TOE_ST_PERM);
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_UDP_BROADCAST, 2),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_udp_setopt(w->n, h, TOE_OPT_UDP_BROADCAST, 1),
			  TOE_ST_OK);
	toe_udp_getopt(w->n, h, TOE_OPT_UDP_BROADCAST, &v);
	ck_assert_uint_eq(v, 1);
	ck_assert_uint_eq(send4(w, h, EVERYBODY, 67, "x", 1), TOE_ST_OK);
	ck_assert_uint_eq(send4(w, h, SUBNET, 67, "x", 1), TOE_ST_OK);
	world_run(w);
	expect_group_out(w, EVERYBODY, 64);
	expect_group_out(w, SUBNET, 64);
	/* Another subnet's is a host's, as far as we know. */
	ck_assert_uint_eq(send4(w, h, IP(10, 0, 3, 255), 67, "x", 1),
			  TOE_ST_OK);
	world_run(w);
	ck_assert_mem_eq(world_expect_ip(w, 17).dst, IP(10, 0, 3, 255), 4);
	ck_assert_mem_eq(w->last.data, PEER_MAC, 6);
	ck_assert_uint_eq(toe_udp_connect(w->n, h, &t), TOE_ST_OK);
	world_free(w);
}
END_TEST

START_TEST(everybody_is_who_is_bound_to_any)
{
	struct world *w = start_multi();
	uint32_t any = open_shared(w, NOADDR, 5000);
	uint32_t bound = open_shared(w, WORLD_IP, 5000);
	uint32_t conn;

	ck_assert_uint_eq(try_open(w, TOE_AF_INET, NOADDR, 5000, PEER_IP, 53,
				   TOE_UDP_F_REUSE, &conn), TOE_ST_OK);
	group_in(w, PEER_IP, 53, EVERYBODY, 5000, "one");
	group_in(w, PEER_IP, 53, SUBNET, 5000, "two");
	group_in(w, NOADDR, 68, EVERYBODY, 5000, "who am I");
	expect(w, any, 53, "one", 3);
	expect(w, any, 53, "two", 3);
	expect(w, any, 68, "who am I", 8);
	expect_nothing(w, bound);
	expect_nothing(w, conn);
	ck_assert_uint_eq(world_os_count(w), 3);
	world_run(w);
	world_expect_silence(w);
	world_free(w);
}
END_TEST

/* RFC 1122, 3.3.6: one host's datagram in everybody's frame. */
START_TEST(host_in_a_broadcast_frame)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);
	uint8_t d[64], f[128];
	size_t len = make(d, TOE_AF_INET, PEER_IP, 53, WORLD_IP, 5000, "x", 1,
			  true);

	len = world_make_ip(f, PEER_IP, WORLD_IP, 17, d, len);
	memset(f, 0xff, 6);
	world_in(w, f, len);
	expect_nothing(w, h);
	world_free(w);
}
END_TEST

START_TEST(broadcast_is_heard_here)
{
	struct world *w = start_multi();
	uint32_t a = open_at(w, NOADDR, 5000), b = open_at(w, NOADDR, 6000);

	toe_udp_setopt(w->n, a, TOE_OPT_UDP_BROADCAST, 1);
	toe_udp_setopt(w->n, a, TOE_OPT_UDP_MCAST_LOOP, 0);
	ck_assert_uint_eq(send4(w, a, SUBNET, 6000, "x", 1), TOE_ST_OK);
	world_run(w);
	expect(w, b, 5000, "x", 1);
	ck_assert_uint_eq(world_sent_count(w), 1);
	world_free(w);
}
END_TEST

/* RFC 3376 5.2: a general answer that waits is no reason to be late. */
START_TEST(a_group_asked_for_does_not_wait_for_the_general_answer)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);

	join_quiet(w, h, G1);
	query_in(w, 0xff, NOADDR, 12);	/* within 3174 s */
	query_in(w, 10, G1, 12);	/* within 1 s: the last member query */
	world_advance(w, SEC + MS);
	ck_assert_uint_eq(world_sent_count(w), 1);
	world_forget(w);
	world_free(w);
}
END_TEST

START_TEST(what_no_socket_had_room_for_is_not_counted)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);

	join_quiet(w, h, G1);
	toe_udp_setopt(w->n, h, TOE_OPT_UDP_RCVBUF, 0);
	for (int i = 0; i < 100; i++)
		group_in(w, PEER_IP, 53, G1, 5000, "x");
	ck_assert_uint_gt(world_counter(w, TOE_CTR_UDP_RX_FULL), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_UDP_GROUP_IN),
			  world_counter(w, TOE_CTR_UDP_IN));
	world_free(w);
}
END_TEST

START_TEST(without_link_nothing_counts_as_sent)
{
	struct world *w = start_multi();
	uint32_t h = open_at(w, NOADDR, 5000);

	toe_nop_neigh_del(w->n, TOE_AF_INET, PEER_IP);
	toe_nop_link(w->n, false);
	ck_assert_uint_eq(join(w, h, G1), TOE_ST_OK);
	send4(w, h, PEER_IP, 53, "x", 1);
	world_advance(w, 60 * SEC);
	ck_assert_uint_gt(world_counter(w, TOE_CTR_PORT_OUT_DROPS), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_IGMP_OUT), 0);
	ck_assert_uint_eq(world_counter(w, TOE_CTR_ARP_REQUESTS_OUT), 0);
	world_free(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("udp_group");
	SRunner *sr = srunner_create(s);
	TCase *tc;
	int failed;

	tc = tcase_create("members");
	tcase_add_test(tc, member_gets_what_is_sent_to_its_group);
	tcase_add_test(tc, every_member_gets_a_copy);
	tcase_add_test(tc, members_closed_meanwhile);
	tcase_add_test(tc, connected_member_hears_its_remote_only);
	tcase_add_test(tc, copies_are_within_each_ones_limits);
	tcase_add_test(tc, bad_datagrams_to_a_group);
	tcase_add_test(tc, fragments_to_a_group);
	tcase_add_test(tc, ipv6_members);
	tcase_add_test(tc, nothing_to_a_group_is_answered);
	tcase_add_test(tc, what_can_be_joined);
	tcase_add_test(tc, groups_are_bounded_and_come_back);
	tcase_add_test(tc, reset_forgets_groups);
	suite_add_tcase(s, tc);

	tc = tcase_create("igmp");
	tcase_add_test(tc, join_and_leave_are_reported_twice);
	tcase_add_test(tc, changes_of_several_are_one_packet);
	tcase_add_test(tc, rejoining_is_a_change_again);
	tcase_add_test(tc, all_hosts_is_never_reported);
	tcase_add_test(tc, queries_are_answered_and_go_on);
	tcase_add_test(tc, left_group_is_not_answered_for);
	tcase_add_test(tc, times_are_floating_point);
	tcase_add_test(tc, router_of_version_2);
	tcase_add_test(tc, router_of_version_1);
	tcase_add_test(tc, bad_queries);
	tcase_add_test(tc, flood_of_queries);
	tcase_add_test(tc, new_cable_new_routers);
	tcase_add_test(tc, many_groups_in_small_packets);
	suite_add_tcase(s, tc);

	tc = tcase_create("mld");
	tcase_add_test(tc, mld_join_query_leave);
	tcase_add_test(tc, mld_router_of_version_1);
	tcase_add_test(tc, mld_queries_that_do_not_count);
	tcase_add_test(tc, mld_of_a_host_is_not_reported);
	suite_add_tcase(s, tc);

	tc = tcase_create("out");
	tcase_add_test(tc, to_a_group);
	tcase_add_test(tc, to_an_ipv6_group);
	tcase_add_test(tc, members_here_hear_it_too);
	tcase_add_test(tc, large_to_a_group);
	tcase_add_test(tc, connected_to_a_group);
	suite_add_tcase(s, tc);

	tc = tcase_create("broadcast");
	tcase_add_test(tc, to_everybody_must_be_asked_for);
	tcase_add_test(tc, everybody_is_who_is_bound_to_any);
	tcase_add_test(tc, host_in_a_broadcast_frame);
	tcase_add_test(tc, broadcast_is_heard_here);
	tcase_add_test(tc,
		       a_group_asked_for_does_not_wait_for_the_general_answer);
	tcase_add_test(tc, what_no_socket_had_room_for_is_not_counted);
	tcase_add_test(tc, without_link_nothing_counts_as_sent);
	suite_add_tcase(s, tc);

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
