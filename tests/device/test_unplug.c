// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_unplug.c - the adapter goes while it works.
 *
 * It sits behind a root port, and the guest switches the slot's power off:
 * with connections open and timers armed, with frames that a busy backend
 * still holds, and from inside the adapter's own turn, by an interrupt whose
 * message is a write to the slot's control register.  QEMU must live, nothing
 * may be used after it is gone (a build with --enable-asan looks), and another
 * adapter must work in the same slot.
 */
#include "libpeer.h"

#include <stdlib.h>
#include <string.h>

#define ECAM		0xb0000000ull
#define SLTCTL		0x18		/* in the Express capability */
#define POWER_OFF	0x0700u		/* power controller, indicator: off */
#define POWER_ON	0x0100u

static struct net n;
static struct pci port;			/* the root port */
static struct tcp t;
static uint32_t h;

static uint8_t sltctl(void)
{
	return (uint8_t)(pci_cap(&port, PCI_CAP_EXPRESS) + SLTCTL);
}

static void power(uint32_t how)
{
	pci_writel(&port, sltctl(), how);
}

/* As a firmware would: bus 1 behind the port, windows for the BARs. */
static void open_port(void)
{
	struct pci mch = { .qt = n.hw.qt };

	port = (struct pci) { .qt = n.hw.qt, .devfn = 4 << 3 };
	pci_writel(&mch, 0x64, 0);
	pci_writel(&mch, 0x60, (uint32_t)ECAM | 1);
	pci_writel(&port, 0x18, 0x00010100);
	pci_writel(&port, 0x20, 0xe1f0e000);
	pci_writel(&port, 0x24, 0x0ff10001);
	pci_writel(&port, 0x28, 8);
	pci_writel(&port, 0x2c, 8);
	pci_writew(&port, PCI_CFG_COMMAND, 7);
}

static void use_adapter(void)
{
	n.hw.pci = (struct pci) { .qt = n.hw.qt, .bus = 1 };
	ck_assert_uint_eq(pci_readl(&n.hw.pci, PCI_CFG_VENDOR),
			  TOE_PCI_VENDOR_ID |
			  (uint32_t)TOE_PCI_DEVICE_ID << 16);
	pci_enable(&n.hw.pci);
	pci_msix_enable(&n.hw.pci);
	n.hw.aq_tail = 0;
	n.hw.acq_head = 0;
	hw_enable(&n.hw);
	ck_assert_uint_eq(hw_addr_add(&n.hw, DUT_IP, 24), TOE_ST_OK);
	hw_ctx_new(&n.hw, &n.ctx, 1, TOE_RIGHT_ETH);
}

static void setup(void)
{
	peer_open(&n.peer, &n.hw);
	n.hw.qt = qt_start("%s -global ICH9-LPC.acpi-pci-hotplug-with-"
			   "bridge-support=off -device pcie-root-port,id=rp0,chassis=1,addr=4 "
			   "-device toe,id=toe0,netdev=n0,bus=rp0,"
			   "mac=02:00:00:00:00:01,contexts=16,connections=64,"
			   "localmem=1M", n.peer.netdev);
	open_port();
	use_adapter();
	h = net_connect(&n, &t, 80, 100000);
}

/* It is gone, and nothing of it lives on. */
static void check_gone(void)
{
	int i;

	qt_settle(n.hw.qt);
	ck_assert_uint_eq(pci_readl(&n.hw.pci, PCI_CFG_VENDOR), 0xffffffff);
	for (i = 0; i < 10; i++)
		qt_clock_step(n.hw.qt, 10ll * 1000000000);
	tcp_send(&t, TH_ACK | TH_PSH, "still there?", 12);
	peer_flush(&n.peer);
	hw_reg(&n.hw, TOE_REG_STATUS);
	hw_ring_rq(&n.ctx);
	qt_alive(n.hw.qt);
}

/* A new one in the same slot, on the same backend. */
static void check_another(void)
{
	char *s = qt_qmp(n.hw.qt, "{\"execute\":\"device_add\",\"arguments\":"
			 "{\"driver\":\"toe\",\"id\":\"toe1\",\"bus\":\"rp0\","
			 "\"netdev\":\"n0\",\"mac\":\"02:00:00:00:00:01\"}}");
	struct pkt k;

	ck_assert_msg(strstr(s, "\"return\"") != NULL, "%s", s);
	free(s);
	power(POWER_ON);
	while (peer_poll(&n.peer, &k))
		;
	hw_ctx_free(&n.ctx);
	use_adapter();
	h = net_connect(&n, &t, 81, 100);
	ck_assert_uint_eq(hw_send(&n.ctx, h, "new", 3), TOE_ST_OK);
	tcp_expect(&t, TH_ACK, 3, NULL);
}

static void teardown(void)
{
	hw_ctx_free(&n.ctx);
	hw_stop(&n.hw);
	peer_close(&n.peer);
}

START_TEST(with_work_under_way)
{
	struct toe_hw_req r;

	/* Bytes in flight, more that wait, a SYN, a context that drains. */
	hw_connect_req(&r, PEER_IP, 90, 0, 0);
	hw_req(&n.ctx, &r);
	hw_send_req(&n.ctx, &r, h, 0, HW_DATA);
	hw_req(&n.ctx, &r);
	hw_ring_rq(&n.ctx);
	power(POWER_OFF);
	check_gone();
	check_another();
}
END_TEST

/* Put frames on the wire, which nobody reads, until one must wait. */
START_TEST(with_a_frame_in_the_backend)
{
	struct toe_hw_req r = { .opcode = TOE_OP_ETH_SEND, .npieces = 1 };
	struct toe_hw_cqe e;
	struct pkt k;
	uint8_t f[1500] = { 0 };
	unsigned sent;

	peer_eth(f, peer_mac, dut_mac, 0x88b5);
	hw_mem_write(&n.hw, &n.ctx.mem, n.ctx.data, f, sizeof(f));
	r.u.piece[0].key = n.ctx.mem.key;
	r.u.piece[0].length = sizeof(f);
	r.u.piece[0].offset = n.ctx.data;
	for (sent = 0; sent < 10000; sent++) {
		r.cookie = 0;
		hw_req(&n.ctx, &r);
		qt_settle(n.hw.qt);
		if (!hw_cq_poll(&n.ctx, &e))
			break;
	}
	ck_assert_uint_gt(sent, 1);
	ck_assert_uint_lt(sent, 10000);
	power(POWER_OFF);
	qt_settle(n.hw.qt);
	/* Now there is room for it: the backend looks at what it holds. */
	while (peer_poll(&n.peer, &k))
		;
	check_gone();
	check_another();
}
END_TEST

/* Vector's message is written to the slot's control register. */
static void aim(unsigned vector)
{
	pci_msix_set(&n.hw.pci, vector, ECAM + ((uint64_t)port.devfn << 12) +
		     sltctl(), POWER_OFF);
}

START_TEST(by_its_own_admin_interrupt)
{
	struct toe_hw_adm_cmd nop = { .opcode = TOE_ADM_NOP };

	aim(0);
	hw_admin_post(&n.hw, &nop);
	check_gone();
	check_another();
}
END_TEST

START_TEST(by_its_own_completion)
{
	struct toe_hw_req r = { .opcode = TOE_OP_NOP };

	aim(n.ctx.vector);
	hw_cq_arm(&n.ctx);
	hw_req(&n.ctx, &r);
	check_gone();
	check_another();
}
END_TEST

/* The interrupt comes in the main loop: a frame's turn. */
START_TEST(by_a_frame)
{
	aim(n.ctx.vector);
	hw_cq_arm(&n.ctx);
	tcp_send(&t, TH_ACK | TH_PSH, "hello", 5);
	peer_flush(&n.peer);
	check_gone();
	check_another();
}
END_TEST

/* In the middle of a turn: a context that stops, with work behind it. */
START_TEST(by_a_fault)
{
	struct toe_hw_req r;

	aim(n.ctx.vector);
	hw_send_req(&n.ctx, &r, h, 0, 1000);
	hw_req_put(&n.ctx, &r);
	hw_mem_writel(&n.hw, &n.ctx.mem, n.ctx.page + 8, 0x80000000);
	hw_ring_rq(&n.ctx);
	check_gone();
	check_another();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("unplug");
	TCase *tc = qt_case(s, "unplug", setup, teardown);

	tcase_add_test(tc, with_work_under_way);
	tcase_add_test(tc, with_a_frame_in_the_backend);
	tcase_add_test(tc, by_its_own_admin_interrupt);
	tcase_add_test(tc, by_its_own_completion);
	tcase_add_test(tc, by_a_frame);
	tcase_add_test(tc, by_a_fault);
	return qt_main(s);
}
