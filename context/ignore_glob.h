/*
 * ignore_glob: one ignore pattern, compiled. moby turns a pattern into a regular expression, text
 * by text, and some of its verdicts can only be had by doing the same; so do we, and run the result
 * as a set of states, which costs time in proportion to pattern and path, whatever the pattern.
 */
#pragma once
#include <stdbool.h>

#include "common/str.h"
#include "context/ignore_regex.h"

struct glob;

/* Go's filepath.Match syntax, as far as moby has it looked at: no unclosed or empty class, no class
 * that begins with '-', no trailing backslash. */
bool glob_syntax_is_valid(struct str pattern);

/* `pattern` is cleaned and has no '!'. NULL when the expression made of it is none ("[b-a]"). */
struct glob *glob_compile(struct str pattern);
void glob_destroy(struct glob *g);

/* Does it match the path or one of its parent folders? */
bool glob_matches_path_or_parent(const struct glob *g, struct str path);

/* What a path must hold to be matched; see clue_fn. */
void glob_clues(const struct glob *g, clue_fn *clue, void *data);

/* Could it match a path below this folder? True when in doubt. */
bool glob_may_match_below(const struct glob *g, struct str folder);
