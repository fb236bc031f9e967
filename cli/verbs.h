/* verbs: one function a verb, one file each; the table of them is in main.c. */
#pragma once
#include "cli/cli.h"

int verb_build(struct cli *cli, int argc, char **argv);
int verb_check_health(struct cli *cli, int argc, char **argv);
int verb_config_check(struct cli *cli, int argc, char **argv);
int verb_config_print(struct cli *cli, int argc, char **argv);
int verb_delivery_list(struct cli *cli, int argc, char **argv);
int verb_delivery_show(struct cli *cli, int argc, char **argv);
int verb_serve(struct cli *cli, int argc, char **argv);
int verb_task_cancel_run(struct cli *cli, int argc, char **argv);
int verb_task_create(struct cli *cli, int argc, char **argv);
int verb_task_delete(struct cli *cli, int argc, char **argv);
int verb_task_list(struct cli *cli, int argc, char **argv);
int verb_task_list_runs(struct cli *cli, int argc, char **argv);
int verb_task_logs(struct cli *cli, int argc, char **argv);
int verb_task_show(struct cli *cli, int argc, char **argv);
int verb_task_show_run(struct cli *cli, int argc, char **argv);
