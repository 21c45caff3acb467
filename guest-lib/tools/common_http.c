// SPDX-License-Identifier: MIT
/* common_http.c - see common_http.h; RFC 9112 for the formats. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common_http.h"

const char *url_parse(struct url *u, const char *s)
{
	const char *host, *path, *colon, *bracket;
	size_t n, literal = 0;

	if (strncasecmp(s, "http://", 7))
		return "the URL must begin with http://";
	host = s + 7;
	n = strcspn(host, "/?#");
	path = host + n;
	if (memchr(host, '@', n))
		return "user names in URLs are not supported";
	strcpy(u->port, "80");
	if (*host == '[') {		/* an IPv6 address (RFC 3986, 3.2.2) */
		bracket = memchr(host, ']', n);
		if (!bracket)
			return "the IPv6 address in the URL has no end";
		literal = (size_t)(bracket - host) + 1;
		if (literal < n && host[literal] != ':')
			return "after the address in the URL comes neither port nor path";
	}
	colon = memchr(host + literal, ':', n - literal);
	if (colon) {
		size_t digits = (size_t)(host + n - colon - 1);

		if (!digits || digits >= sizeof(u->port) ||
		    strspn(colon + 1, "0123456789") < digits)
			return "the port in the URL is not a number";
		memcpy(u->port, colon + 1, digits);
		u->port[digits] = 0;
		n = (size_t)(colon - host);
	}
	if (literal) {
		host++;
		n -= 2;
	}
	if (!n || n >= sizeof(u->host))
		return "the host in the URL is empty or too long";
	memcpy(u->host, host, n);
	u->host[n] = 0;
	n = strcspn(path, "#");
	if (n + 1 >= sizeof(u->path))
		return "the path in the URL is too long";
	if (strcspn(path, " \r\n\t") < n)
		return "the path in the URL has a blank in it";
	snprintf(u->path, sizeof(u->path), "%s%.*s", *path == '/' ? "" : "/",
		 (int)n, path);
	return NULL;
}

void http_init(struct http *h,
	       bool (*sink)(void *opaque, const uint8_t *data, size_t len),
	       void *opaque)
{
	memset(h, 0, offsetof(struct http, line));
	h->sink = sink;
	h->opaque = opaque;
}

static bool bad(struct http *h, const char *why)
{
	h->state = HTTP_BAD;
	h->error = why;
	return false;
}

static bool digits(const char *s, unsigned int base, uint64_t *value)
{
	const char *start = s;
	unsigned int d;

	*value = 0;
	for (;; s++) {
		if (*s >= '0' && *s <= '9')
			d = (unsigned int)(*s - '0');
		else if (base == 16 && (*s | 32) >= 'a' && (*s | 32) <= 'f')
			d = (unsigned int)((*s | 32) - 'a') + 10;
		else
			break;
		if (*value > (UINT64_MAX - d) / base)
			return false;
		*value = *value * base + d;
	}
	return s > start && (!*s || *s == ' ' || *s == '\t' || *s == ';');
}

/* The value of a header line if it has this name, else NULL. */
static const char *header(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) || line[n] != ':')
		return NULL;
	line += n + 1;
	return line + strspn(line, " \t");
}

/* The head is complete in h->line, lines ended by zero bytes. */
static bool parse_head(struct http *h, size_t size)
{
	const char *line = h->line, *end = h->line + size, *value;
	bool chunked = false;
	uint64_t n;

	if (strncmp(line, "HTTP/1.", 7) || !strchr(line, ' ') ||
	    !digits(strchr(line, ' ') + 1, 10, &n) || n < 100 || n > 999)
		return bad(h, "the answer is not HTTP/1");
	h->status = (int)n;
	for (line += strlen(line) + 1; line < end; line += strlen(line) + 1) {
		value = header(line, "Content-Length");
		if (value) {
			if (!digits(value, 10, &n) ||
			    (h->has_length && n != h->length))
				return bad(h, "bad Content-Length");
			h->has_length = true;
			h->length = n;
		}
		value = header(line, "Transfer-Encoding");
		if (value && strcasecmp(value, "chunked"))
			return bad(h, "Transfer-Encoding is not supported");
		chunked |= value != NULL;
	}
	h->have = 0;
	if (h->status < 200) {			/* interim: another follows */
		h->has_length = false;
		h->state = HTTP_HEAD;
	} else if (h->status == 204 || h->status == 304) {
		h->state = HTTP_DONE;
	} else if (chunked) {
		h->has_length = false;		/* RFC 9112, 6.3 */
		h->state = HTTP_CHUNK_SIZE;
	} else {
		h->left = h->has_length ? h->length : UINT64_MAX;
		h->state = h->left ? HTTP_BODY : HTTP_DONE;
	}
	return true;
}

/* One byte of the head; true and *done when the empty line was seen. */
static bool head_byte(struct http *h, char c, bool *done)
{
	*done = false;
	if (c == '\r')
		return true;
	if (c == '\n') {
		c = 0;
		*done = !h->have || !h->line[h->have - 1];
		if (*done)
			return true;
	} else if (!c) {
		return bad(h, "a zero byte in the answer's head");
	}
	if (h->have >= sizeof(h->line) - 1)
		return bad(h, "the answer's head is too long");
	h->line[h->have++] = c;
	return true;
}

static bool head(struct http *h, const uint8_t **p, const uint8_t *end)
{
	bool done;

	while (*p < end) {
		if (!head_byte(h, (char)*(*p)++, &done))
			return false;
		if (!done)
			continue;
		if (!h->have)
			return bad(h, "the answer is not HTTP/1");
		return parse_head(h, h->have);
	}
	return true;
}

/* A chunk's size line. */
static bool chunk_size(struct http *h, const uint8_t **p, const uint8_t *end)
{
	while (*p < end) {
		char c = (char)*(*p)++;

		if (c == '\n') {
			h->line[h->have] = 0;
			h->have = 0;
			if (!digits(h->line, 16, &h->left))
				return bad(h, "bad chunk size");
			h->state = h->left ? HTTP_CHUNK : HTTP_TRAILER;
			return true;
		}
		if (c == '\r')
			continue;
		if (h->have >= 256)
			return bad(h, "a chunk's size line is too long");
		h->line[h->have++] = c;
	}
	return true;
}

static bool trailer(struct http *h, const uint8_t **p, const uint8_t *end)
{
	bool done = false;

	while (*p < end && !done)
		if (!head_byte(h, (char)*(*p)++, &done))
			return false;
	if (done)
		h->state = HTTP_DONE;
	return true;
}

bool http_feed(struct http *h, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;
	size_t n;

	while (p < end) {
		switch (h->state) {
		case HTTP_HEAD:
			if (!head(h, &p, end))
				return false;
			break;
		case HTTP_BODY:
		case HTTP_CHUNK:
			n = (size_t)(end - p);
			if (n > h->left)
				n = (size_t)h->left;
			if (!h->sink(h->opaque, p, n))
				return false;
			p += n;
			h->body += n;
			h->left -= n;
			if (!h->left)
				h->state = h->state == HTTP_BODY ?
					   HTTP_DONE : HTTP_CHUNK_END;
			break;
		case HTTP_CHUNK_SIZE:
			if (!chunk_size(h, &p, end))
				return false;
			break;
		case HTTP_CHUNK_END:
			if (*p != '\r' && *p != '\n')
				return bad(h, "a chunk is longer than it says");
			if (*p++ == '\n')
				h->state = HTTP_CHUNK_SIZE;
			break;
		case HTTP_TRAILER:
			if (!trailer(h, &p, end))
				return false;
			break;
		case HTTP_DONE:
			return true;	/* bytes behind it are not ours */
		case HTTP_BAD:
			return false;
		}
	}
	return true;
}

bool http_end(struct http *h)
{
	if (h->state == HTTP_DONE)
		return true;
	if (h->state == HTTP_BAD)
		return false;
	if (h->state == HTTP_BODY && !h->has_length)
		return true;		/* ends with the connection */
	return bad(h, h->state == HTTP_HEAD ?
		   "the connection ended before the answer's head" :
		   "the connection ended before the whole body came");
}
