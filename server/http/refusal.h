/*
 * refusal: why a request is not taken, as the client will read it. Refusals are constants; a check
 * returns a pointer to one, or NULL when all is well. A refused connection is closed after the
 * answer, because nothing that follows on it can be trusted.
 */
#pragma once

struct refusal {
	int status;          /* 400 */
	const char *word;    /* "bad_framing": error.code of the contract */
	const char *message; /* one sentence: what is wrong, what would be right */
};
