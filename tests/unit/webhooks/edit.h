/* edit: a JSON object that differs a little from another, so that a table need not repeat it. */
#pragma once
#include <jansson.h>

#include "common/str.h"

/*
 * "path=json ; -path": set or remove members, whose paths are the keys of nested objects joined by
 * '.'. Objects on the way are made. Removing what is not there fails the test.
 */
void edit_json(json_t *object, struct str edits);
