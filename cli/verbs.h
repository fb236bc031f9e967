/* verbs: the table of them; one function a verb, one file each. */
#pragma once
#include "cli/cli.h"

/* The last row has no name. */
extern const struct verb cli_verbs[];

/* The verb that the first one or two words name, and how many they are; or NULL. */
const struct verb *verb_find(int argc, char **argv, int *words);
/* Is there a verb of two words that begins with this one? */
bool verb_is_group(const char *word);
/* The name that comes nearest to the first one or two (or NULL) words; or NULL. */
const char *verb_meant(const char *first, const char *second);

int verb_build(struct cli *cli, int argc, char **argv);
int verb_check_health(struct cli *cli, int argc, char **argv);
int verb_config_check(struct cli *cli, int argc, char **argv);
int verb_config_print(struct cli *cli, int argc, char **argv);
int verb_context_files(struct cli *cli, int argc, char **argv);
int verb_context_parse(struct cli *cli, int argc, char **argv);
int verb_delivery_list(struct cli *cli, int argc, char **argv);
int verb_delivery_replay(struct cli *cli, int argc, char **argv);
int verb_delivery_show(struct cli *cli, int argc, char **argv);
int verb_delivery_simulate(struct cli *cli, int argc, char **argv);
int verb_serve(struct cli *cli, int argc, char **argv);
int verb_task_cancel_run(struct cli *cli, int argc, char **argv);
int verb_task_create(struct cli *cli, int argc, char **argv);
int verb_task_delete(struct cli *cli, int argc, char **argv);
int verb_task_list(struct cli *cli, int argc, char **argv);
int verb_task_list_runs(struct cli *cli, int argc, char **argv);
int verb_task_logs(struct cli *cli, int argc, char **argv);
int verb_task_show(struct cli *cli, int argc, char **argv);
int verb_task_show_run(struct cli *cli, int argc, char **argv);
