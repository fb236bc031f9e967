/*
 * policy: may this address, ref or folder be used? Checked before anything is fetched; the address
 * that a name resolves to is checked again when it is connected to (model/address.h). Words are
 * those of cases/hostile.tsv.
 */
#pragma once
#include "common/err.h"
#include "common/strvec.h"
#include "model/address.h"

enum { POLICY_URL_MAX = 2048, POLICY_REF_MAX = 255, POLICY_FOLDER_MAX = 1024 };

/* What the operator allowed beyond the defaults. Borrowed. */
struct policy {
	const struct strvec *schemes; /* "https", "http" */
	const struct cidr *allowed;
	size_t allowed_len;
	const uint16_t *ports; /* beside the scheme's own */
	size_t ports_len;
};

/*
 * A git repository's or an archive's URL, without fragment. Words: "url_invalid", "url_too_long",
 * "url_has_credentials", "scheme_denied", "port_denied", "address_denied".
 */
int policy_check_url(struct str url, const struct policy *policy, struct err *err);
/* A branch, tag, full ref or commit id; no revision syntax. Words: "ref_invalid", "ref_too_long".
 */
int policy_check_ref(struct str ref, struct err *err);
/* A folder of a tree: relative, and inside. Word "path_denied". */
int policy_check_folder(struct str folder, struct err *err);
