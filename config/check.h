/*
 * check: what is right in a value, beyond its kind, and between values. Internal to config/.
 *
 * The checks of one value see its text and know nothing of the file; the caller puts the place
 * before the message.
 */
#pragma once
#include "common/err.h"
#include "common/str.h"
#include "config/source.h"

struct config;

int check_name(struct str value, struct err *err);
int check_login_server(struct str value, struct err *err);
int check_listen(struct str value, struct err *err); /* port 1 to 65535 */
int check_base_url(struct str value, struct err *err);
int check_database(struct str value, struct err *err);
int check_credential_url(struct str value, struct err *err);
int check_git_username(struct str value, struct err *err);
int check_header_name(struct str value, struct err *err);
int check_host_name(struct str value, struct err *err); /* without a port */
int check_runtime(struct str value, struct err *err);

/* As check_listen(), but also port 0, "take a free one". */
int check_listen_any_port(struct str value, struct err *err);

/* Values that only make sense together. `s` is where they were read, for the message. */
int check_config(const struct config *c, const struct source *s, struct err *err);
/* Not loopback means TLS or the explicit word of the operator. */
int check_listen_is_safe(const struct config *c, const struct source *s, struct err *err);
/* The certificate is there, is valid now, and belongs to the key. */
int check_tls(const struct config *c, const struct source *s, struct err *err);
