/* Folders are packed into FOLDER/context and unpacked into FOLDER/out: what comes out is what
 * counts. */
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/scope.h"
#include "context/pack.h"
#include "context/unpack.h"
#include "context/walk.h"

static const struct unpack_opts generous = {
	.expanded_bytes = 64 << 20,
	.ratio = 200,
	.entries = 1000,
};

static void put(void **state, const char *name, const char *text)
{
	struct err err;
	cleanup_free char *path = folder_path(state, name);
	cleanup_free char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_works(fs_mkdirs(folder, 0755, &err));
	free(folder_file(state, name, text, 0644));
}

static int collect(struct str bytes, void *data, struct err *err)
{
	(void)err;
	return buf_addstr(data, bytes);
}

static int pack(struct buf *archive, struct packed *out, void **state, const char *dockerfile,
		struct err *err)
{
	cleanup_free char *folder = folder_path(state, "context");
	const struct pack_opts opts = {
		.folder = folder,
		.dockerfile = dockerfile,
		.limits = IGNORE_LIMITS_DEFAULT,
		.write = collect,
		.data = archive,
	};

	return pack_folder(out, &opts, err);
}

static int note(const struct walk_entry *e, void *data, struct err *err)
{
	(void)err;
	if (!S_ISDIR(e->st.st_mode))
		buf_addf(data, STR_FMT " ", STR_ARG(e->path));
	return 0;
}

/* Unpack, and name all files that came out. */
static char *unpacked_names(void **state, const struct buf *archive)
{
	struct buf names = BUF_INIT;
	cleanup_free char *out = folder_path(state, "out");
	cleanup_fd int fd = memfd_create("archive", MFD_CLOEXEC);
	struct err err;

	assert_works(fs_remove_tree(out, &err));
	assert_int_equal(mkdir(out, 0755), 0);
	assert_works(fs_write_all(fd, buf_str(archive), &err));
	lseek(fd, 0, SEEK_SET);
	assert_works(unpack_archive(fd, out, &generous, &err));
	cleanup_fd int folder = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_works(
		walk_folder(folder, &(struct walk_opts){ .entry = note, .data = &names }, &err));
	return buf_detach(&names);
}

/* What is sent, and what the Dockerfile is called there. */
static void assert_packs(void **state, const char *dockerfile, const char *names, const char *named)
{
	struct buf archive = BUF_INIT;
	struct packed packed;
	struct err err;

	assert_works(pack(&archive, &packed, state, dockerfile, &err));
	cleanup_free char *got = unpacked_names(state, &archive);
	assert_string_equal(packed.dockerfile, named);
	assert_string_equal(got, names);
	free(packed.dockerfile);
	buf_release(&archive);
}

static char *made_name(void **state, const char *dockerfile)
{
	struct buf archive = BUF_INIT;
	struct packed packed;
	struct err err;

	assert_works(pack(&archive, &packed, state, dockerfile, &err));
	assert_true(pack_is_dockerfile(packed.dockerfile));
	buf_release(&archive);
	return packed.dockerfile;
}

static void a_folder_comes_out_as_it_went_in(void **state)
{
	cleanup_free char *link = folder_path(state, "context/link");
	cleanup_free char *script = folder_path(state, "context/run");
	cleanup_free char *out = folder_path(state, "out/run");
	struct stat st;

	put(state, "context/Dockerfile", "FROM scratch");
	put(state, "context/caf\xc3\xa9/a", "text");
	put(state, "context/run", "#!");
	assert_int_equal(chmod(script, 0700), 0);
	assert_int_equal(symlink("caf\xc3\xa9/a", link), 0);
	assert_packs(state, NULL, "Dockerfile caf\xc3\xa9/a link run ", "Dockerfile");
	assert_int_equal(stat(out, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
}

static void long_names_come_through(void **state)
{
	struct buf name = BUF_INIT;

	for (int i = 0; i < 100; i++)
		buf_adds(&name, "d/");
	for (int i = 0; i < 200; i++)
		buf_adds(&name, "n");
	cleanup_free char *path = xasprintf("context/%s", name.ptr);
	cleanup_free char *want = xasprintf("Dockerfile %s ", name.ptr);
	put(state, "context/Dockerfile", "");
	put(state, path, "x");
	assert_packs(state, NULL, want, "Dockerfile");
	buf_release(&name);
}

static void the_same_folder_gives_the_same_archive(void **state)
{
	struct buf one = BUF_INIT, two = BUF_INIT;
	struct packed packed;
	struct err err;

	put(state, "context/Dockerfile", "FROM scratch");
	put(state, "context/b", "b");
	put(state, "context/a/c", "c");
	assert_works(pack(&one, &packed, state, NULL, &err));
	free(packed.dockerfile);
	assert_works(pack(&two, &packed, state, NULL, &err));
	free(packed.dockerfile);
	assert_true(str_eq(buf_str(&one), buf_str(&two)));
	buf_release(&one);
	buf_release(&two);
}

static void the_rules_decide_and_git_stays_at_home(void **state)
{
	put(state, "context/Dockerfile", "");
	put(state, "context/.dockerignore", "*.log\nnode_modules\n!node_modules/keep\n");
	put(state, "context/a.log", "");
	put(state, "context/node_modules/keep", "");
	put(state, "context/node_modules/other", "");
	put(state, "context/.git/config", "");
	put(state, "context/sub/.git/config", "");
	assert_packs(state, NULL, ".dockerignore Dockerfile node_modules/keep sub/.git/config ",
		     "Dockerfile");
	put(state, "context/.dockerignore", "!.git/**\n");
	assert_packs(state, NULL,
		     ".dockerignore .git/config Dockerfile a.log node_modules/keep "
		     "node_modules/other sub/.git/config ",
		     "Dockerfile");
}

/* IGN-008 */
static void an_ignored_dockerfile_is_sent_beside(void **state)
{
	put(state, "context/Dockerfile", "FROM one");
	put(state, "context/.dockerignore", "Dockerfile\n.dockerignore\n");
	put(state, "context/a", "");
	cleanup_free char *made = made_name(state, NULL);
	cleanup_free char *names = xasprintf("%s a ", made);
	assert_packs(state, NULL, names, made);
	put(state, "context/Dockerfile", "FROM two");
	cleanup_free char *other = made_name(state, NULL);
	assert_string_not_equal(made, other);
}

static void a_dockerfile_outside_is_sent_beside(void **state)
{
	cleanup_free char *outside = folder_path(state, "elsewhere/Dockerfile");

	put(state, "elsewhere/Dockerfile", "FROM scratch");
	put(state, "elsewhere/Dockerfile.dockerignore", "b");
	put(state, "context/a", "");
	put(state, "context/b", "");
	cleanup_free char *made = made_name(state, outside);
	cleanup_free char *names = xasprintf("%s a ", made);
	assert_packs(state, outside, names, made);
}

/* The runner would find the root's rules, which are not the ones that counted. */
static void other_rules_in_the_archive_do_not_count(void **state)
{
	put(state, "context/docker/Dockerfile", "");
	/* Neither ignore file is sent: none is found. */
	put(state, "context/docker/Dockerfile.dockerignore", "**/*.dockerignore\n");
	put(state, "context/.dockerignore", "a\n");
	put(state, "context/a", "");
	assert_packs(state, "docker/Dockerfile", "a docker/Dockerfile ", "docker/Dockerfile");
	put(state, "context/docker/Dockerfile.dockerignore", "docker/*.dockerignore\n");
	cleanup_free char *made = made_name(state, "docker/Dockerfile");
	cleanup_free char *names = xasprintf(".dockerignore %s a docker/Dockerfile ", made);
	assert_packs(state, "docker/Dockerfile", names, made);
}

static void f_is_relative_to_the_current_folder_first(void **state)
{
	cleanup_free char *context = folder_path(state, "context");
	cleanup_free char *here = getcwd(NULL, 0);

	put(state, "context/sub/Dockerfile", "FROM in");
	assert_packs(state, "sub/Dockerfile", "sub/Dockerfile ", "sub/Dockerfile");
	assert_packs(state, "./sub//../sub/Dockerfile", "sub/Dockerfile ", "sub/Dockerfile");
	assert_int_equal(chdir(*state), 0);
	assert_packs(state, "context/sub/Dockerfile", "sub/Dockerfile ", "sub/Dockerfile");
	put(state, "sub/Dockerfile", "FROM out");
	cleanup_free char *made = made_name(state, "sub/Dockerfile");
	assert_true(pack_is_dockerfile(made));
	assert_int_equal(chdir(context), 0);
	assert_packs(state, "sub/Dockerfile", "sub/Dockerfile ", "sub/Dockerfile");
	assert_int_equal(chdir(here), 0);
}

static void assert_refused(void **state, const char *dockerfile, const char *word)
{
	struct buf archive = BUF_INIT;
	struct packed packed;
	struct err err;

	assert_fails(pack(&archive, &packed, state, dockerfile, &err), word);
	buf_release(&archive);
}

static void what_cannot_be_built_is_told_before_it_is_sent(void **state)
{
	struct buf archive = BUF_INIT;
	struct packed packed;
	struct err err;

	assert_refused(state, NULL, "context_missing");
	put(state, "context/a", "");
	assert_fails(pack(&archive, &packed, state, NULL, &err), "dockerfile_missing");
	assert_int_equal(archive.len, 0);
	put(state, "context/Dockerfile", "");
	put(state, "context/.dockerignore", "[");
	assert_fails(pack(&archive, &packed, state, NULL, &err), "ignore_syntax");
	assert_int_equal(archive.len, 0);
	buf_release(&archive);
}

static void names_that_no_archive_takes_are_told(void **state)
{
	put(state, "context/Dockerfile", "");
	put(state, "context/a\nb", "");
	assert_refused(state, NULL, "name_invalid");
	put(state, "context/.dockerignore", "a?b\n");
	assert_packs(state, NULL, ".dockerignore Dockerfile ", "Dockerfile");
	put(state, "context/\xff", "");
	assert_refused(state, NULL, "name_invalid");
}

static void sockets_and_pipes_are_counted(void **state)
{
	cleanup_free char *pipe = folder_path(state, "context/pipe");
	struct buf archive = BUF_INIT;
	struct packed packed;
	struct err err;

	put(state, "context/Dockerfile", "");
	assert_int_equal(mkfifo(pipe, 0644), 0);
	assert_works(pack(&archive, &packed, state, NULL, &err));
	assert_int_equal(packed.skipped, 1);
	assert_int_equal(packed.entries, 1);
	free(packed.dockerfile);
	buf_release(&archive);
}

/* The writer is called while a large file is under way: there it is written to. */
struct meddler {
	const char *path;
	off_t size;
	bool done;
};

static int meddle(struct str bytes, void *data, struct err *err)
{
	struct meddler *m = data;

	(void)bytes;
	(void)err;
	if (!m->done)
		assert_int_equal(truncate(m->path, m->size), 0);
	m->done = true;
	return 0;
}

static void a_file_that_changes_is_told(void **state)
{
	static const off_t sizes[] = { 1000, 8 << 20 };
	cleanup_free char *folder = folder_path(state, "context");
	cleanup_free char *path = folder_path(state, "context/large");
	char *noise = xmalloc(4 << 20);
	struct err err;

	for (unsigned i = 0, x = 1; i < 4 << 20; i++, x = x * 1103515245 + 12345)
		noise[i] = (char)(x >> 16);
	put(state, "context/Dockerfile", "");
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct meddler m = { .path = path, .size = sizes[i] };
		const struct pack_opts opts = { .folder = folder,
						.limits = IGNORE_LIMITS_DEFAULT,
						.write = meddle,
						.data = &m };
		struct packed packed;
		put(state, "context/large", "");
		cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
		assert_works(fs_write_all(fd, (struct str){ noise, 4 << 20 }, &err));
		assert_fails(pack_folder(&packed, &opts, &err), "context_changed");
		assert_has(err.msg, "'large'");
	}
	free(noise);
}

static int refuse(struct str bytes, void *data, struct err *err)
{
	(void)bytes;
	(void)data;
	return err_set(err, ERR_UNAVAILABLE, "http", "the line is dead");
}

static void the_writers_error_comes_through(void **state)
{
	cleanup_free char *folder = folder_path(state, "context");
	const struct pack_opts opts = { .folder = folder,
					.limits = IGNORE_LIMITS_DEFAULT,
					.write = refuse };
	struct packed packed;
	struct err err;

	put(state, "context/Dockerfile", "");
	assert_fails(pack_folder(&packed, &opts, &err), "http");
}

static void made_up_names_are_known(void **state)
{
	(void)state;
	assert_true(pack_is_dockerfile(".slipway-dockerfile-0123456789abcdef0123456789abcdef"));
	assert_false(pack_is_dockerfile(".slipway-dockerfile-0123456789abcdef0123456789abcde"));
	assert_false(pack_is_dockerfile(".slipway-dockerfile-0123456789abcdef0123456789abcdeg"));
	assert_false(pack_is_dockerfile("a/.slipway-dockerfile-0123456789abcdef0123456789abcdef"));
	assert_false(pack_is_dockerfile("Dockerfile"));
}

#define test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_folder_comes_out_as_it_went_in),
		test(long_names_come_through),
		test(the_same_folder_gives_the_same_archive),
		test(the_rules_decide_and_git_stays_at_home),
		test(an_ignored_dockerfile_is_sent_beside),
		test(a_dockerfile_outside_is_sent_beside),
		test(other_rules_in_the_archive_do_not_count),
		test(f_is_relative_to_the_current_folder_first),
		test(what_cannot_be_built_is_told_before_it_is_sent),
		test(names_that_no_archive_takes_are_told),
		test(sockets_and_pipes_are_counted),
		test(a_file_that_changes_is_told),
		test(the_writers_error_comes_through),
		cmocka_unit_test(made_up_names_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
