/*
 * vars: the variables of image names, build arguments and targets: {{.Run.ID}} and its friends,
 * with ACR's spelling. Blanks inside the braces are allowed.
 *
 *   .Run.ID .Run.Registry .Run.RegistryName .Run.Date .Run.Commit .Run.Branch .Run.GitTag
 *   .Run.TaskName .Run.OS .Run.Architecture, and .Build.ID, the old name of .Run.ID
 */
#pragma once
#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"

struct vars {
	const char *run_id;
	const char *registry; /* login server */
	const char *registry_name;
	const char *date;    /* "20240131-120000z", UTC: valid inside a tag */
	const char *commit;  /* full id; "" when there is no git context */
	const char *branch;  /* short name, made safe for a tag ('/' becomes '-'); "" when none */
	const char *git_tag; /* short name of the tag that was pushed; "" when none */
	const char *task;    /* "" for a manual build */
	const char *os, *architecture;
};

/* Unknown variable or open braces: "variable_invalid", with the nearest known name. */
int vars_expand(struct buf *out, const struct vars *vars, struct str text, struct err *err);
/* Expand with harmless sample values: to check a template before there is a run. */
int vars_expand_sample(struct buf *out, struct str text, struct err *err);
