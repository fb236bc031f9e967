#include "runner/exec/git_context.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/crypto.h"
#include "common/fs.h"
#include "common/log.h"
#include "common/scope.h"
#include "runner/exec/checkout.h"
#include "runner/exec/checkout_mount.h"
#include "runner/exec/exec.h"
#include "runner/exec/git_bring.h"
#include "runner/exec/git_lfs.h"
#include "runner/exec/git_submodules.h"
#include "runner/exec/git_tree.h"
#include "runner/exec/git_update.h"
#include "runner/exec/runlog.h"

/*
 * What may be the checkout's fault, or that of the tree it was said to hold: then all is written
 * anew, and only what that says counts.
 */
static const char *const may_be_stale[] = {
	"git_bad_object", "git_unsafe_tree", "git_too_many_files", "git_too_large", "storage",
};

static bool is_maybe_stale(const struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(may_be_stale); i++) {
		if (err_is(err, may_be_stale[i]))
			return true;
	}
	return false;
}

/* ---- telling ---- */

/* "4,847" */
static char *grouped(int64_t number)
{
	cleanup_free char *digits = xasprintf("%lld", (long long)number);
	size_t len = strlen(digits);
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf_addc(&out, ',');
		buf_addc(&out, digits[i]);
	}
	return buf_detach(&out);
}

/* "48 MB", as disks are sold. */
static char *amount(int64_t bytes)
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
	size_t unit = 0;
	double value = (double)bytes;

	for (; value >= 1000 && unit + 1 < ARRAY_LEN(units); unit++)
		value /= 1000;
	return xasprintf("%.*f %s", unit && value < 10 ? 1 : 0, value, units[unit]);
}

/* "1 file", "4,847 files" */
static char *files(int64_t number)
{
	cleanup_free char *digits = grouped(number);

	return xasprintf("%s file%s", digits, number == 1 ? "" : "s");
}

static void say_whole(const struct git_tally *tally, const struct exec *x)
{
	cleanup_free char *written = files(tally->written), *size = amount(tally->written_bytes);
	cleanup_free char *ignored = grouped(tally->ignored);

	runlog_say(x->log, "Context: %s, %s%s%s%s", written, size, tally->ignored ? "; " : "",
		   tally->ignored ? ignored : "",
		   tally->ignored ? " left out by the ignore rules" : "");
}

static void say_changes(const struct git_tally *tally, const git_oid *since,
			const struct git_context *c, const struct exec *x)
{
	cleanup_free char *entries = grouped(tally->entries), *size = amount(tally->bytes);
	cleanup_free char *written = files(tally->written), *removed = grouped(tally->removed);
	char commit[8];

	runlog_say(x->log,
		   "Context: %s files and folders, %s%s; %s changed, %s removed since commit %s",
		   entries, size, c->ignore ? " before the ignore rules" : "", written, removed,
		   git_oid_tostr(commit, sizeof commit, since));
}

/* ---- writing ---- */

/* What was left to be brought from elsewhere. */
static int bring_left(int root_fd, const struct git_context *c, const struct git_left *left,
		      struct git_tally *tally, struct exec *x, struct err *err)
{
	const struct git_superproject super = {
		.from = c->from,
		.root = c->root,
		.folder = c->folder,
	};

	if (git_lfs_write(root_fd, c->from, left, c->from->time_s, x, err) < 0)
		return -1;
	return git_submodules_write(root_fd, &super, left, c->ignore, tally, x, err);
}

/* Take the folder from the tree `before` (NULL: it is empty) to that of the context. */
static int write_into(int root_fd, const struct git_context *c, const git_tree *before,
		      struct git_tally *tally, struct exec *x, struct err *err)
{
	struct git_left left = { 0 };
	struct git_update update = {
		.before = before,
		.after = c->tree,
		.prefix = "",
		.time_s = c->from->time_s,
		.ignore = c->ignore,
	};

	int rc = git_update_folder(root_fd, &update, tally, &left, x, err);
	if (rc == 0)
		rc = bring_left(root_fd, c, &left, tally, x, err);
	git_left_release(&left);
	return rc;
}

/* All of it, for this run alone. */
static int write_apart(const char *dir, struct exec *x, const struct git_context *c,
		       struct err *err)
{
	struct git_tally tally = { 0 };

	if (mkdir(dir, 0755) < 0)
		return fs_fail(err, "make the folder", dir);
	cleanup_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fs_fail(err, "open the folder", dir);
	if (write_into(fd, c, NULL, &tally, x, err) < 0) {
		rmdir(dir); /* of a tree that was refused nothing is left, not even that */
		return -1;
	}
	say_whole(&tally, x);
	return 0;
}

/* ---- the kept checkout ---- */

static int renew(struct checkout *slot, struct exec *x, const struct git_context *c,
		 struct err *err)
{
	struct git_tally tally = { 0 };

	if (checkout_empty(slot, err) < 0 ||
	    write_into(slot->files_fd, c, NULL, &tally, x, err) < 0)
		return -1;
	checkout_done(slot, &c->from->commit, git_tree_id(c->tree), &tally);
	say_whole(&tally, x);
	return 0;
}

static int change(struct checkout *slot, struct exec *x, const struct git_context *c,
		  const git_tree *before, struct err *err)
{
	struct git_tally tally = slot->tally;
	git_oid since = slot->commit;

	if (checkout_begin(slot, err) < 0 ||
	    write_into(slot->files_fd, c, before, &tally, x, err) < 0)
		return -1;
	checkout_done(slot, &c->from->commit, git_tree_id(c->tree), &tally);
	say_changes(&tally, &since, c, x);
	return 0;
}

static int bring_up_to_date(struct checkout *slot, struct exec *x, const struct git_context *c,
			    struct err *err)
{
	git_tree *before = NULL;
	struct err why = { 0 };

	/* The mirror may have been thrown away since then, and the tree with it. */
	if (!slot->known || git_tree_lookup(&before, git_tree_owner(c->tree), &slot->tree) < 0)
		return renew(slot, x, c, err);
	int rc = change(slot, x, c, before, &why);
	git_tree_free(before);
	if (rc < 0 && is_maybe_stale(&why)) {
		log_info("checkout.renewed", "run=%s because=\"%s\"", x->spec.run_id, why.msg);
		return renew(slot, x, c, err);
	}
	if (rc < 0 && err)
		*err = why;
	return rc;
}

/*
 * Of what was fetched with a credential nothing is left for a run that does not have it. Hashed,
 * because the rules are kept.
 */
static void describe_credentials(struct buf *out, const struct spec *spec)
{
	struct buf text = BUF_INIT;
	unsigned char hash[SHA256_BYTES];

	for (size_t i = 0; i < spec->git_credentials_len; i++) {
		const struct spec_git_credential *c = &spec->git_credentials[i];
		if (!c->is_answer)
			buf_addf(&text, "%s %s %s\n", c->url, c->username ? c->username : "",
				 secret_is_set(&c->token) ? secret_reveal(&c->token) : "");
	}
	sha256(hash, buf_str(&text));
	if (text.ptr)
		explicit_bzero(text.ptr, text.cap);
	buf_release(&text);
	cleanup_free char *hex = hex_encode(hash, sizeof hash);
	buf_addf(out, "credentials %s\n", hex);
}

/* What an unchanged gitlink means, and who may see it. */
static void describe_submodules(struct buf *out, const struct spec *spec, const git_tree *root)
{
	const git_tree_entry *modules = git_tree_entry_byname(root, ".gitmodules");
	char hex[GIT_OID_HEXSZ + 1];

	if (!modules)
		return;
	buf_addf(out, "modules %s\n", git_oid_tostr(hex, sizeof hex, git_tree_entry_id(modules)));
	describe_credentials(out, spec);
}

/*
 * What decides the content of the folder, given its tree. Ceilings and policy are part of it, as
 * what is not touched is not held against them again.
 */
static void describe_rules(struct buf *out, const struct exec *x, const struct git_context *c)
{
	const struct spec *spec = &x->spec;

	buf_addf(out, "%lld %lld %lld %lld\n", (long long)spec->limits.git_entries,
		 (long long)spec->limits.git_bytes, (long long)spec->limits.git_object_bytes,
		 (long long)spec->limits.git_depth);
	STRVEC_FOREACH (scheme, &spec->allow_schemes)
		buf_addf(out, "scheme %s\n", *scheme);
	STRVEC_FOREACH (host, &spec->submodule_hosts)
		buf_addf(out, "submodules %s\n", *host);
	for (size_t i = 0; i < spec->allow_ports_len; i++)
		buf_addf(out, "port %d\n", spec->allow_ports[i]);
	for (size_t i = 0; i < spec->allow_addresses_len; i++) {
		char text[CIDR_TEXT_BYTES];
		buf_addf(out, "address %s\n", cidr_format(text, &spec->allow_addresses[i]));
	}
	describe_submodules(out, spec, c->root);
	buf_addstr(out, c->ignore_text);
}

static int open_slot(struct checkout **out, const struct exec *x, const struct git_context *c,
		     struct err *err)
{
	cleanup_free char *name = xasprintf("%s\n%s", c->folder, c->ignore_path);
	cleanup_buf struct buf rules = BUF_INIT;
	struct checkout_wanted wanted = { .mirror = c->from->mirror.path, .name = str_from(name) };

	describe_rules(&rules, x, c);
	wanted.rules = buf_str(&rules);
	return checkout_open(out, &wanted, err);
}

/*
 * A checkout that can be shown to the run; NULL where there is none to be had. One that was used
 * since the machine was started has been shown before.
 */
static struct checkout *find_slot(const struct exec *x, const struct git_context *c)
{
	struct checkout *slot = NULL;
	struct err err = { 0 };

	if (!x->own_mounts)
		return NULL;
	if (open_slot(&slot, x, c, &err) < 0) {
		log_warn("checkout.none", "run=%s error=\"%s\"", x->spec.run_id, err.msg);
		return NULL;
	}
	if (slot->known || checkout_mount_is_possible(slot->files, x))
		return slot;
	checkout_close(slot);
	return NULL;
}

/*
 * What is half written is of no use to anybody, and may be what fills the disk. Whoever is in a
 * hurry leaves it to the next run.
 */
static int give_up(struct checkout *slot, const struct err *why, struct err *err)
{
	if (why->code != ERR_CANCELED && why->code != ERR_TIMEOUT)
		checkout_empty(slot, NULL);
	if (err)
		*err = *why;
	return -1;
}

int git_context_make(struct source *out, struct exec *x, const struct git_context *context,
		     struct err *err)
{
	struct err why = { 0 };

	out->dir = fs_join(x->work, "context");
	out->checkout = find_slot(x, context);
	if (!out->checkout)
		return write_apart(out->dir, x, context, err);
	if (bring_up_to_date(out->checkout, x, context, &why) < 0)
		return give_up(out->checkout, &why, err);
	if (checkout_mount(out->dir, out->checkout->files, x, &why) == 0)
		return 0;
	log_warn("checkout.not_shown", "run=%s error=\"%s\"", x->spec.run_id, why.msg);
	return write_apart(out->dir, x, context, err);
}
