/*
 * git_lfs_url: which URLs have to do with the Git LFS server of a repository. Pure.
 *
 * The server is the one that git-lfs guesses (git-lfs/docs/api/server-discovery.md):
 * "https://host/app" and "https://host/app.git" have theirs at "https://host/app.git/info/lfs".
 * What the repository's own .lfsconfig says is not followed: whoever can push a commit would choose
 * where our requests go.
 */
#pragma once
#include <stdbool.h>

#include "common/err.h"
#include "common/str.h"

struct policy;

enum { GIT_LFS_HREF_MAX = 16 * 1024 };

/* The LFS server of a repository's URL; owned by the caller. */
char *git_lfs_server_url(struct str repository);

/*
 * May the place that the server names for a download be fetched? The URL without its query must
 * pass policy_check_url(); a query may be as long as signatures are. Words: "scheme_denied",
 * "port_denied", "address_denied"; "git_protocol" when it is no URL that a server may send.
 */
int git_lfs_check_href(struct str href, const struct policy *policy, struct err *err);

/* Does it lie below the repository's own URL, so that the repository's credential is for it? */
bool git_lfs_is_below(struct str repository, struct str href);

/* lfs.url in the text of an .lfsconfig, as far as a note in the log needs it; or empty. */
struct str git_lfs_config_url(struct str text);
