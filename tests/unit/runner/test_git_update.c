/*
 * Random trees, one after the other: what an update makes of the folder is what writing the tree
 * into an empty one makes.
 */
#include "tests/unit/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <git2/blob.h>
#include <git2/global.h>
#include <git2/repository.h>
#include <git2/tree.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/scope.h"
#include "context/ignore.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_update.h"

enum { TIME_S = 1700000000 };

static struct err err;

struct fixture {
	char *dir;
	git_repository *repo;
	struct exec x;
	unsigned random;
};

static int set_up(void **state)
{
	struct fixture *f = xnew(struct fixture);

	folder_setup((void **)&f->dir);
	git_libgit2_init();
	cleanup_free char *path = fs_join(f->dir, "repo.git");
	*state = f;
	f->x = (struct exec){ .stop_fd = -1, .deadline_ms = clock_monotonic_ms() + 600000 };
	return git_repository_init(&f->repo, path, 1);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	git_repository_free(f->repo);
	git_libgit2_shutdown();
	int rc = folder_teardown((void **)&f->dir);
	free(f);
	return rc;
}

static unsigned draw(struct fixture *f, unsigned below)
{
	f->random = f->random * 1103515245 + 12345;
	return (f->random >> 16) % below;
}

/* ---- trees ---- */

/* A file, or a folder of them. */
struct node {
	char *name;
	git_filemode_t mode;
	git_oid id;
	struct node *items;
	size_t len;
};

static void empty(struct node *folder)
{
	for (size_t i = 0; i < folder->len; i++) {
		empty(&folder->items[i]);
		free(folder->items[i].name);
	}
	free(folder->items);
	folder->items = NULL;
	folder->len = 0;
}

static struct node *child(struct node *folder, struct str name)
{
	for (size_t i = 0; i < folder->len; i++) {
		if (str_is(name, folder->items[i].name))
			return &folder->items[i];
	}
	folder->items = xreallocarray(folder->items, folder->len + 1, sizeof *folder->items);
	folder->items[folder->len] = (struct node){ .name = str_dup(name) };
	return &folder->items[folder->len++];
}

/* What is called so, or like a part of the path, gives way. */
static void add(struct fixture *f, struct node *root, const char *path, git_filemode_t mode,
		const char *content)
{
	struct str rest = str_from(path), part;
	struct node *node = root;

	while (rest.ptr && str_split(&rest, '/', &part)) {
		node->mode = GIT_FILEMODE_TREE;
		node = child(node, part);
	}
	empty(node);
	node->mode = mode;
	if (mode == GIT_FILEMODE_COMMIT)
		memset(node->id.id, *content, sizeof node->id.id);
	else
		assert_int_equal(git_blob_create_from_buffer(&node->id, f->repo, content,
							     strlen(content)),
				 0);
}

static void write_node(struct fixture *f, struct node *folder)
{
	git_treebuilder *builder;

	assert_int_equal(git_treebuilder_new(&builder, f->repo, NULL), 0);
	for (size_t i = 0; i < folder->len; i++) {
		struct node *node = &folder->items[i];
		if (node->mode == GIT_FILEMODE_TREE)
			write_node(f, node);
		assert_int_equal(git_treebuilder_insert(NULL, builder, node->name, &node->id,
							node->mode),
				 0);
	}
	assert_int_equal(git_treebuilder_write(&folder->id, builder), 0);
	git_treebuilder_free(builder);
}

static git_tree *tree_of(struct fixture *f, struct node *root)
{
	git_tree *tree;

	write_node(f, root);
	assert_int_equal(git_tree_lookup(&tree, f->repo, &root->id), 0);
	return tree;
}

#define POINTER                                                                                    \
	"version https://git-lfs.github.com/spec/v1\noid "                                         \
	"sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize "

static void add_random(struct fixture *f, struct node *root)
{
	static const char *const names[] = { "a", "a.b", "b", "B", "c", "a-", "\xff" };
	static const struct {
		git_filemode_t mode;
		const char *contents[2];
	} kinds[] = {
		{ GIT_FILEMODE_BLOB, { "one", "two, which is longer" } },
		{ GIT_FILEMODE_BLOB, { "", "one" } },
		{ GIT_FILEMODE_BLOB_EXECUTABLE, { "one", "#!" } },
		{ GIT_FILEMODE_LINK, { "one", "../a/b" } },
		{ GIT_FILEMODE_COMMIT, { "\x01", "\x02" } },
		{ GIT_FILEMODE_BLOB, { POINTER "1\n", POINTER "2\n" } },
	};
	struct buf path = BUF_INIT;

	for (unsigned depth = draw(f, 3) + 1; depth > 0; depth--)
		buf_addf(&path, "%s%s", path.len ? "/" : "", names[draw(f, ARRAY_LEN(names))]);
	unsigned kind = draw(f, ARRAY_LEN(kinds));
	add(f, root, path.ptr, kinds[kind].mode, kinds[kind].contents[draw(f, 2)]);
	buf_release(&path);
}

/* ---- what the passes for submodules and Git LFS would do ---- */

static void touch_parent(int root_fd, const char *path)
{
	const struct timespec times[] = { { .tv_sec = TIME_S }, { .tv_sec = TIME_S } };
	const char *slash = strrchr(path, '/');
	cleanup_free char *parent = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");

	assert_int_equal(utimensat(root_fd, parent, times, 0), 0);
}

static void put(int root_fd, const char *path, unsigned char content)
{
	const struct timespec times[] = { { .tv_sec = TIME_S }, { .tv_sec = TIME_S } };
	cleanup_fd int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(write(fd, &content, 1), 1);
	assert_int_equal(futimens(fd, times), 0);
	touch_parent(root_fd, path);
}

static void bring(int root_fd, const struct git_left *left)
{
	for (size_t i = 0; i < left->pointers_len; i++)
		put(root_fd, left->pointers[i].path, (unsigned char)left->pointers[i].size);
	for (size_t i = 0; i < left->gitlinks_len; i++) {
		const struct git_gitlink *link = &left->gitlinks[i];
		cleanup_free char *old = xasprintf("%s/%d", link->path, link->before.id[0]);
		cleanup_free char *fresh = xasprintf("%s/%d", link->path, link->commit.id[0]);
		if (link->before.id[0])
			assert_int_equal(unlinkat(root_fd, old, 0), 0);
		put(root_fd, fresh, 0);
	}
}

/* ---- looking ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void look(struct strvec *out, int at, const char *path)
{
	cleanup_dir DIR *dir = fdopendir(openat(at, *path ? path : ".", O_RDONLY | O_DIRECTORY));
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		cleanup_free char *name =
			xasprintf("%s%s%s", path, *path ? "/" : "", entry->d_name);
		char content[100] = "";
		struct stat st;
		assert_int_equal(fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW), 0);
		if (S_ISLNK(st.st_mode)) {
			assert_true(readlinkat(at, name, content, sizeof content - 1) >= 0);
		} else if (S_ISREG(st.st_mode)) {
			cleanup_fd int fd = openat(at, name, O_RDONLY);
			assert_true(read(fd, content, sizeof content - 1) >= 0);
		}
		cleanup_free char *line = xasprintf("%s %o %lld \"%s\"", name, st.st_mode,
						    (long long)st.st_mtime, content);
		strvec_push(out, line);
		if (S_ISDIR(st.st_mode))
			look(out, at, name);
	}
}

static void assert_same(int one, int other, const char *hint)
{
	cleanup_strvec struct strvec a = { 0 }, b = { 0 };

	look(&a, one, "");
	look(&b, other, "");
	if (a.len)
		qsort(a.items, a.len, sizeof *a.items, compare);
	if (b.len)
		qsort(b.items, b.len, sizeof *b.items, compare);
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		if (strcmp(a.items[i], b.items[i]) != 0)
			fail_msg("%s: \"%s\" should be \"%s\"", hint, a.items[i], b.items[i]);
	}
	if (a.len != b.len)
		fail_msg("%s: %zu, not %zu entries", hint, a.len, b.len);
}

/* ---- the tests ---- */

static int open_folder(const struct fixture *f, const char *name)
{
	cleanup_free char *path = fs_join(f->dir, name);

	assert_works(fs_remove_tree(path, &err));
	assert_works(fs_mkdirs(path, 0755, &err));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void update(struct fixture *f, int fd, const git_tree *before, const git_tree *after,
		   const struct ignore *ignore, struct git_tally *tally)
{
	struct git_update update = {
		.before = before,
		.after = after,
		.prefix = "",
		.time_s = TIME_S,
		.ignore = ignore,
	};
	struct git_left left = { 0 };

	assert_works(git_update_folder(fd, &update, tally, &left, &f->x, &err));
	bring(fd, &left);
	git_left_release(&left);
}

static void step(struct fixture *f, int fd, git_tree **before, const struct ignore *ignore,
		 struct node *root, struct git_tally *tally, const char *hint)
{
	git_tree *after = tree_of(f, root);
	struct git_tally fresh = { 0 };
	cleanup_fd int fresh_fd = open_folder(f, "fresh");

	update(f, fd, *before, after, ignore, tally);
	update(f, fresh_fd, NULL, after, ignore, &fresh);
	assert_same(fd, fresh_fd, hint);
	assert_int_equal(tally->entries, fresh.entries);
	assert_int_equal(tally->bytes, fresh.bytes);
	git_tree_free(*before);
	*before = after;
}

static void follow_random_trees(struct fixture *f, const char *rules)
{
	struct ignore_limits limits = IGNORE_LIMITS_DEFAULT;
	struct ignore *ignore = NULL;
	struct git_tally tally = { 0 };
	git_tree *before = NULL;
	struct node root = { 0 };
	cleanup_fd int fd = open_folder(f, "kept");

	assert_works(ignore_read(&ignore, str_from(rules), "rules", &limits, &err));
	for (int i = 0; i < 40; i++) {
		cleanup_free char *hint = xasprintf("rules %s, step %d", rules, i);
		if (draw(f, 4) == 0)
			empty(&root);
		for (unsigned n = draw(f, 8); n > 0; n--)
			add_random(f, &root);
		step(f, fd, &before, ignore, &root, &tally, hint);
	}
	empty(&root);
	git_tree_free(before);
	ignore_destroy(ignore);
}

static void any_tree_after_any_other_is_as_if_written_alone(void **state)
{
	static const char *const rules[] = {
		"",
		"a\n",
		"a\n!a/b\n",
		"*\n!*/b\n",
		"**/c\nB\n!B/a\n",
		"*\n!a/b/c\n!b\n",
		"a/*\n!a/b/*\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		follow_random_trees(*state, rules[i]);
}

static git_tree *small_tree(struct fixture *f, const char *const *files, size_t n)
{
	struct node root = { 0 };

	for (size_t i = 0; i < n; i++)
		add(f, &root, files[i], GIT_FILEMODE_BLOB, files[i]);
	git_tree *tree = tree_of(f, &root);
	empty(&root);
	return tree;
}

static void a_file_that_is_the_same_is_not_touched_and_a_changed_one_is_another(void **state)
{
	static const char *const first[] = { "a/same", "a/changed" }, *const second[] = {
		"a/same"
	};
	struct fixture *f = *state;
	struct git_tally tally = { 0 };
	struct stat before, after;
	struct node root = { 0 };
	cleanup_fd int fd = open_folder(f, "kept");
	git_tree *old = small_tree(f, first, 2);

	update(f, fd, NULL, old, NULL, &tally);
	assert_int_equal(fstatat(fd, "a/same", &before, 0), 0);
	cleanup_fd int held = openat(fd, "a/changed", O_RDONLY);
	add(f, &root, second[0], GIT_FILEMODE_BLOB, second[0]);
	add(f, &root, "a/changed", GIT_FILEMODE_BLOB, "other text");
	git_tree *new = tree_of(f, &root);
	tally.written = 0;
	update(f, fd, old, new, NULL, &tally);

	assert_int_equal(fstatat(fd, "a/same", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	assert_int_equal(tally.written, 1);
	char text[100] = "";
	assert_int_equal(read(held, text, sizeof text - 1), strlen("a/changed"));
	assert_string_equal(text, "a/changed"); /* whoever had it open still reads the old one */
	empty(&root);
	git_tree_free(old);
	git_tree_free(new);
}

/* A folder that moves comes before it goes; that is no reason to count it twice. */
static void ceilings_hold_for_the_tree_that_is_there_afterwards(void **state)
{
	static const char *const z[] = { "z/1", "z/2", "z/3" }, *const a[] = { "a/1", "a/2",
									       "a/3" };
	static const char *const more[] = { "a/1", "a/2", "a/3", "z/4" };
	struct fixture *f = *state;
	struct git_tally tally = { 0 };
	struct git_left left = { 0 };
	git_tree *trees[] = { small_tree(f, z, 3), small_tree(f, a, 3), small_tree(f, more, 4) };
	cleanup_fd int fd = open_folder(f, "kept");

	f->x.spec.limits.git_entries = 4;
	update(f, fd, NULL, trees[0], NULL, &tally);
	update(f, fd, trees[0], trees[1], NULL, &tally);
	assert_int_equal(tally.entries, 4);
	struct git_update last = { trees[1], trees[2], "", TIME_S, NULL };
	assert_fails(git_update_folder(fd, &last, &tally, &left, &f->x, &err),
		     "git_too_many_files");
	assert_int_equal(faccessat(fd, "z", F_OK, 0), -1); /* counted before it is written */
	f->x.spec.limits.git_entries = 0;
	f->x.spec.limits.git_bytes = tally.bytes;
	assert_fails(git_update_folder(fd, &last, &tally, &left, &f->x, &err), "git_too_large");
	for (size_t i = 0; i < ARRAY_LEN(trees); i++)
		git_tree_free(trees[i]);
}

static void depth_counts_from_the_root_of_the_context(void **state)
{
	static const char *const files[] = { "a/b/c" };
	struct fixture *f = *state;
	struct git_left left = { 0 };
	struct git_tally tally = { 0 };
	git_tree *tree = small_tree(f, files, 1);
	struct git_update deep = { NULL, tree, "vendor/lib", TIME_S, NULL };
	cleanup_fd int fd = open_folder(f, "kept");

	assert_int_equal(mkdirat(fd, "vendor", 0755), 0);
	assert_int_equal(mkdirat(fd, "vendor/lib", 0755), 0);
	f->x.spec.limits.git_depth = 4;
	assert_fails(git_update_folder(fd, &deep, &tally, &left, &f->x, &err), "git_too_deep");
	f->x.spec.limits.git_depth = 5;
	assert_works(git_update_folder(fd, &deep, &tally, &left, &f->x, &err));
	assert_int_equal(faccessat(fd, "vendor/lib/a/b/c", F_OK, 0), 0);
	git_tree_free(tree);
}

/* Rules are for paths of the context, wherever a tree lies in it. */
static void the_prefix_is_a_folder_and_its_files_are_ignored_by_their_whole_path(void **state)
{
	static const char *const files[] = { "keep", "drop" };
	struct ignore_limits limits = IGNORE_LIMITS_DEFAULT;
	struct fixture *f = *state;
	struct git_left left = { 0 };
	struct git_tally tally = { 0 };
	struct ignore *ignore;
	git_tree *tree = small_tree(f, files, 2);
	cleanup_fd int fd = open_folder(f, "kept");

	assert_works(ignore_read(&ignore, STR("lib/drop\nkeep\n"), "rules", &limits, &err));
	struct git_update inner = { NULL, tree, "lib", TIME_S, ignore };
	assert_int_equal(symlinkat("/tmp", fd, "lib"), 0);
	assert_fails(git_update_folder(fd, &inner, &tally, &left, &f->x, &err), "storage");
	assert_int_equal(unlinkat(fd, "lib", 0), 0);
	assert_int_equal(mkdirat(fd, "lib", 0755), 0);
	assert_works(git_update_folder(fd, &inner, &tally, &left, &f->x, &err));
	assert_int_equal(faccessat(fd, "lib/keep", F_OK, 0), 0);
	assert_int_equal(faccessat(fd, "lib/drop", F_OK, 0), -1);
	ignore_destroy(ignore);
	git_tree_free(tree);
}

static void a_link_without_a_target_is_refused(void **state)
{
	struct fixture *f = *state;
	struct git_left left = { 0 };
	struct git_tally tally = { 0 };
	struct node root = { 0 };
	cleanup_fd int fd = open_folder(f, "kept");

	add(f, &root, "link", GIT_FILEMODE_LINK, "");
	git_tree *tree = tree_of(f, &root);
	struct git_update whole = { NULL, tree, "", TIME_S, NULL };
	assert_fails(git_update_folder(fd, &whole, &tally, &left, &f->x, &err), "git_unsafe_tree");
	empty(&root);
	git_tree_free(tree);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_tree_after_any_other_is_as_if_written_alone),
		TEST(a_file_that_is_the_same_is_not_touched_and_a_changed_one_is_another),
		TEST(ceilings_hold_for_the_tree_that_is_there_afterwards),
		TEST(depth_counts_from_the_root_of_the_context),
		TEST(the_prefix_is_a_folder_and_its_files_are_ignored_by_their_whole_path),
		TEST(a_link_without_a_target_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
