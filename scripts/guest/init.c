/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process of the guest that scripts/toe-vm boots.
 *
 * It lives alone in a small initramfs with a few kernel modules. It mounts the host's file system (9p, read-only) under a
 * tmpfs overlay as the root, brings up the network, runs one command, and tells the host how that ended.
 *
 * Talking to the host: four virtio-serial ports, found by name.
 *   toe.in   the command's standard input
 *   toe.out  the command's standard output (and, with a terminal, all of it)
 *   toe.err  the command's standard error
 *   toe.ctl  lines to the host: "ready", "warn TEXT", "fail TEXT", "exit STATUS OUT ERR" (how many
 *            bytes were written to the two ports); from the host: "winsize ROWS COLUMNS"
 * The command itself gets pipes or a pseudo-terminal, so that it may reopen /dev/stdout and the like.
 *
 * What to do comes in /toe.conf of the initramfs: strings that end with NUL, "name=value". See read_config().
 *
 * Run as "dhcp INTERFACE" it is a small DHCP client (toe-vm leaves it as /run/toe/dhcp in the guest).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS 4096
#define RELAY_BUFFER 65536

static int ctl_fd = -1;

/* ------------------------------------------------------------------ telling the host */

static void tell(const char *kind, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN) {
				struct pollfd p = { .fd = fd, .events = POLLOUT };

				poll(&p, 1, 1000);
				continue;
			}
			return;
		}
		data += n;
		len -= n;
	}
}

static void tell(const char *kind, const char *fmt, ...)
{
	char text[1024];
	char line[1100];
	va_list args;
	int len;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	len = snprintf(line, sizeof(line), "%s%s%s\n", kind, *text ? " " : "", text);
	if (ctl_fd >= 0)
		write_all(ctl_fd, line, len);
	/* Without the port the console is all there is. */
	if (ctl_fd < 0 || strcmp(kind, "fail") == 0)
		dprintf(2, "toe-init: %s", line);
}

static void stop(void)
{
	/* The host ends QEMU as soon as it has read the last line; the power-off is for a host that does not. */
	sync();
	sleep(10);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

#define fail(...)                        \
	do {                             \
		tell("fail", __VA_ARGS__); \
		stop();                  \
	} while (0)

/* ------------------------------------------------------------------ configuration */

static struct config {
	char *argv[MAX_ARGS];
	int argc;
	char *env[MAX_ARGS];
	int nenv;
	char *cwd;
	char *rw[64];	     /* "TAG PATH" */
	int nrw;
	char *modules_tag;   /* 9p tag of lib/modules */
	char *module[64];    /* to load once the root is there; "?NAME" may be missing */
	int nmodule;
	bool toe;	     /* toe.ko is at /toe.ko and must bind to a device */
	char *toe_missing;   /* why there is no toe.ko */
	char *toe_ip;	     /* "dhcp", "none" or "ADDR/LEN[,GW]" */
	char *second_ip;
	bool tty;
	int rows, columns;
} config;

static char *read_whole(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *data = NULL;
	size_t len = 0, cap = 0;

	if (fd < 0)
		return NULL;
	for (;;) {
		ssize_t n;

		if (cap - len < 4096) {
			cap = cap ? cap * 2 : 65536;
			data = realloc(data, cap + 1);
			if (!data)
				abort();
		}
		n = read(fd, data + len, cap - len);
		if (n <= 0)
			break;
		len += n;
	}
	close(fd);
	data[len] = 0;
	if (size)
		*size = len;
	return data;
}

static void read_config(void)
{
	size_t size;
	char *data = read_whole("/toe.conf", &size);
	char *p;

	if (!data)
		fail("the initramfs has no /toe.conf; boot it with scripts/toe-vm");
	for (p = data; p < data + size; p += strlen(p) + 1) {
		char *value = strchr(p, '=');

		if (!value)
			continue;
		value++;
#define IS(name) (strncmp(p, name "=", sizeof(name)) == 0)
		if (IS("arg") && config.argc < MAX_ARGS - 1)
			config.argv[config.argc++] = value;
		else if (IS("env") && config.nenv < MAX_ARGS - 1)
			config.env[config.nenv++] = value;
		else if (IS("cwd"))
			config.cwd = value;
		else if (IS("rw") && config.nrw < 64)
			config.rw[config.nrw++] = value;
		else if (IS("modules"))
			config.modules_tag = value;
		else if (IS("module") && config.nmodule < 64)
			config.module[config.nmodule++] = value;
		else if (IS("toe"))
			config.toe = value[0] == '1';
		else if (IS("toe-missing"))
			config.toe_missing = value;
		else if (IS("toe-ip"))
			config.toe_ip = value;
		else if (IS("second-ip"))
			config.second_ip = value;
		else if (IS("tty"))
			config.tty = value[0] == '1';
		else if (IS("winsize"))
			sscanf(value, "%d %d", &config.rows, &config.columns);
#undef IS
	}
}

/* ------------------------------------------------------------------ modules */

/* Loads PATH; a module that is there already is fine. Returns 0 or -errno. */
static int load_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0);
	if (ret < 0)
		ret = errno == EEXIST ? 0 : -errno;
	close(fd);
	return ret;
}

/*
 * Loads a module and what it needs. /modules.list of the initramfs has a line "NAME FILE FILE..." for each module it holds, in the
 * order in which the files are to be loaded. -ENOENT for a name that is not there: built into the kernel, or not packed.
 */
static int load_module(const char *name)
{
	static char *list;
	char *line;
	size_t len = strlen(name);

	if (!list)
		list = read_whole("/modules.list", NULL);
	if (!list)
		return -ENOENT;
	for (line = list; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		char *end = strchrnul(line, '\n');
		char *copy, *save = NULL, *file;
		int ret = 0;

		if (strncmp(line, name, len) != 0 || (line[len] != ' ' && line[len] != '\n'))
			continue;
		copy = strndup(line + len, end - line - len);
		for (file = strtok_r(copy, " ", &save); file; file = strtok_r(NULL, " ", &save)) {
			char path[512];

			snprintf(path, sizeof(path), "/modules/%s", file);
			ret = load_file(path);
			if (ret)
				break;
		}
		free(copy);
		return ret;
	}
	return -ENOENT;
}

/* ------------------------------------------------------------------ ports */

static int open_port(const char *name)
{
	int tries;

	for (tries = 0; tries < 200; tries++) {
		DIR *dir = opendir("/sys/class/virtio-ports");
		struct dirent *entry;

		while (dir && (entry = readdir(dir))) {
			char path[600], *text;
			size_t size;
			int fd = -1;

			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
			text = read_whole(path, &size);
			if (!text)
				continue;
			text[strcspn(text, "\n")] = 0;
			if (strcmp(text, name) == 0) {
				snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
				fd = open(path, O_RDWR | O_CLOEXEC);
			}
			free(text);
			if (fd >= 0) {
				closedir(dir);
				return fd;
			}
		}
		if (dir)
			closedir(dir);
		usleep(5000);
	}
	return -1;
}

/* ------------------------------------------------------------------ files */

static void make_dirs(const char *path)
{
	char copy[4096];
	char *p;

	snprintf(copy, sizeof(copy), "%s", path);
	for (p = copy + 1; *p; p++) {
		if (*p == '/') {
			*p = 0;
			mkdir(copy, 0755);
			*p = '/';
		}
	}
	mkdir(copy, 0755);
}

static void write_file(const char *path, const char *text)
{
	int fd;

	/* A link may lead nowhere here (resolv.conf into /run). */
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0) {
		write_all(fd, text, strlen(text));
		close(fd);
	}
}

static void write_file_at(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		write_all(fd, text, strlen(text));
		close(fd);
	}
}

static void copy_file(const char *from, const char *to, mode_t mode)
{
	size_t size;
	char *data = read_whole(from, &size);
	int fd = data ? open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode) : -1;

	if (fd >= 0) {
		write_all(fd, data, size);
		close(fd);
	}
	free(data);
}

static int mount_9p(const char *tag, const char *dir, unsigned long flags, const char *cache)
{
	char options[128];

	snprintf(options, sizeof(options), "trans=virtio,version=9p2000.L,msize=512000,cache=%s", cache);
	return mount(tag, dir, "9p", flags, options);
}

static void mount_root(void)
{
	int i;

	mkdir("/lower", 0755);
	mkdir("/top", 0755);
	mkdir("/root", 0755);
	if (mount_9p("toe-root", "/lower", MS_RDONLY, "loose") < 0)
		fail("cannot mount the host's file system over 9p: %s", strerror(errno));
	if (mount("tmpfs", "/top", "tmpfs", 0, "mode=755") < 0)
		fail("cannot mount a tmpfs: %s", strerror(errno));
	mkdir("/top/upper", 0755);
	mkdir("/top/work", 0755);
	if (mount("overlay", "/root", "overlay", 0, "lowerdir=/lower,upperdir=/top/upper,workdir=/top/work") < 0)
		fail("cannot mount the overlay over the host's file system: %s", strerror(errno));

	static const char *const dirs[] = { "/root/proc", "/root/sys", "/root/dev", "/root/run", "/root/tmp" };

	for (i = 0; i < 5; i++)
		mkdir(dirs[i], 0755);
	if (mount("/proc", "/root/proc", NULL, MS_MOVE, NULL) < 0 || mount("/sys", "/root/sys", NULL, MS_MOVE, NULL) < 0 ||
	    mount("/dev", "/root/dev", NULL, MS_MOVE, NULL) < 0)
		fail("cannot move /proc, /sys and /dev into the new root: %s", strerror(errno));
	if (mount("tmpfs", "/root/run", "tmpfs", 0, "mode=755") < 0)
		fail("cannot mount a tmpfs on /run: %s", strerror(errno));
	chmod("/root/tmp", 01777);
	mkdir("/root/run/lock", 01777);
	mkdir("/root/run/toe", 0755);
	copy_file("/init", "/root/run/toe/init", 0755);
	symlink("init", "/root/run/toe/dhcp");
	if (config.toe)
		copy_file("/toe.ko", "/root/run/toe/toe.ko", 0644);

	mkdir("/root/dev/pts", 0755);
	mount("devpts", "/root/dev/pts", "devpts", 0, "mode=620,ptmxmode=666");
	mkdir("/root/dev/shm", 01777);
	mount("tmpfs", "/root/dev/shm", "tmpfs", 0, "mode=1777");
	symlink("/proc/self/fd", "/root/dev/fd");
	symlink("/proc/self/fd/0", "/root/dev/stdin");
	symlink("/proc/self/fd/1", "/root/dev/stdout");
	symlink("/proc/self/fd/2", "/root/dev/stderr");

	if (config.modules_tag) {
		/* /lib may be a link to usr/lib; go through it inside the new root. */
		struct stat st;
		const char *dir = lstat("/root/lib", &st) == 0 && S_ISLNK(st.st_mode) ? "/root/usr/lib/modules" :
											"/root/lib/modules";

		make_dirs(dir);
		mount_9p(config.modules_tag, dir, MS_RDONLY, "loose");
	}
	for (i = 0; i < config.nrw; i++) {
		char *path = strchr(config.rw[i], ' ');
		char where[4096];

		*path++ = 0;
		snprintf(where, sizeof(where), "/root%s", path);
		make_dirs(where);
		/* Both sides write here: nothing is kept that the other side could change. */
		if (mount_9p(config.rw[i], where, 0, "mmap") < 0)
			fail("cannot mount the shared folder '%s': %s", path, strerror(errno));
	}
}

static void enter_root(void)
{
	if (chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		fail("cannot make the overlay the root: %s", strerror(errno));
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL);
}

/* ------------------------------------------------------------------ network */

static int set_flags(int fd, const char *name, short flags)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		return -errno;
	ifr.ifr_flags |= flags;
	return ioctl(fd, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
}

static int set_address(int fd, const char *name, struct in_addr addr, struct in_addr mask)
{
	struct ifreq ifr = { 0 };
	struct sockaddr_in *sin = (struct sockaddr_in *)&ifr.ifr_addr;

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	sin->sin_family = AF_INET;
	sin->sin_addr = addr;
	if (ioctl(fd, SIOCSIFADDR, &ifr) < 0)
		return -errno;
	sin->sin_addr = mask;
	return ioctl(fd, SIOCSIFNETMASK, &ifr) < 0 ? -errno : 0;
}

static int add_default_route(int fd, const char *name, struct in_addr gateway, int metric)
{
	struct rtentry rt = { 0 };

	((struct sockaddr_in *)&rt.rt_dst)->sin_family = AF_INET;
	((struct sockaddr_in *)&rt.rt_genmask)->sin_family = AF_INET;
	((struct sockaddr_in *)&rt.rt_gateway)->sin_family = AF_INET;
	((struct sockaddr_in *)&rt.rt_gateway)->sin_addr = gateway;
	rt.rt_flags = RTF_UP | RTF_GATEWAY;
	rt.rt_metric = metric + 1;
	rt.rt_dev = (char *)name;
	return ioctl(fd, SIOCADDRT, &rt) < 0 && errno != EEXIST ? -errno : 0;
}

struct dhcp_packet {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[16], sname[64], file[128];
	uint32_t cookie;
	uint8_t options[312];
} __attribute__((packed));

struct lease {
	struct in_addr addr, mask, gateway, dns, server;
	uint16_t mtu;
};

static int dhcp_parse(const struct dhcp_packet *p, size_t len, uint32_t xid, struct lease *lease)
{
	const uint8_t *o = p->options, *end = (const uint8_t *)p + len;
	int type = 0;

	if (len < offsetof(struct dhcp_packet, options) || p->op != 2 || p->xid != xid || p->cookie != htonl(0x63825363))
		return 0;
	lease->addr.s_addr = p->yiaddr;
	while (o < end && *o != 255) {
		if (*o == 0) {
			o++;
			continue;
		}
		if (o + 2 > end || o + 2 + o[1] > end)
			break;
		if (o[0] == 53 && o[1] >= 1)
			type = o[2];
		if (o[1] >= 4) {
			struct in_addr *to = o[0] == 1	? &lease->mask :
					     o[0] == 3	? &lease->gateway :
					     o[0] == 6	? &lease->dns :
					     o[0] == 54 ? &lease->server :
							  NULL;

			if (to)
				memcpy(to, o + 2, 4);
		}
		if (o[0] == 26 && o[1] == 2)
			lease->mtu = o[2] << 8 | o[3];
		o += 2 + o[1];
	}
	return type;
}

/* One DISCOVER/OFFER/REQUEST/ACK. Returns 0, or -errno; -ETIMEDOUT when no server answers within the tries. */
static int dhcp(const char *name, struct lease *lease)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(67), .sin_addr.s_addr = INADDR_BROADCAST };
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(68) };
	struct ifreq ifr = { 0 };
	uint32_t xid = 0;
	int one = 1, try, ret = -ETIMEDOUT, state = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, strlen(name) + 1) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0 || ioctl(fd, SIOCGIFHWADDR, &ifr) < 0) {
		ret = -errno;
		goto out;
	}
	if (getrandom(&xid, sizeof(xid), GRND_NONBLOCK) < 0)
		xid = time(NULL) ^ getpid();

	for (try = 0; try < 20; try++) {
		struct dhcp_packet p = { .op = 1, .htype = 1, .hlen = 6, .xid = xid, .flags = htons(0x8000), .cookie = htonl(0x63825363) };
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		uint8_t *o = p.options;
		ssize_t n;

		memcpy(p.chaddr, ifr.ifr_hwaddr.sa_data, 6);
		memcpy(o, "\x35\x01", 2);
		o[2] = state == 1 ? 1 : 3;
		o += 3;
		if (state == 2) {
			memcpy(o, "\x32\x04", 2);
			memcpy(o + 2, &lease->addr, 4);
			memcpy(o + 6, "\x36\x04", 2);
			memcpy(o + 8, &lease->server, 4);
			o += 12;
		}
		memcpy(o, "\x37\x04\x01\x03\x06\x1a\xff", 7);
		sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to));
		while (poll(&pfd, 1, 250 + 50 * try) > 0) {
			struct lease got = { 0 };
			int type;

			n = recv(fd, &p, sizeof(p), 0);
			if (n < 0)
				break;
			type = dhcp_parse(&p, n, xid, &got);
			if (state == 1 && type == 2) {
				*lease = got;
				state = 2;
				try = -1;
				break;
			}
			if (state == 2 && type == 5) {
				*lease = got;
				ret = 0;
				goto out;
			}
			if (state == 2 && type == 6)
				state = 1;
		}
	}
out:
	close(fd);
	return ret;
}

/* "dhcp", "none" or "ADDR/LEN[,GATEWAY]" */
static int configure_interface(const char *name, const char *how, int metric)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct lease lease = { 0 };
	int ret = set_flags(fd, name, IFF_UP | IFF_RUNNING);

	if (ret || strcmp(how, "none") == 0)
		goto out;
	if (strcmp(how, "dhcp") == 0) {
		ret = dhcp(name, &lease);
		if (ret)
			goto out;
	} else {
		char addr[64], gateway[64] = "";
		int len;

		if (sscanf(how, "%63[^/]/%d,%63s", addr, &len, gateway) < 2 || inet_pton(AF_INET, addr, &lease.addr) != 1 ||
		    len < 0 || len > 32 || (*gateway && inet_pton(AF_INET, gateway, &lease.gateway) != 1)) {
			ret = -EINVAL;
			goto out;
		}
		lease.mask.s_addr = len ? htonl(~0u << (32 - len)) : 0;
	}
	if (lease.mtu >= 576) {
		struct ifreq ifr = { .ifr_mtu = lease.mtu };

		snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
		ioctl(fd, SIOCSIFMTU, &ifr);
	}
	ret = set_address(fd, name, lease.addr, lease.mask);
	if (!ret && lease.gateway.s_addr)
		ret = add_default_route(fd, name, lease.gateway, metric);
	if (lease.dns.s_addr) {
		char text[64];

		snprintf(text, sizeof(text), "nameserver %s\n", inet_ntoa(lease.dns));
		write_file("/etc/resolv.conf", text);
	}
out:
	close(fd);
	return ret;
}

static const char *interface_driver(const char *name)
{
	static char target[512];
	char path[600];
	char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0) {
		/* A virtio interface hangs below the virtio device. */
		return NULL;
	}
	target[n] = 0;
	slash = strrchr(target, '/');
	return slash ? slash + 1 : target;
}

/* The first interface whose driver is (or, with OTHER, is not) toe. A driver may take a moment to register it. */
static bool find_interface(bool other, char *name, int wait_ms)
{
	for (;;) {
		DIR *dir = opendir("/sys/class/net");
		struct dirent *entry;

		while (dir && (entry = readdir(dir))) {
			const char *driver;

			if (entry->d_name[0] == '.')
				continue;
			driver = interface_driver(entry->d_name);
			if (driver && (strcmp(driver, "toe") == 0) != other) {
				snprintf(name, IFNAMSIZ, "%.15s", entry->d_name);
				closedir(dir);
				return true;
			}
		}
		if (dir)
			closedir(dir);
		if (wait_ms <= 0)
			return false;
		usleep(10000);
		wait_ms -= 10;
	}
}

static void set_env(const char *name, const char *value)
{
	setenv(name, value, 1);
}

static void network(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[IFNAMSIZ];
	int ret;

	set_flags(fd, "lo", IFF_UP | IFF_RUNNING);
	close(fd);
	sethostname("guest", 5);

	if (config.toe) {
		ret = load_file("/run/toe/toe.ko");
		if (ret)
			fail("toe.ko cannot be loaded: %s; the console log has the kernel's words", strerror(-ret));
		if (!find_interface(false, name, 5000)) {
			fail("toe.ko is loaded, but no network interface of the adapter came up; the console log has the driver's words");
		} else {
			set_env("TOE_IF", name);
			ret = configure_interface(name, config.toe_ip ? config.toe_ip : "none", 0);
			if (ret)
				tell("warn", "the adapter's interface %s has no address (%s): %s", name, config.toe_ip, strerror(-ret));
		}
	} else if (config.toe_missing) {
		tell("warn", "%s", config.toe_missing);
	}
	if (config.second_ip) {
		if (!find_interface(true, name, 5000))
			fail("the second network card did not come up; the console log has the driver's words");
		set_env("TOE_SECOND_IF", name);
		ret = configure_interface(name, config.second_ip, 100);
		if (ret)
			tell("warn", "the second network card %s has no address (%s): %s", name, config.second_ip, strerror(-ret));
	}
}

/* ------------------------------------------------------------------ the command */

struct relay {
	int from, to;
	char *data;
	size_t start, end;
	bool eof;     /* nothing more comes from FROM */
	bool closes;  /* close TO when everything has been written */
	uint64_t sent;
};

/* Moves what can be moved without waiting. Returns true if something moved. */
static bool relay_step(struct relay *r)
{
	bool moved = false;
	ssize_t n;

	if (!r->eof && r->start == r->end) {
		n = read(r->from, r->data, RELAY_BUFFER);
		if (n > 0) {
			r->start = 0;
			r->end = n;
			moved = true;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			/* EIO: the last process has closed the terminal */
			r->eof = true;
		}
	}
	if (r->start < r->end && r->to >= 0) {
		n = write(r->to, r->data + r->start, r->end - r->start);
		if (n > 0) {
			r->start += n;
			r->sent += n;
			moved = true;
		} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
			r->start = r->end; /* nobody reads: let the writer go on */
			if (r->closes)
				r->eof = true;
		}
	}
	if (r->eof && r->start == r->end && r->closes && r->to >= 0) {
		close(r->to);
		r->to = -1;
	}
	return moved;
}

static void nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static volatile sig_atomic_t child_event;

static void on_child(int sig)
{
	(void)sig;
	child_event = 1;
}

static void child(int in, int out, int err)
{
	struct rlimit files = { 65536, 1048576 };
	sigset_t none;
	int i;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	setrlimit(RLIMIT_NOFILE, &files);
	setsid();
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (config.tty)
		ioctl(0, TIOCSCTTY, 0);
	if (config.cwd && chdir(config.cwd) < 0)
		dprintf(2, "toe-vm: the folder '%s' is not there in the guest; the command starts in /\n", config.cwd);
	execvp(config.argv[0], config.argv);
	dprintf(2, "toe-vm: cannot run '%s' in the guest: %s\n", config.argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void read_control(int pty)
{
	static char line[256];
	static size_t have;
	ssize_t n;
	char *end;

	n = read(ctl_fd, line + have, sizeof(line) - 1 - have);
	if (n <= 0)
		return;
	have += n;
	line[have] = 0;
	while ((end = strchr(line, '\n'))) {
		struct winsize size = { 0 };
		unsigned int rows, columns;

		*end = 0;
		if (pty >= 0 && sscanf(line, "winsize %u %u", &rows, &columns) == 2) {
			size.ws_row = rows;
			size.ws_col = columns;
			ioctl(pty, TIOCSWINSZ, &size);
		}
		have -= end + 1 - line;
		memmove(line, end + 1, have + 1);
	}
	if (have == sizeof(line) - 1)
		have = 0;
}

/* Runs the command and tells the host how it ended. */
static void run(int in_port, int out_port, int err_port)
{
	struct relay relays[3];
	int nrelays = 0, status = 0, pty = -1, i;
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	bool exited = false;
	sigset_t chld, old;
	pid_t pid;

	memset(relays, 0, sizeof(relays));
	if (config.tty) {
		struct winsize size = { .ws_row = config.rows, .ws_col = config.columns };
		int slave;

		if (openpty(&pty, &slave, NULL, NULL, config.rows ? &size : NULL) < 0)
			fail("cannot make a terminal: %s", strerror(errno));
		fcntl(pty, F_SETFD, FD_CLOEXEC);
		in[0] = out[1] = err[1] = slave;
		relays[nrelays++] = (struct relay){ .from = in_port, .to = pty };
		relays[nrelays++] = (struct relay){ .from = pty, .to = out_port };
		nonblocking(pty);
	} else {
		if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
			fail("cannot make a pipe: %s", strerror(errno));
		relays[nrelays++] = (struct relay){ .from = in_port, .to = in[1], .closes = true };
		relays[nrelays++] = (struct relay){ .from = out[0], .to = out_port };
		relays[nrelays++] = (struct relay){ .from = err[0], .to = err_port };
		nonblocking(in[1]);
		nonblocking(out[0]);
		nonblocking(err[0]);
	}
	nonblocking(in_port);
	nonblocking(out_port);
	nonblocking(err_port);
	nonblocking(ctl_fd);
	for (i = 0; i < nrelays; i++)
		relays[i].data = malloc(RELAY_BUFFER);

	signal(SIGCHLD, on_child);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &old);

	tell("ready", "%s", "");
	pid = fork();
	if (pid < 0)
		fail("cannot start a process: %s", strerror(errno));
	if (pid == 0)
		child(in[0], out[1], err[1]);
	close(in[0]);
	if (!config.tty) {
		close(out[1]);
		close(err[1]);
	}

	for (;;) {
		struct pollfd fds[7];
		bool moved = false, output_open = false;
		int n = 0;

		for (i = 0; i < nrelays; i++)
			moved |= relay_step(&relays[i]);
		for (;;) {
			int ended;
			pid_t who = waitpid(-1, &ended, WNOHANG);

			if (who <= 0)
				break;
			if (who == pid) {
				exited = true;
				status = WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended);
			}
		}
		if (moved)
			continue;

		/*
		 * The command has ended and everything it had written is out; what a process that it left behind writes later
		 * is not waited for.
		 */
		for (i = 1; i < nrelays; i++)
			output_open |= relays[i].start < relays[i].end;
		if (exited && !output_open) {
			sync();
			tell("exit", "%d %llu %llu", status, (unsigned long long)relays[1].sent,
			     config.tty ? 0 : (unsigned long long)relays[2].sent);
			return;
		}

		for (i = 0; i < nrelays; i++) {
			struct relay *r = &relays[i];

			if (r->start < r->end)
				fds[n++] = (struct pollfd){ .fd = r->to, .events = POLLOUT };
			else if (!r->eof)
				fds[n++] = (struct pollfd){ .fd = r->from, .events = POLLIN };
			/* A command that has closed its input: notice it, so that the host is not asked for more. */
		}
		fds[n++] = (struct pollfd){ .fd = ctl_fd, .events = POLLIN };
		/*
		 * A port whose host side is closed reports POLLHUP at once; with a pseudo-terminal nothing closes it. A short
		 * limit keeps a spurious POLLHUP from turning into a busy loop.
		 */
		if (ppoll(fds, n, &(struct timespec){ .tv_sec = 1 }, &old) > 0) {
			bool useful = false;

			for (i = 0; i < n; i++)
				useful |= fds[i].revents & (POLLIN | POLLOUT);
			if (fds[n - 1].revents & POLLIN)
				read_control(pty);
			if (!useful && !child_event)
				usleep(2000);
		}
		child_event = 0;
	}
}

static int dhcp_main(int argc, char **argv)
{
	struct lease lease = { 0 };
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: dhcp INTERFACE\n");
		return 2;
	}
	ret = configure_interface(argv[1], "dhcp", 0);
	if (ret) {
		fprintf(stderr, "dhcp: %s: no address: %s\n", argv[1], strerror(-ret));
		return 1;
	}
	(void)lease;
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const early[] = { "virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay" };
	const char *me = strrchr(argv[0], '/');
	int in_port, out_port, err_port, i, ret;

	me = me ? me + 1 : argv[0];
	if (strcmp(me, "dhcp") == 0)
		return dhcp_main(argc, argv);
	if (getpid() != 1) {
		fprintf(stderr, "%s: this is the guest's first process; run scripts/toe-vm\n", argv[0]);
		return 2;
	}

	umask(022);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, "mode=755");
	/* The kernel found no /dev/console in the initramfs; give the messages of early failures a place. */
	ret = open("/dev/console", O_RDWR);
	if (ret >= 0) {
		dup2(ret, 0);
		dup2(ret, 1);
		dup2(ret, 2);
		if (ret > 2)
			close(ret);
	}

	for (i = 0; i < (int)(sizeof(early) / sizeof(early[0])); i++) {
		ret = load_module(early[i]);
		if (ret && ret != -ENOENT)
			dprintf(2, "toe-init: module %s: %s\n", early[i], strerror(-ret));
	}
	ctl_fd = open_port("toe.ctl");
	in_port = open_port("toe.in");
	out_port = open_port("toe.out");
	err_port = open_port("toe.err");
	if (ctl_fd < 0 || in_port < 0 || out_port < 0 || err_port < 0)
		fail("the virtio-serial ports toe.ctl, toe.in, toe.out, toe.err are not all there");
	read_config();
	mount_root();
	for (i = 0; i < config.nmodule; i++) {
		ret = load_module(config.module[i]);
		if (ret && ret != -ENOENT)
			tell("warn", "the module %s cannot be loaded: %s", config.module[i], strerror(-ret));
	}
	enter_root();
	/* Boot is quiet; from here on the console shows what drivers say. */
	write_file_at("/proc/sys/kernel/printk", "7");

	clearenv();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	network();
	for (i = 0; i < config.nenv; i++)
		putenv(config.env[i]);

	run(in_port, out_port, err_port);
	stop();
	return 0;
}
