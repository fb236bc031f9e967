/*
 * secrets: the secrets of a run or a task, as a sealed box for its row. A box is bound to its row
 * by name, so that it cannot be moved to another. An empty box stands for "none".
 */
#pragma once
#include "common/crypto.h"
#include "model/run.h"
#include "model/task.h"

void secrets_seal_run(struct buf *box, const struct run *run,
		      const unsigned char key[SEAL_KEY_BYTES]);
void secrets_seal_task(struct buf *box, const struct task *task,
		       const unsigned char key[SEAL_KEY_BYTES]);
/* Put them back. ERR_* "secret_key" when the key is another one or the box was tampered with. */
int secrets_open_run(struct run *run, const unsigned char key[SEAL_KEY_BYTES], struct str box,
		     struct err *err);
int secrets_open_task(struct task *task, const unsigned char key[SEAL_KEY_BYTES], struct str box,
		      struct err *err);
