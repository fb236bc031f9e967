/* delivery: what the verbs about deliveries share. */
#pragma once
#include <jansson.h>

#include "cli/cli.h"

/* Print a delivery, or the trail of a simulated one, as -o wants it. An exit code. */
int delivery_print(const struct cli *cli, const json_t *delivery);
