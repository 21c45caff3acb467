/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_script.c - the scripted conversations of tests/unit/tcp/; the notation
 * is described in script.h.
 *
 *	build/tests/unit/test_script                all
 *	build/tests/unit/test_script -v FILE [WORD]
 *		the cases of one file whose names contain the word, with
 *		everything that is said
 *
 * Each case is a test of its own, by its name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common_tcp.h"
#include "script.h"

/* Reachable to the end, so that nothing looks like a leak. */
static GPtrArray *all;		/* struct script_case * */
static GPtrArray *tests;	/* TTest * */
static bool verbose;

static void run_case(int i)
{
	const struct script_case *c = g_ptr_array_index(all, i);

	if (verbose)
		printf("== %s\n", c->name);
	script_run(c, verbose);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the .seg files, sorted, so that a run is the same each time. */
static GPtrArray *files(const char *folder)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".seg"))
			g_ptr_array_add(names, g_build_filename(folder, name,
								NULL));
	if (dir)
		g_dir_close(dir);
	g_ptr_array_sort(names, by_name);
	return names;
}

/* Each case whose name contains word (NULL: each) is a test. */
static bool add_file(Suite *s, const char *path, const char *word)
{
	GPtrArray *cases = script_load(path);
	/* check keeps the pointer. */
	const char *name = g_intern_string(strrchr(path, '/') ?
					   strrchr(path, '/') + 1 : path);
	TCase *tc = tcase_create(name);
	unsigned i;

	suite_add_tcase(s, tc);
	for (i = 0; cases && i < cases->len; i++) {
		struct script_case *c = g_ptr_array_index(cases, i);
		TTest *t = g_new0(TTest, 1);

		g_ptr_array_add(all, c);
		g_ptr_array_add(tests, t);
		t->name = c->name;
		t->fn = run_case;
		t->file = c->file;
		t->line = c->line;
		if (!word || strstr(c->name, word))
			_tcase_add_test(tc, t, 0, 0, (int)all->len - 1,
					(int)all->len);
	}
	if (cases)
		g_ptr_array_free(cases, TRUE);
	return cases;
}

int main(int argc, char **argv)
{
	const char *root = getenv("TOE_ROOT");
	char *folder = g_build_filename(root ? root : ".", "tests", "unit",
					"tcp", NULL);
	Suite *s = suite_create("script");
	GPtrArray *names;
	bool ok = true;
	unsigned i;

	all = g_ptr_array_new();
	tests = g_ptr_array_new();
	if (argc > 2 && !strcmp(argv[1], "-v")) {
		verbose = true;
		setvbuf(stdout, NULL, _IOLBF, 0);
		ok = add_file(s, argv[2], argc > 3 ? argv[3] : NULL);
	} else {
		names = files(folder);
		for (i = 0; ok && i < names->len; i++)
			ok = add_file(s, g_ptr_array_index(names, i), NULL);
		g_ptr_array_free(names, TRUE);
	}
	g_free(folder);
	if (!ok || !all->len) {
		fprintf(stderr, "no scripts\n");
		return EXIT_FAILURE;
	}
	return talk_main(s);
}
