#include "runner/exec/git_submodules.h"

#include <fcntl.h>
#include <git2/oid.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/scope.h"
#include "context/gitmodules.h"
#include "context/ignore.h"
#include "context/policy.h"
#include "context/submodule_url.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_bring.h"
#include "runner/exec/git_lfs.h"
#include "runner/exec/git_tree.h"
#include "runner/exec/git_update.h"
#include "runner/exec/runlog.h"
#include "runner/exec/source.h"

enum {
	DEPTH_MAX = 10,  /* of submodules in submodules: an end to those that hold each other */
	COUNT_MAX = 500, /* in all, each of which is a request at least */
	LOG_ID_BYTES = 8,
};

/* What all submodules of a run share. */
struct work {
	int root_fd; /* of the context */
	const char *main_url;
	const struct ignore *ignore;
	struct git_tally *tally;
	struct exec *x;
	int count;
};

/* A repository whose submodules are being written. */
struct holder {
	const char *url;
	const char *folder; /* of the context in it; "": its root */
	const char *prefix; /* where that lies in the context: "", or "vendor/lib" */
	struct gitmodules modules;
	int depth; /* 0: the repository of the run */
};

/* ---- what .gitmodules says ---- */

static int read_modules(struct gitmodules *out, const git_tree *root, struct err *err)
{
	cleanup_buf struct buf text = BUF_LIMIT(GITMODULES_BYTES);
	struct err why = { 0 };

	*out = (struct gitmodules){ 0 };
	if (git_tree_read(&text, root, ".gitmodules", &why) == 0)
		return gitmodules_read(out, buf_str(&text), err);
	if (err_is(&why, "not_found"))
		return 0;
	if (err_is(&why, "not_a_file"))
		return err_set(err, ERR_INVALID, "git_unsafe_tree", "%s", why.msg);
	if (err_is(&why, "too_large"))
		return err_set(err, ERR_LIMIT, "git_unsafe_submodule", "%s", why.msg);
	if (err)
		*err = why;
	return -1;
}

/* From the root of the context to the root of the repository. */
static char *path_in(const struct holder *h, const char *path)
{
	size_t len = strlen(h->prefix);
	const char *inside = len ? path + len + 1 : path;

	return xasprintf("%s%s%s", h->folder, *h->folder ? "/" : "", inside);
}

static int find_url(char **out, const struct work *w, const struct holder *h,
		    const struct gitmodule *m, struct err *err)
{
	const struct policy policy = source_policy(w->x);

	if (!m->url)
		return err_set(err, ERR_INVALID, "git_unsafe_submodule",
			       ".gitmodules line %d: the submodule has no url", m->path_line);
	if (submodule_url_resolve(out, str_from(m->url), str_from(h->url), &policy, err) < 0)
		return err_wrap(err, ".gitmodules line %d", m->url_line);
	return 0;
}

static int check_host(const struct work *w, const char *url, struct err *err)
{
	if (submodule_host_allowed(url, w->main_url, &w->x->spec.submodule_hosts))
		return 0;
	return err_set(err, ERR_DENIED, "submodule_denied",
		       "%.200s is on another host than the repository, and git.submodule_hosts "
		       "does not list it",
		       url);
}

static int check_ceilings(struct work *w, const struct holder *h, struct err *err)
{
	if (h->depth >= DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "git_too_deep",
			       "submodules are nested more than %d deep", DEPTH_MAX);
	if (++w->count > COUNT_MAX)
		return err_set(err, ERR_LIMIT, "git_too_many_submodules",
			       "there are more than %d submodules", COUNT_MAX);
	return 0;
}

/* ---- the folder of one ---- */

static int open_inside(int root_fd, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
}

/* What it held goes on counting in the tally: nobody knows how much it was. */
static int empty_folder(int root_fd, const char *path, struct err *err)
{
	int fd = open_inside(root_fd, path);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!dir) {
		fs_fail(err, "open the folder", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (rc == 0 && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = fs_remove_tree_at(dirfd(dir), entry->d_name, err);
	}
	return rc;
}

/* An ignored folder is there only for the sake of what is re-included below it. */
static void remove_if_needless(const struct work *w, const char *path)
{
	cleanup_free char *folder = xstrdup(path);
	struct ignore_verdict verdict;

	for (char *end = folder; end; end = strrchr(folder, '/')) {
		if (end > folder)
			*end = '\0';
		ignore_match(w->ignore, str_from(folder), &verdict);
		if (!verdict.ignored || unlinkat(w->root_fd, folder, AT_REMOVEDIR) < 0)
			return;
	}
}

static bool is_same_entry(const git_tree *a, const git_tree *b, const char *name)
{
	const git_tree_entry *of_a = git_tree_entry_byname(a, name);
	const git_tree_entry *of_b = git_tree_entry_byname(b, name);

	if (!of_a || !of_b)
		return of_a == of_b;
	return git_oid_equal(git_tree_entry_id(of_a), git_tree_entry_id(of_b));
}

/* The tree that the folder holds, to go on from; NULL when it has to be written anew. */
static git_tree *find_before(const git_tree *tree, const struct git_gitlink *link)
{
	git_tree *before = NULL;

	if (git_oid_is_zero(&link->before) ||
	    git_tree_open(&before, git_tree_owner(tree), &link->before, "", NULL) < 0)
		return NULL;
	if (is_same_entry(before, tree, ".gitmodules"))
		return before;
	git_tree_free(before);
	return NULL;
}

static int write_tree(struct work *w, const struct git_brought *from, const git_tree *tree,
		      const struct git_gitlink *link, struct git_left *left, struct err *err)
{
	git_tree *before = find_before(tree, link);
	const struct git_update update = {
		.before = before,
		.after = tree,
		.prefix = link->path,
		.time_s = from->time_s,
		.ignore = w->ignore,
	};
	int rc = 0;

	if (!before && !git_oid_is_zero(&link->before))
		rc = empty_folder(w->root_fd, link->path, err);
	if (rc == 0)
		rc = git_update_folder(w->root_fd, &update, w->tally, left, w->x, err);
	if (rc == 0)
		rc = git_lfs_write(w->root_fd, from, left, from->time_s, w->x, err);
	git_tree_free(before);
	return rc;
}

/* ---- one submodule ---- */

/* What is known of one once it is written, for those in it. Owned. */
struct written {
	char *url;
	struct gitmodules modules;
	struct git_left left;
};

static void written_release(struct written *s)
{
	free(s->url);
	gitmodules_release(&s->modules);
	git_left_release(&s->left);
	*s = (struct written){ 0 };
}

static int write_brought(struct written *out, struct work *w, const struct git_brought *from,
			 const struct git_gitlink *link, struct err *err)
{
	git_tree *tree = NULL;

	if (git_tree_open(&tree, from->mirror.repo, &from->commit, "", err) < 0)
		return -1;
	int rc = read_modules(&out->modules, tree, err);
	if (rc == 0)
		rc = write_tree(w, from, tree, link, &out->left, err);
	git_tree_free(tree);
	return rc;
}

/* A damaged mirror is thrown away, as that of the run's repository is. */
static int heal(struct written *out, struct work *w, struct git_brought *from,
		const struct git_wanted *wanted, const struct git_gitlink *link, struct err *err)
{
	const struct git_gitlink anew = { .path = link->path, .commit = link->commit };

	runlog_say(w->x->log, "Submodule %.300s: %s: fetching all of it again", link->path,
		   err->msg);
	written_release(out);
	if (git_bring_again(from, w->x, wanted, err) < 0 ||
	    empty_folder(w->root_fd, link->path, err) < 0)
		return -1;
	return write_brought(out, w, from, &anew, err);
}

/* Nobody went back on a push here: the commit was never pushed, or to another repository. */
static int explain_gone(const char *url, const char *id, struct err *err)
{
	if (!err || !err_is(err, "commit_gone"))
		return -1;
	return err_set(
		err, err->code, "commit_gone",
		"%.200s does not have the commit %s that the repository wants: push it there", url,
		id);
}

/* Its mirror is locked in here alone. */
static int bring(struct written *out, struct work *w, const char *url,
		 const struct git_gitlink *link, struct err *err)
{
	char id[GIT_OID_HEXSZ + 1], shown[LOG_ID_BYTES];
	const struct git_wanted wanted = {
		.url = url,
		.commit = git_oid_tostr(id, sizeof id, &link->commit),
	};
	struct git_tally tally = *w->tally;
	struct git_brought from;

	if (git_bring(&from, w->x, &wanted, err) < 0)
		return explain_gone(url, id, err);
	runlog_say(w->x->log, "Submodule %.300s: %s at %s", link->path, url,
		   git_oid_tostr(shown, sizeof shown, &link->commit));
	int rc = write_brought(out, w, &from, link, err);
	if (rc < 0 && err_is(err, "git_bad_object")) {
		*w->tally = tally;
		rc = heal(out, w, &from, &wanted, link, err);
	}
	git_brought_release(&from);
	return rc;
}

static int write_one(struct written *out, struct work *w, const struct holder *h,
		     const struct gitmodule *m, const struct git_gitlink *link, struct err *err)
{
	cleanup_free char *url = NULL;

	if (check_ceilings(w, h, err) < 0 || find_url(&url, w, h, m, err) < 0 ||
	    check_host(w, url, err) < 0 || bring(out, w, url, link, err) < 0) {
		written_release(out);
		return err_wrap(err, "submodule %.200s", link->path);
	}
	out->url = url;
	url = NULL;
	return 0;
}

/* ---- all of them ---- */

static int write_all(struct work *w, const struct holder *h, const struct git_left *left,
		     struct err *err);

static int write_link(struct work *w, const struct holder *h, const struct git_gitlink *link,
		      struct err *err)
{
	cleanup_free char *path = path_in(h, link->path);
	const struct gitmodule *m = gitmodules_find(&h->modules, str_from(path));
	struct written one = { 0 };

	if (!m || m->skip) {
		runlog_say(w->x->log, "Submodule %.300s stays empty: %s", link->path,
			   m ? ".gitmodules says update = none" : ".gitmodules does not name it");
		remove_if_needless(w, link->path);
		return 0;
	}
	if (write_one(&one, w, h, m, link, err) < 0)
		return -1;
	const struct holder inner = {
		.url = one.url,
		.folder = "",
		.prefix = link->path,
		.modules = one.modules,
		.depth = h->depth + 1,
	};
	int rc = write_all(w, &inner, &one.left, err);
	if (rc == 0)
		remove_if_needless(w, link->path);
	written_release(&one);
	return rc;
}

static int write_all(struct work *w, const struct holder *h, const struct git_left *left,
		     struct err *err)
{
	for (size_t i = 0; i < left->gitlinks_len; i++) {
		if (exec_may_go_on(w->x, err) < 0 || write_link(w, h, &left->gitlinks[i], err) < 0)
			return -1;
	}
	return 0;
}

/* A failure to lock it again counts only when there is no other. */
static int write_unlocked(struct work *w, const struct holder *h, const struct git_left *left,
			  struct git_mirror *mirror, struct err *err)
{
	struct err why;

	git_mirror_pause(mirror);
	int rc = write_all(w, h, left, err);
	if (git_mirror_resume(mirror, w->x, rc < 0 ? &why : err) < 0)
		return -1;
	return rc;
}

int git_submodules_write(int root_fd, const struct git_superproject *super,
			 const struct git_left *left, const struct ignore *ignore,
			 struct git_tally *tally, struct exec *x, struct err *err)
{
	struct holder h = { .url = super->from->url, .folder = super->folder, .prefix = "" };
	struct work w = {
		.root_fd = root_fd,
		.main_url = super->from->url,
		.ignore = ignore,
		.tally = tally,
		.x = x,
	};

	if (read_modules(&h.modules, super->root, err) < 0)
		return -1;
	int rc = 0;
	if (left->gitlinks_len)
		rc = write_unlocked(&w, &h, left, &super->from->mirror, err);
	gitmodules_release(&h.modules);
	return rc;
}
