/* event: what a delivery means: somebody moved a ref of a repository. A plain value. */
#pragma once
#include <stdbool.h>

#include "common/str.h"

enum event_kind { EVENT_PUSH, EVENT_PING, EVENT_OTHER };

struct event {
	enum event_kind kind;
	char *name;           /* the provider's word: "push", "ping", "issues" */
	char *provider;       /* "github" */
	char *repository;     /* identity (repository.h) */
	char *repository_url; /* as the provider gave it, for people and for runs */
	char *ref;            /* "refs/heads/main", "refs/tags/v1" */
	char *before, *after; /* 40 or 64 hex digits, lower case */
	bool created, deleted, forced;
	char *sender; /* login asserted by the provider, or NULL */
};

void event_release(struct event *e);
/* "main" for refs/heads/main, "v1" for refs/tags/v1, else the ref; "" without one. Borrowed. */
const char *event_short_ref(const struct event *e);
bool event_is_tag(const struct event *e);
/* A full ref as git itself takes it (git check-ref-format), of at most 255 bytes. */
bool event_ref_is_valid(struct str ref);
