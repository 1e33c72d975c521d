/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands in for the libFuzzer engine: feeds a fuzz target every file of the folders on the command
 * line, and every prefix of it (up to PREFIXES of them, evenly spread). Each input is a heap block
 * of exactly its size, so that a sanitizer sees one byte of over-read.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIXES ((size_t)512)
#define FILE_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(const uint8_t *data, size_t size)
{
	/* malloc(0) may be NULL, which a target may not get. */
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(size ? copy : copy + 1, size);
	free(copy);
}

static void feed_prefixes(const uint8_t *data, size_t size)
{
	size_t step = size / PREFIXES + 1;

	for (size_t n = 0; n < size; n += step)
		feed(data, n);
	feed(data, size);
}

static int feed_file(const char *path)
{
	uint8_t *data = malloc(FILE_MAX);
	FILE *f = fopen(path, "rb");

	if (!f || !data) {
		printf("# %s: %s\n", path, strerror(errno));
		free(data);
		return -EIO;
	}
	feed_prefixes(data, fread(data, 1, FILE_MAX, f));
	(void)fclose(f);
	free(data);
	return 0;
}

/* The number of files fed, negative errno if one could not be read. */
static int feed_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	int n = 0, r = 0;

	if (!dir)
		return -errno;
	for (struct dirent *e = readdir(dir); e && r >= 0; e = readdir(dir)) {
		char path[4096];

		if (e->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >= (int)sizeof(path))
			continue;
		r = feed_file(path);
		n++;
	}
	closedir(dir);
	return r < 0 ? r : n;
}

int main(int argc, char **argv)
{
	int failed = argc < 2;

	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		int n = feed_folder(argv[i]);

		printf("%s %d - %d files\n", n > 0 ? "ok" : "not ok", i, n);
		failed |= n <= 0;
	}
	return failed;
}
