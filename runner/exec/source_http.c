/* An archive over http(s): fetched under the rules of git (policy, addresses, time), then unpacked.
 */
#include <fcntl.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/scope.h"
#include "runner/exec/git_credential.h"
#include "runner/exec/runlog.h"
#include "runner/exec/source.h"
#include "runner/exec/transfer.h"

enum { PIECE_BYTES = 64 * 1024 };

static const struct {
	const char *net, *ours;
} translations[] = {
	{ "net_unreachable", "context_network" }, { "net_stalled", "context_timeout" },
	{ "net_timeout", "context_timeout" },     { "net_too_large", "context_too_large" },
	{ "net_protocol", "context_network" },
};

static int translate(struct err *err)
{
	for (size_t i = 0; err && i < ARRAY_LEN(translations); i++) {
		if (err_is(err, translations[i].net)) {
			snprintf(err->word, sizeof err->word, "%s", translations[i].ours);
			break;
		}
	}
	return -1;
}

static int check_status(int status, struct err *err)
{
	if (status == 200)
		return 0;
	if (status == 401 || status == 403)
		return err_set(err, ERR_DENIED, "context_auth",
			       "the server of the archive wants credentials (status %d)", status);
	if (status == 404 || status == 410)
		return err_set(err, ERR_NOTFOUND, "context_not_found",
			       "there is no archive at this URL (status %d)", status);
	return err_set(err, ERR_UNAVAILABLE, "context_network",
		       "the server of the archive answers with status %d", status);
}

static int save(struct transfer *response, int fd, struct err *err)
{
	char piece[PIECE_BYTES];
	size_t n = 0;

	do {
		if (transfer_read(response, piece, sizeof piece, &n, err) < 0)
			return translate(err);
		if (fs_write_all(fd, (struct str){ piece, n }, err) < 0)
			return -1;
	} while (n > 0);
	return 0;
}

static int download(int fd, const struct exec *x, const char *url,
		    const struct git_credential *credential, struct err *err)
{
	const struct spec_limits *limits = &x->spec.limits;
	struct transfers_opts opts = {
		.x = x,
		.limit_ms = limits->git_timeout_ms,
		.stall_ms = limits->git_stall_ms,
		.limit_bytes = limits->upload_expanded_bytes,
		.allow = x->spec.allow_addresses,
		.allow_len = x->spec.allow_addresses_len,
	};
	struct transfer_request request = {
		.method = "GET",
		.url = url,
		.username = credential->username,
		.password = credential->username ? &credential->token : NULL,
	};
	struct transfers *session = transfers_create(&opts);
	struct transfer *response = NULL;

	int rc = transfer_open(&response, session, &request, err);
	if (rc < 0)
		translate(err);
	if (rc == 0)
		rc = check_status(transfer_status(response), err);
	if (rc == 0)
		rc = save(response, fd, err);
	transfer_close(response);
	transfers_destroy(session);
	return rc;
}

int source_fetch_http(struct source *out, struct exec *x, const struct context *c, struct err *err)
{
	cleanup_free char *path = fs_join(x->work, "archive");
	struct git_credential credential;
	struct str url = str_from(c->repository);

	if (source_check_credentials(c, err) < 0 || source_check_url(x, c->repository, err) < 0)
		return -1;
	url.len = str_find(url, '?', 0); /* what follows may be a signature */
	runlog_say(x->log, "Fetching " STR_FMT, STR_ARG(url));
	cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fs_fail(err, "make", path);
	unlink(path);
	if (git_credential_find(&credential, x, c->repository, err) < 0)
		return -1;
	int rc = download(fd, x, c->repository, &credential, err);
	git_credential_release(&credential);
	if (rc < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return fs_fail(err, "read", path);
	return source_from_archive(out, x, fd, err);
}
