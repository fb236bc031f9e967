/* event: what a delivery means: somebody moved a ref of a repository. A plain value. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"

enum event_kind { EVENT_PUSH, EVENT_PING, EVENT_OTHER, EVENT_PULL_REQUEST };

/*
 * What happened to a pull request, in one set of words for all providers. Only the first four can
 * start anything.
 */
enum pull_action {
	PULL_OPENED,
	PULL_REOPENED,
	PULL_UPDATED,    /* its source got new commits */
	PULL_READY,      /* it is no draft any more */
	PULL_RETARGETED, /* another target branch */
	PULL_CLOSED,
	PULL_MERGED,
	PULL_OTHER, /* labels, reviewers, votes, comments */
};

struct pull_request {
	int64_t number;
	enum pull_action action;
	char *target; /* full ref of the branch it is to be merged into */
	char *source; /* full ref of its branch, in the fork for one from a fork; or NULL */
	bool draft;
	bool fork; /* its commits come from another repository, or nobody knows from where */
};

struct event {
	enum event_kind kind;
	char *name;           /* the provider's word: "push", "ping", "git.pullrequest.updated" */
	char *provider;       /* "github" */
	char *repository;     /* identity (repository.h) */
	char *repository_id;  /* another identity of the same repository (Azure: its GUID), or NULL
			       */
	char *repository_url; /* as the provider gave it, for people and for runs */
	char *ref;            /* "refs/heads/main", "refs/tags/v1", "refs/pull/7/head" */
	char *before, *after; /* 40 or 64 hex digits, lower case; of a pull request `after` alone */
	bool created, deleted, forced;
	bool skip;    /* the newest commit's message says [skip ci] or the like; pushes only */
	char *sender; /* login asserted by the provider, or NULL */
	char *title;  /* first line of the newest commit's message, cut; or NULL */
	struct pull_request pull; /* of EVENT_PULL_REQUEST */
};

/* A delivery may tell of several refs at once (Azure Repos, Bitbucket). */
struct events {
	struct event *items;
	size_t len;
};

void event_release(struct event *e);
void event_copy(struct event *to, const struct event *from); /* *to is overwritten */
void events_release(struct events *events);
struct event *events_add(struct events *events); /* zeroed, to be filled */

/* "main" for refs/heads/main, "v1" for refs/tags/v1, else the ref; "" without one. Borrowed. */
const char *event_short_ref(const struct event *e);
bool event_is_tag(const struct event *e);
/* A full ref as git itself takes it (git check-ref-format), of at most 255 bytes. */
bool event_ref_is_valid(struct str ref);
/* 40 or 64 lower-case hex digits. */
bool event_commit_is_valid(struct str commit);
bool event_commit_is_zero(const char *commit); /* what stands for "no commit" */
/*
 * Does a commit's message ask for no build? "[skip ci]", "[ci skip]", "[no ci]", "[skip slipway]"
 * anywhere, without case; "***NO_CI***" as Azure has it.
 */
bool event_message_skips(struct str message);

const char *pull_action_name(enum pull_action action); /* "opened", "updated", … */
int pull_action_parse(enum pull_action *out, const char *name);

/* {"ref","before","after","pullRequest":{…}} for people and for keeping; members without a value
 * are left out. */
json_t *event_to_json(const struct event *e);
int event_from_json(struct event *out, const json_t *object); /* -1: damaged */
