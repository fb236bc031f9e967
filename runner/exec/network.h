/*
 * network: where the RUN steps of one run find themselves.
 *
 *   slirp4netns   a namespace of the run's own, with user-mode networking: the outside can be
 *                 reached, the host's loopback, its own addresses and private ranges cannot
 *   none          a namespace with nothing in it, made by the engine
 *   host          the host's
 *
 * The namespace is held by a descriptor of ours and by slirp4netns, which watches a pipe of ours:
 * both are gone when we are, however we end.
 */
#pragma once
#include "common/err.h"
#include "common/strvec.h"
#include "runner/contract/spec.h"

struct network;

/*
 * Start it; network_wait() says when it is ready, so that other things can be prepared meanwhile.
 * `kind` as above. Word "engine_unusable".
 */
int network_open(struct network **out, const char *kind, const struct spec *s, struct err *err);
int network_wait(struct network *n, struct err *err);
/* buildah's options: --network, --dns. */
void network_args(const struct network *n, struct strvec *argv);
/* Accepts NULL. */
void network_close(struct network *n);
