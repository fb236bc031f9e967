/*
 * The main() of a fuzzer built without libFuzzer: gives it every file named on the command line,
 * and every file of each folder named there. An empty or missing corpus fails, because a test that
 * replays nothing proves nothing.
 */
#include <sys/stat.h>

#include "common/scope.h"
#include "tests/fuzz/fuzz.h"

static int replayed;

static int replay_file(const char *path)
{
	cleanup_file FILE *f = fopen(path, "rbe");
	cleanup_buf struct buf input = BUF_INIT;
	size_t n;

	if (!f) {
		perror(path);
		return -1;
	}
	do {
		buf_reserve(&input, 65536);
		n = fread(input.ptr + input.len, 1, 65536, f);
		buf_grown(&input, n);
	} while (n > 0);
	/* A copy of the exact size, so that the sanitizer sees one byte too far. */
	cleanup_free uint8_t *exact = xmemdup(input.ptr, input.len);
	LLVMFuzzerTestOneInput(exact, input.len);
	replayed++;
	return 0;
}

static int replay_folder(const char *path)
{
	cleanup_dir DIR *dir = opendir(path);
	struct dirent *entry;
	int rc = 0;

	if (!dir) {
		perror(path);
		return -1;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		cleanup_free char *file = xasprintf("%s/%s", path, entry->d_name);
		rc |= replay_file(file);
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct stat st;
	int rc = 0;

	for (int i = 1; i < argc; i++) {
		bool folder = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
		rc |= folder ? replay_folder(argv[i]) : replay_file(argv[i]);
	}
	printf("%d inputs\n", replayed);
	return rc == 0 && replayed > 0 ? 0 : 1;
}
