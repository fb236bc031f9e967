/*
 * spare: a runner that was started ahead of its run. Loading the program and its libraries costs
 * 15 ms; a spare has them behind it and waits for its specification on standard input. When this
 * server dies it sees the end of the pipe and leaves.
 *
 * Loop thread only.
 */
#pragma once
#include "runner/launch/process.h"

struct spare;

struct spare *spare_create(struct uv_loop_s *loop, const char *program, const char *data_dir);
/* Have one waiting. A spare that died is replaced at the next call, not at once: no spinning. */
void spare_want(struct spare *s);
/*
 * The waiting runner, now the caller's (tell it with process_hand_over()), or NULL. What it says
 * on standard error goes to the file *err_path (the caller's), to be moved to where it belongs.
 */
struct process *spare_take(struct spare *s, char **err_path);
void spare_destroy(struct spare *s); /* a waiting one leaves by itself */
