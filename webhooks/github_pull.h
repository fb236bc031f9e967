/*
 * github_pull: GitHub's deliveries about pull requests. Internal to github.c, which has checked
 * who sent them; *event has its name already. Errors and ownership as provider.h's parse().
 */
#pragma once
#include "webhooks/provider.h"

/* "pull_request", whatever happened to it; the ref is refs/pull/N/head, the repository the base. */
int github_read_pull(struct event *event, struct str payload, struct err *err);

/*
 * "merge_group": a merge queue wants to know whether pull requests may go into their target. What
 * it has put together is built as an update of the newest of these pull requests: by the tasks
 * that build pull requests to that target, from the queue's own branch
 * refs/heads/gh-readonly-queue/… It counts as no fork, also with pull requests from forks in it:
 * the branch is of the repository itself, and only who may merge can have it made. Actions other
 * than "checks_requested" are EVENT_OTHER.
 *
 * GitHub tells of that branch by a push too. A task that follows branches by a pattern which takes
 * gh-readonly-queue/… in will build both.
 */
int github_read_merge_group(struct event *event, struct str payload, struct err *err);
