#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/cause.h"
#include "runner/exec/buildah_errors.h"

static const enum buildah_phase B = BUILDAH_BUILD, P = BUILDAH_PUSH;

static struct err explain(enum buildah_phase phase, const char *tail, int exit_code)
{
	struct dockerfile d = { 0 };
	struct err err = { 0 };

	dockerfile_scan(&d, STR("FROM base\nCOPY nope /x\nRUN make all\nRUN <<EOF\nEOF\n"), NULL);
	struct buildah_end end = {
		.phase = phase,
		.result = { .exit_code = exit_code },
		.tail = str_from(tail),
		.dockerfile = phase == BUILDAH_BUILD ? &d : NULL,
	};
	assert_int_equal(buildah_explain(&end, &err), -1);
	dockerfile_release(&d);
	return err;
}

/* What buildah 1.28 really printed. */
static const struct {
	enum buildah_phase phase;
	const char *error, *word;
	const char *says; /* part of the message */
} rows[] = {
	{ B, "building at STEP \"RUN make all\": while running runtime: exit status 3",
	  "build_failed", "Dockerfile line 3: RUN ended with exit code 3: make all" },
	{ B, "building at STEP \"RUN other\": while running runtime: exit status 127",
	  "build_failed", "RUN ended with exit code 127 (command not found): other" },
	{ B, "building at STEP \"RUN make all\": while running runtime: exit status 137",
	  "build_killed", "line 3" },
	{ B,
	  "building at STEP \"COPY nope /x\": checking on sources under \"/c\": copier: stat: "
	  "\"/nope\": no such file or directory",
	  "build_failed", "Dockerfile line 2: the context holds no such file" },
	{ B,
	  "building at STEP \"ADD http://127.0.0.1:1/nope /x\": reading \"http://127.0.0.1:1/nope\": "
	  "Get \"http://127.0.0.1:1/nope\": dial tcp 127.0.0.1:1: connect: connection refused",
	  "build_failed", "ADD could not fetch" },
	{ B,
	  "building at STEP \"FOO \": Build error: Unknown instruction: \"FOO\" &imagebuilder.Step{}",
	  "dockerfile_invalid", "here-documents" },
	{ B,
	  "building at STEP \"RUN --mount=type=foo id\": resolving mountpoints for container "
	  "\"5276\": invalid mount type \"foo\"",
	  "dockerfile_invalid", "unknown type" },
	{ B, "building at STEP \"RUN --x id\": RUN only supports the --mount flag",
	  "dockerfile_invalid", "does not know this option" },
	{ B, "no FROM statement found", "dockerfile_invalid", "FROM" },
	{ B, "FROM requires either one argument, or three: FROM <source> [as <name>]",
	  "dockerfile_invalid", "FROM IMAGE" },
	{ B, "parsing main Dockerfile: /d/work/Dockerfile: ENV must have two arguments",
	  "dockerfile_invalid", "cannot be read: ENV must have two arguments" },
	{ B,
	  "creating build container: Invalid image name \"UPPER/x\", expected colon-separated "
	  "transport:reference",
	  "dockerfile_invalid", "UPPER/x" },
	{ B, "The target \"nope\" was not found in the provided Dockerfile", "target_not_found",
	  "nope" },
	{ B, "COPY --from=nope: no stage or image found with that name", "dockerfile_invalid",
	  "nope" },
	{ B,
	  "creating build container: initializing source docker://r/nope:1: reading manifest 1 in "
	  "r/nope: manifest unknown: manifest unknown",
	  "base_image_not_found", "docker://r/nope:1" },
	{ B,
	  "creating build container: initializing source docker://nope:1: reading manifest latest in "
	  "docker.io/library/nope: errors:\ndenied: requested access to the resource is "
	  "denied\nunauthorized: authentication required",
	  "base_image_denied", "nope" },
	{ B,
	  "creating build container: initializing source docker://r/a:1: unable to retrieve auth "
	  "token: invalid username/password: unauthorized: authentication required",
	  "base_image_denied", "credentials" },
	{ B,
	  "creating build container: initializing source docker://r:1/a:1: pinging container "
	  "registry r:1: Get \"https://r:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
	  "base_image_unreachable", "connection refused" },
	{ B,
	  "creating build container: initializing source docker://r/a:1: pinging container registry "
	  "r: Get \"https://r/v2/\": x509: certificate signed by unknown authority",
	  "tls", "not trusted" },
	{ B, "creating build container: r/base: image not known", "base_image_not_found",
	  "engine.pull" },
	{ B,
	  "committing container for step {}: copying layers: writing blob: storing blob to file: "
	  "write /d/tmp/1: no space left on device",
	  "disk_full", "disk" },
	{ B, "something that nobody has seen before", "engine_failed", "nobody has seen" },
	{ P,
	  "pushing image \"a\" to \"docker://127.0.0.1:1/x:1\": trying to reuse blob sha256:bf at "
	  "destination: pinging container registry 127.0.0.1:1: Get \"https://127.0.0.1:1/v2/\": dial "
	  "tcp 127.0.0.1:1: connect: connection refused",
	  "registry_unreachable", "connection refused" },
	{ P,
	  "pushing image \"a\" to \"docker://r/x:1\": trying to reuse blob sha256:bf at destination: "
	  "checking whether a blob sha256:bf exists in r/x: authentication required",
	  "registry_auth", "credentials" },
	{ P,
	  "pushing image \"a\" to \"docker://r/x:1\": writing blob: initiating layer upload to "
	  "/v2/x/blobs/uploads/ in r: denied: requested access to the resource is denied",
	  "registry_denied", "permit" },
	{ P,
	  "pushing image \"a\" to \"docker://r/x:1\": writing blob: Put \"https://r/v2/x\": http: "
	  "server gave HTTP response to HTTPS client",
	  "registry_protocol", "insecure" },
	{ P,
	  "pushing image \"a\" to \"docker://r/x:1\": writing blob: uploading layer chunked: received "
	  "unexpected HTTP status: 503 Service Unavailable",
	  "registry_unreachable", "trouble" },
	{ P, "pushing image \"a\" to \"docker://r/x:1\": what is this?", "registry_protocol",
	  "what is this?" },
};

static void the_last_error_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char tail[2048];
		snprintf(tail, sizeof tail, "STEP 1/2: FROM base\nsome output\nError: %s\n",
			 rows[i].error);
		struct err err = explain(rows[i].phase, tail, 125);
		if (!err_is(&err, rows[i].word) || !strstr(err.msg, rows[i].says))
			fail_msg("row %zu: %s: %s", i, err.word, err.msg);
	}
}

static void every_word_is_in_the_table_of_causes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(cause_of(rows[i].word)->word, rows[i].word);
	assert_string_equal(cause_of("builder_crash")->word, "builder_crash");
}

static void output_that_looks_like_an_error_does_not_count(void **state)
{
	struct err err =
		explain(B,
			"Error: creating build container: manifest unknown\n"
			"x Error: no space left on device\n"
			"Error: building at STEP \"RUN make all\": while running runtime: exit "
			"status 2\n",
			2);

	(void)state;
	assert_string_equal(err.word, "build_failed");
}

static void a_run_that_cannot_start_says_what_was_missing(void **state)
{
	struct err err = explain(
		B,
		"error running container: from /usr/bin/runc creating container for [/nope]: "
		"time=\"x\" level=error msg=\"runc create failed: unable to start container "
		"process: exec: \\\"/nope\\\": stat /nope: no such file or directory\"\n"
		": exit status 1\n"
		"Error: building at STEP \"RUN make all\": while running runtime: exit status 1\n",
		1);

	(void)state;
	assert_string_equal(err.word, "build_failed");
	assert_non_null(strstr(err.msg, "line 3"));
	assert_non_null(strstr(err.msg, "stat /nope: no such file"));
}

static void a_container_that_a_signal_ended_counts_as_killed(void **state)
{
	static const char error[] =
		"Error: building at STEP \"RUN make all\": while running runtime: exit status 1\n";
	char tail[256];

	(void)state;
	snprintf(tail, sizeof tail, "container exited on killed\n%s", error);
	struct err err = explain(B, tail, 1);
	assert_string_equal(err.word, "build_killed");
	snprintf(tail, sizeof tail, "container exited on segmentation fault\n%s", error);
	err = explain(B, tail, 1);
	assert_string_equal(err.word, "build_failed");
	assert_non_null(strstr(err.msg, "segmentation fault"));
}

static void a_program_of_another_platform_is_named_so(void **state)
{
	struct err err = explain(
		B,
		"error running container: from /usr/bin/runc creating container for [/bin/sh]: "
		"unable to start container process: exec /bin/sh: exec format error\n"
		"Error: building at STEP \"RUN make all\": while running runtime: exit status 1\n",
		1);

	(void)state;
	assert_string_equal(err.word, "platform_unsupported");
}

static void an_engine_without_last_words_crashed(void **state)
{
	struct err err = explain(B, "panic: runtime error\ngoroutine 1 [running]:\n", 2);

	(void)state;
	assert_string_equal(err.word, "builder_crash");
	assert_non_null(strstr(err.msg, "goroutine 1"));
	err = explain(B, "", 139);
	assert_string_equal(err.word, "builder_crash");
}

static void a_signal_is_a_crash_unless_memory_was_short(void **state)
{
	struct buildah_end end = { .phase = B, .result = { .exit_code = -1, .signal = 9 } };
	struct err err = { 0 };

	(void)state;
	end.tail = STR("Error: building at STEP \"RUN x\": while running runtime: exit status 3\n");
	buildah_explain(&end, &err);
	assert_string_equal(err.word, "builder_crash");
	end.memory_bytes = 64 << 20;
	buildah_explain(&end, &err);
	assert_string_equal(err.word, "build_killed");
	assert_non_null(strstr(err.msg, "64 MiB"));
}

static void long_causes_keep_their_ends_and_control_bytes_are_shown_as_marks(void **state)
{
	char tail[4096] = "Error: creating build container: \x1b[31m";
	size_t len = strlen(tail);

	(void)state;
	memset(tail + len, 'x', 2000);
	memcpy(tail + len + 2000, ": the end\n", 11);
	struct err err = explain(B, tail, 125);
	assert_true(strlen(err.msg) < 400);
	assert_non_null(strstr(err.msg, "?[31m"));
	assert_non_null(strstr(err.msg, ": the end"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_error_decides),
		cmocka_unit_test(every_word_is_in_the_table_of_causes),
		cmocka_unit_test(output_that_looks_like_an_error_does_not_count),
		cmocka_unit_test(a_run_that_cannot_start_says_what_was_missing),
		cmocka_unit_test(a_container_that_a_signal_ended_counts_as_killed),
		cmocka_unit_test(a_program_of_another_platform_is_named_so),
		cmocka_unit_test(an_engine_without_last_words_crashed),
		cmocka_unit_test(a_signal_is_a_crash_unless_memory_was_short),
		cmocka_unit_test(long_causes_keep_their_ends_and_control_bytes_are_shown_as_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
