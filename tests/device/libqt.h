/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libqt.h - a small client of QEMU's qtest protocol, and of QMP.
 *
 * A device test has no guest: it starts the QEMU named by $TOE_QEMU with
 * `-accel qtest`, is itself the processor (memory, I/O ports, clock), and asks
 * the monitor over QMP.  The virtual clock stands still except in
 * qt_clock_step(), so nothing here depends on how fast the machine is.
 *
 * Every wait ends after QT_LIMIT_MS with a failed test: a QEMU that hangs and
 * a QEMU that died are test failures, and what QEMU wrote to its standard
 * error is shown.  A wait is never a sleep; it asks QEMU again, and each
 * question makes QEMU's main loop turn.
 */
#ifndef LIBQT_H
#define LIBQT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QT_LIMIT_MS	60000		/* of any one wait, real time */
#define QT_CASE_SECONDS	240		/* of any one test, see qt_main() */
#define QT_RAM_SIZE	(64u << 20)	/* guest RAM, from address 0 */

struct qt;

/*
 * Start QEMU: machine q35, QT_RAM_SIZE of RAM, no default devices, and the
 * arguments of fmt (printf), which are split at blanks.  Fails the test if
 * QEMU does not come up.  Free with qt_stop().
 */
struct qt *qt_start(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* End QEMU and free q.  Fails the test if QEMU had crashed before. */
void qt_stop(struct qt *q);

/* A folder of this test's own; removed when the program ends. */
const char *qt_dir(void);

/* Guest physical memory and MMIO. */
uint8_t qt_readb(struct qt *q, uint64_t addr);
uint16_t qt_readw(struct qt *q, uint64_t addr);
uint32_t qt_readl(struct qt *q, uint64_t addr);
uint64_t qt_readq(struct qt *q, uint64_t addr);
void qt_writeb(struct qt *q, uint64_t addr, uint8_t value);
void qt_writew(struct qt *q, uint64_t addr, uint16_t value);
void qt_writel(struct qt *q, uint64_t addr, uint32_t value);
void qt_writeq(struct qt *q, uint64_t addr, uint64_t value);
void qt_read(struct qt *q, uint64_t addr, void *buf, size_t len);
void qt_write(struct qt *q, uint64_t addr, const void *buf, size_t len);
void qt_memset(struct qt *q, uint64_t addr, uint8_t value, size_t len);

/* I/O ports. */
uint32_t qt_inl(struct qt *q, uint16_t port);
void qt_outl(struct qt *q, uint16_t port, uint32_t value);
void qt_outb(struct qt *q, uint16_t port, uint8_t value);

/* Move the virtual clock by ns; timers that fall due run.  The new time. */
int64_t qt_clock_step(struct qt *q, int64_t ns);

/*
 * Let QEMU's main loop turn until what it was told has been done: bottom
 * halves, frames in its sockets.  What is still to come after this would need
 * the clock to move or another frame to arrive.
 */
void qt_settle(struct qt *q);

/*
 * Real time left of a wait that began at t0 = qt_now_ms(): false when the
 * limit has passed.  Turns the main loop once.
 */
int64_t qt_now_ms(void);
bool qt_wait_more(struct qt *q, int64_t t0);

/* Wait until cond is true; fails the test with what is missing. */
#define QT_WAIT(q, cond) do { \
	int64_t qt_t0_ = qt_now_ms(); \
	while (!(cond)) { \
		if (!qt_wait_more((q), qt_t0_)) \
			ck_abort_msg("waited in vain for: %s", #cond); \
	} \
} while (0)

/*
 * One QMP command, given as JSON.  The answer is a string that is the
 * caller's to free(), {"return": ...} or {"error": ...}.
 */
char *qt_qmp(struct qt *q, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* An integer member of a JSON object (any depth, first match). */
bool qt_json_u64(const char *json, const char *member, uint64_t *value);

/* Is QEMU alive and does it answer?  Fails the test if not. */
void qt_alive(struct qt *q);

/*
 * Run $TOE_QEMU with these arguments until it ends by itself.  Gives its exit
 * status (128 + signal after a signal), and in *out what it wrote to both
 * standard output and standard error; the caller's to free().
 */
int qt_run(char **out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A test case of the suite with the time limit of device tests; setup and
 * teardown (NULL: none) run around each of its tests.
 */
TCase *qt_case(Suite *s, const char *name, SFun setup, SFun teardown);

/*
 * main() of a test program: runs the suite (every test in a process of its
 * own), prints the command that runs a failed test alone, removes the
 * program's folder.  Gives the exit status.  Without $TOE_QEMU it says so and
 * fails: a device test that silently did not run would look like success.
 */
int qt_main(Suite *s);

#endif
