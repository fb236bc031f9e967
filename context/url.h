/*
 * url: a URL cut into its parts, as slices into the text. Only cutting: what is allowed is
 * policy.h's. Also the scp form user@host:path, whose scheme is then "ssh".
 */
#pragma once
#include <stdbool.h>

#include "common/str.h"

struct url {
	struct str scheme;   /* "https", as written */
	struct str userinfo; /* before '@', or empty */
	bool has_userinfo;
	struct str host; /* with its brackets, for IPv6 */
	struct str port; /* digits or what stands there; empty: none */
	bool has_port;
	struct str path;  /* from its first '/'; of the scp form what follows ':' */
	struct str query; /* without '?', or empty */
	bool has_query;
	struct str fragment; /* without '#', or empty */
	bool has_fragment;
	bool is_scp;
};

/* False when the text is neither scheme://… nor user@host:path. */
bool url_split(struct url *out, struct str text);
/* What may be shown of a text that somebody gave as a context: of a URL nothing before its '@'. */
struct str url_shown(struct str text);
