/* views: the columns of each kind of resource (reference/acr-features.md, section 5.4). */
#pragma once
#include "cli/output.h"

extern const struct view view_runs, view_tasks, view_deliveries, view_cancels, view_health,
	view_contexts, view_context_files;
