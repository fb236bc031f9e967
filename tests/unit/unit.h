/* unit: what every unit test includes. cmocka's header needs the others before it. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/mem.h"

/* The call failed, with this word. */
#define assert_fails(call, the_word)                                                               \
	do {                                                                                       \
		err = (struct err){ 0 };                                                           \
		assert_int_equal((call), -1);                                                      \
		assert_string_equal(err.word, the_word);                                           \
		assert_true(err.code != ERR_NONE && *err.msg);                                     \
	} while (0)

/* The call worked; otherwise the message says why not. */
#define assert_works(call)                                                                         \
	do {                                                                                       \
		err = (struct err){ 0 };                                                           \
		if ((call) < 0)                                                                    \
			fail_msg("%s: %s", err.word, err.msg);                                     \
	} while (0)

/* `part` occurs in `text`. */
#define assert_has(text, part)                                                                     \
	do {                                                                                       \
		if (!strstr((text), (part)))                                                       \
			fail_msg("no \"%s\" in \"%s\"", (part), (text));                           \
	} while (0)
