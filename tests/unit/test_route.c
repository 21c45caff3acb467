/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_route.c - addresses, routes and the choice of a source.
 */
#include <stdlib.h>
#include "fake_tcp.h"

static struct world *w;

static void setup(void)
{
	fake_tcp_clear();
	w = world_new_bare();
}

static void teardown(void)
{
	world_free(w);
}

static void addr_add(const uint8_t *addr, uint8_t prefix)
{
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, addr, prefix),
			  TOE_ST_OK);
}

static void route_add(const uint8_t *dst, uint8_t prefix, const uint8_t *gw,
		      uint32_t metric)
{
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET, dst, prefix,
					    gw, metric), TOE_ST_OK);
}

/* dst goes to this neighbour; NULL: nowhere. */
static void expect_hop(const uint8_t *dst, const uint8_t *want)
{
	uint8_t hop[16];
	bool found = toe_route_next_hop(w->n, TOE_AF_INET, dst, hop);

	ck_assert_int_eq(found, want != NULL);
	if (want)
		ck_assert_mem_eq(hop, want, 16);
}

static uint8_t route_to(const uint8_t *dst, uint8_t *laddr)
{
	memset(laddr, 0, 16);
	return toe_ip_route(w->n, TOE_AF_INET, dst, laddr, NULL);
}

START_TEST(test_nothing)
{
	uint8_t laddr[16];

	expect_hop(IP(10, 0, 2, 2), NULL);
	ck_assert_uint_eq(route_to(IP(10, 0, 2, 2), laddr), TOE_ST_NOROUTE);
}
END_TEST

START_TEST(test_connected)
{
	uint8_t laddr[16];
	uint32_t mtu = 0;

	addr_add(IP(10, 0, 2, 15), 24);
	expect_hop(IP(10, 0, 2, 2), IP(10, 0, 2, 2));
	expect_hop(IP(10, 0, 3, 2), NULL);
	memset(laddr, 0, 16);
	ck_assert_uint_eq(toe_ip_route(w->n, TOE_AF_INET, IP(10, 0, 2, 2),
				       laddr, &mtu), TOE_ST_OK);
	ck_assert_mem_eq(laddr, IP(10, 0, 2, 15), 16);
	ck_assert_uint_eq(mtu, 1500);
	ck_assert(toe_route_on_link(w->n, TOE_AF_INET, IP(10, 0, 2, 2)));
	ck_assert(!toe_route_on_link(w->n, TOE_AF_INET, IP(10, 0, 3, 2)));
}
END_TEST

START_TEST(test_longest_prefix)
{
	addr_add(IP(10, 0, 2, 15), 24);
	/* In an order that a table without sorting would get wrong. */
	route_add(IP(0, 0, 0, 0), 0, IP(10, 0, 2, 2), 0);
	route_add(IP(192, 168, 7, 9), 32, IP(10, 0, 2, 5), 1000);
	route_add(IP(192, 168, 0, 0), 16, IP(10, 0, 2, 3), 0);
	route_add(IP(192, 168, 7, 0), 24, IP(10, 0, 2, 4), 0);
	expect_hop(IP(8, 8, 8, 8), IP(10, 0, 2, 2));
	expect_hop(IP(192, 168, 1, 1), IP(10, 0, 2, 3));
	expect_hop(IP(192, 168, 7, 1), IP(10, 0, 2, 4));
	expect_hop(IP(192, 168, 7, 9), IP(10, 0, 2, 5));
	expect_hop(IP(10, 0, 2, 77), IP(10, 0, 2, 77));
	ck_assert(!toe_route_on_link(w->n, TOE_AF_INET, IP(8, 8, 8, 8)));
}
END_TEST

START_TEST(test_metric)
{
	addr_add(IP(10, 0, 2, 15), 24);
	route_add(IP(0, 0, 0, 0), 0, IP(10, 0, 2, 2), 100);
	route_add(IP(0, 0, 0, 0), 0, IP(10, 0, 2, 3), 50);
	route_add(IP(0, 0, 0, 0), 0, IP(10, 0, 2, 4), 70);
	expect_hop(IP(8, 8, 8, 8), IP(10, 0, 2, 3));
	ck_assert_uint_eq(toe_nop_route_del(w->n, TOE_AF_INET, IP(0, 0, 0, 0),
					    0, IP(10, 0, 2, 3), 50),
			  TOE_ST_OK);
	expect_hop(IP(8, 8, 8, 8), IP(10, 0, 2, 4));
	/* Another metric is another route. */
	ck_assert_uint_eq(toe_nop_route_del(w->n, TOE_AF_INET, IP(0, 0, 0, 0),
					    0, IP(10, 0, 2, 4), 71),
			  TOE_ST_NOROUTE);
}
END_TEST

START_TEST(test_host_bits)
{
	addr_add(IP(10, 0, 2, 15), 24);
	/* Bits behind the prefix do not count, in add and del alike. */
	route_add(IP(172, 16, 5, 77), 16, IP(10, 0, 2, 3), 0);
	expect_hop(IP(172, 16, 200, 1), IP(10, 0, 2, 3));
	route_add(IP(172, 16, 0, 0), 16, IP(10, 0, 2, 3), 0);
	ck_assert_uint_eq(w->n->nroutes, 2);
	ck_assert_uint_eq(toe_nop_route_del(w->n, TOE_AF_INET,
					    IP(172, 16, 9, 9), 16,
					    IP(10, 0, 2, 3), 0), TOE_ST_OK);
	expect_hop(IP(172, 16, 200, 1), NULL);
}
END_TEST

START_TEST(test_on_link_route)
{
	uint8_t laddr[16];

	addr_add(IP(10, 0, 2, 15), 32);
	route_add(IP(10, 9, 0, 0), 16, IP(0, 0, 0, 0), 0);
	expect_hop(IP(10, 9, 1, 1), IP(10, 9, 1, 1));
	ck_assert_uint_eq(route_to(IP(10, 9, 1, 1), laddr), TOE_ST_OK);
	ck_assert_mem_eq(laddr, IP(10, 0, 2, 15), 16);
}
END_TEST

START_TEST(test_source_choice)
{
	uint8_t laddr[16];

	addr_add(IP(10, 0, 2, 15), 24);
	addr_add(IP(10, 5, 0, 1), 16);
	addr_add(IP(10, 5, 6, 1), 24);
	route_add(IP(0, 0, 0, 0), 0, IP(10, 5, 0, 254), 0);
	ck_assert_uint_eq(route_to(IP(10, 0, 2, 2), laddr), TOE_ST_OK);
	ck_assert_mem_eq(laddr, IP(10, 0, 2, 15), 16);
	/* By the gateway's subnet, not by the first address. */
	ck_assert_uint_eq(route_to(IP(8, 8, 8, 8), laddr), TOE_ST_OK);
	ck_assert_mem_eq(laddr, IP(10, 5, 0, 1), 16);
	/* The narrower subnet. */
	ck_assert_uint_eq(route_to(IP(10, 5, 6, 9), laddr), TOE_ST_OK);
	ck_assert_mem_eq(laddr, IP(10, 5, 6, 1), 16);
	/* What is given stays, if it is ours. */
	memcpy(laddr, IP(10, 0, 2, 15), 16);
	ck_assert_uint_eq(toe_ip_route(w->n, TOE_AF_INET, IP(8, 8, 8, 8),
				       laddr, NULL), TOE_ST_OK);
	ck_assert_mem_eq(laddr, IP(10, 0, 2, 15), 16);
	memcpy(laddr, IP(10, 0, 2, 16), 16);
	ck_assert_uint_eq(toe_ip_route(w->n, TOE_AF_INET, IP(8, 8, 8, 8),
				       laddr, NULL), TOE_ST_ADDRNOTAVAIL);
}
END_TEST

START_TEST(test_no_source)
{
	uint8_t laddr[16];

	route_add(IP(10, 9, 0, 0), 16, IP(0, 0, 0, 0), 0);
	ck_assert_uint_eq(route_to(IP(10, 9, 1, 1), laddr),
			  TOE_ST_ADDRNOTAVAIL);
}
END_TEST

START_TEST(test_not_unicast)
{
	const uint8_t *bad[] = {
		IP(255, 255, 255, 255), IP(224, 0, 0, 1), IP(0, 0, 0, 0),
		IP(127, 0, 0, 1), IP(240, 0, 0, 1), IP(10, 0, 2, 255),
		IP(10, 0, 2, 0),
	};
	uint8_t laddr[16];
	size_t i;

	addr_add(IP(10, 0, 2, 15), 24);
	route_add(IP(0, 0, 0, 0), 0, IP(10, 0, 2, 2), 0);
	for (i = 0; i < G_N_ELEMENTS(bad); i++)
		ck_assert_msg(route_to(bad[i], laddr) == TOE_ST_NOROUTE,
			      "case %zu", i);
}
END_TEST

START_TEST(test_point_to_point)
{
	uint8_t laddr[16];

	/* In a /31 both addresses are hosts (RFC 3021). */
	addr_add(IP(10, 0, 0, 0), 31);
	ck_assert_uint_eq(route_to(IP(10, 0, 0, 1), laddr), TOE_ST_OK);
}
END_TEST

START_TEST(test_addr_bad)
{
	const uint8_t *bad[] = {
		IP(0, 0, 0, 0), IP(127, 0, 0, 1), IP(224, 0, 0, 5),
		IP(255, 255, 255, 255), ((const uint8_t[16]){ 10, 0, 0, 1, 1 }),
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++)
		ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, bad[i],
						   24), TOE_ST_INVALID);
	ck_assert_uint_eq(w->guest_errors, G_N_ELEMENTS(bad));
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, IP(10, 0, 0, 1),
					   33), TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET6,
					   IP(10, 0, 0, 1), 129),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_addr_add(w->n, 77, IP(10, 0, 0, 1), 24),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(w->n->naddrs, 0);
}
END_TEST

START_TEST(test_addr_twice)
{
	addr_add(IP(10, 0, 2, 15), 24);
	addr_add(IP(10, 0, 2, 15), 24);
	ck_assert_uint_eq(w->n->naddrs, 1);
	ck_assert_uint_eq(w->n->nroutes, 1);
}
END_TEST

START_TEST(test_addr_del)
{
	addr_add(IP(10, 0, 2, 15), 24);
	addr_add(IP(10, 0, 2, 16), 24);
	addr_add(IP(10, 0, 2, 15), 25);
	ck_assert_uint_eq(toe_nop_addr_del(w->n, TOE_AF_INET,
					   IP(10, 0, 2, 15), 24), TOE_ST_OK);
	/* Still ours by the /25, and .16 still has the /24. */
	ck_assert(toe_ip_is_local(w->n, TOE_AF_INET, IP(10, 0, 2, 15)));
	ck_assert_uint_eq(fake_tcp.gone, 0);
	expect_hop(IP(10, 0, 2, 200), IP(10, 0, 2, 200));
	ck_assert_uint_eq(toe_nop_addr_del(w->n, TOE_AF_INET,
					   IP(10, 0, 2, 16), 24), TOE_ST_OK);
	expect_hop(IP(10, 0, 2, 200), NULL);
	expect_hop(IP(10, 0, 2, 20), IP(10, 0, 2, 20));
	ck_assert_uint_eq(fake_tcp.gone, 1);
	ck_assert_mem_eq(fake_tcp.gone_addr, IP(10, 0, 2, 16), 16);
	ck_assert_uint_eq(toe_nop_addr_del(w->n, TOE_AF_INET,
					   IP(10, 0, 2, 15), 25), TOE_ST_OK);
	ck_assert(!toe_ip_is_local(w->n, TOE_AF_INET, IP(10, 0, 2, 15)));
	ck_assert_uint_eq(fake_tcp.gone, 2);
	ck_assert_uint_eq(w->n->nroutes, 0);
	ck_assert_uint_eq(toe_nop_addr_del(w->n, TOE_AF_INET,
					   IP(10, 0, 2, 15), 25),
			  TOE_ST_ADDRNOTAVAIL);
}
END_TEST

/* The host's own on-link route outlives the address that implied the same. */
START_TEST(test_connected_is_apart)
{
	addr_add(IP(10, 0, 2, 15), 24);
	route_add(IP(10, 0, 2, 0), 24, IP(0, 0, 0, 0), 0);
	ck_assert_uint_eq(w->n->nroutes, 2);
	ck_assert_uint_eq(toe_nop_route_del(w->n, TOE_AF_INET,
					    IP(10, 0, 2, 0), 24,
					    IP(0, 0, 0, 0), 0), TOE_ST_OK);
	expect_hop(IP(10, 0, 2, 2), IP(10, 0, 2, 2));
}
END_TEST

START_TEST(test_limits)
{
	uint32_t i;
	uint8_t st;

	for (i = 0; i < TOE_ADDRS_MAX; i++)
		addr_add(IP(10, 1, i, 1), 32);
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, IP(10, 2, 0, 1),
					   32), TOE_ST_NOMEM);
	for (i = 0; w->n->nroutes < TOE_ROUTES_MAX; i++)
		route_add(IP(172, i >> 8, i, 0), 24, IP(10, 1, 0, 1), 0);
	st = toe_nop_route_add(w->n, TOE_AF_INET, IP(9, 0, 0, 0), 8,
			       IP(10, 1, 0, 1), 0);
	ck_assert_uint_eq(st, TOE_ST_NOMEM);
	ck_assert_uint_eq(w->n->nroutes, TOE_ROUTES_MAX);
	/* No place for its route: the address is not there either. */
	ck_assert_uint_eq(toe_nop_addr_del(w->n, TOE_AF_INET, IP(10, 1, 0, 1),
					   32), TOE_ST_OK);
	route_add(IP(9, 0, 0, 0), 8, IP(10, 1, 1, 1), 0);
	ck_assert_uint_eq(toe_nop_addr_add(w->n, TOE_AF_INET, IP(10, 2, 0, 1),
					   32), TOE_ST_NOMEM);
	ck_assert(!toe_ip_is_local(w->n, TOE_AF_INET, IP(10, 2, 0, 1)));
}
END_TEST

START_TEST(test_route_bad)
{
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET,
					    IP(10, 0, 0, 0), 33,
					    IP(10, 0, 0, 1), 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET,
					    IP(10, 0, 0, 0), 8,
					    IP(224, 0, 0, 1), 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(toe_nop_route_add(w->n, TOE_AF_INET6,
					    IP(10, 0, 0, 0), 129,
					    IP(10, 0, 0, 1), 0),
			  TOE_ST_INVALID);
	ck_assert_uint_eq(w->n->nroutes, 0);
	ck_assert_uint_eq(w->guest_errors, 3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("route");
	TCase *t = tcase_create("route");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_nothing);
	tcase_add_test(t, test_connected);
	tcase_add_test(t, test_longest_prefix);
	tcase_add_test(t, test_metric);
	tcase_add_test(t, test_host_bits);
	tcase_add_test(t, test_on_link_route);
	tcase_add_test(t, test_source_choice);
	tcase_add_test(t, test_no_source);
	tcase_add_test(t, test_not_unicast);
	tcase_add_test(t, test_point_to_point);
	tcase_add_test(t, test_addr_bad);
	tcase_add_test(t, test_addr_twice);
	tcase_add_test(t, test_addr_del);
	tcase_add_test(t, test_connected_is_apart);
	tcase_add_test(t, test_limits);
	tcase_add_test(t, test_route_bad);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
