/*
 * buildah_config: the text of the configuration files that buildah gets instead of the host's.
 * Pure: values in, text out.
 */
#pragma once
#include "common/buf.h"
#include "runner/contract/spec.h"

/*
 * registries.conf: only registries that are configured as insecure may be talked to without TLS,
 * and a name without a registry is Docker Hub's, as docker reads it.
 */
void buildah_registries_conf(struct buf *out, const struct spec *s);

/* containers.conf: nothing of the host's /etc/hosts, and network state in `network_dir`. */
void buildah_containers_conf(struct buf *out, const char *network_dir);

/* storage.conf. */
void buildah_storage_conf(struct buf *out, const char *driver, const char *root,
			  const char *runroot);

/* policy.json: signatures are not asked for. */
void buildah_policy(struct buf *out);

/* auth.json: logins by registry. Holds secrets; wipe it after use. */
void buildah_auth(struct buf *out, const struct spec *s);

/*
 * May the value of a secret build argument with this name stand in buildah's environment? Not when
 * buildah, its runtime or their libraries would take it for their own.
 */
bool buildah_env_is_free(const char *name);
