#include "runner/exec/buildah_errors.h"

#include "common/scope.h"

enum { CAUSE_HEAD = 100, CAUSE_TAIL = 140, STEP_MAX = 80, PLACE_BYTES = 32 };

enum { BUILD = BUILDAH_BUILD, PUSH = BUILDAH_PUSH, BOTH = BUILD | PUSH };

/*
 * The first row wins whose text (and second text, if there is one) stands in buildah's last error.
 * The sentence is followed by buildah's own words.
 */
static const struct verdict {
	int phases;
	const char *text, *and;
	enum err_code code;
	const char *word, *sentence;
} verdicts[] = {
	{ BOTH, "no space left on device", NULL, ERR_INTERNAL, "disk_full",
	  "the disk of the data folder is full" },
	{ BOTH, "disk quota exceeded", NULL, ERR_INTERNAL, "disk_full",
	  "the disk quota of the data folder is used up" },

	{ BUILD, "at STEP \"ADD ", "reading \"", ERR_INVALID, "build_failed",
	  "ADD could not fetch its source" },
	{ BUILD, "copier: stat:", "no such file", ERR_INVALID, "build_failed",
	  "the context holds no such file (or an ignore rule leaves it out)" },
	{ BUILD, "no items matching glob", NULL, ERR_INVALID, "build_failed",
	  "the context holds no such file (or an ignore rule leaves it out)" },

	{ BUILD, "not found in the provided Dockerfile", NULL, ERR_NOTFOUND, "target_not_found",
	  "the Dockerfile has no stage of that name" },
	{ BUILD, "no stage or image found with that name", NULL, ERR_INVALID, "dockerfile_invalid",
	  "COPY --from names neither a stage nor an image" },
	{ BUILD, "Unknown instruction", NULL, ERR_INVALID, "dockerfile_invalid",
	  "the Dockerfile holds an unknown instruction" },
	{ BUILD, "unknown instruction", NULL, ERR_INVALID, "dockerfile_invalid",
	  "the Dockerfile holds an unknown instruction" },
	{ BUILD, "only supports the --", NULL, ERR_INVALID, "dockerfile_invalid",
	  "the engine does not know this option" },
	{ BUILD, "parsing main Dockerfile", NULL, ERR_INVALID, "dockerfile_invalid",
	  "the Dockerfile cannot be read" },
	{ BUILD, "no FROM statement", NULL, ERR_INVALID, "dockerfile_invalid",
	  "the Dockerfile does not begin with FROM" },
	{ BUILD, "no stages to build", NULL, ERR_INVALID, "dockerfile_invalid",
	  "the Dockerfile holds no FROM" },
	{ BUILD, "FROM requires", NULL, ERR_INVALID, "dockerfile_invalid",
	  "FROM is not written as FROM IMAGE [AS NAME]" },
	{ BUILD, "nvalid image name", NULL, ERR_INVALID, "dockerfile_invalid",
	  "FROM names no valid image" },
	{ BUILD, "must be lowercase", NULL, ERR_INVALID, "dockerfile_invalid",
	  "FROM names no valid image" },
	{ BUILD, "invalid reference format", NULL, ERR_INVALID, "dockerfile_invalid",
	  "FROM names no valid image" },
	{ BUILD, "base name (", "should not be blank", ERR_INVALID, "dockerfile_invalid",
	  "FROM names no image: is a build argument missing?" },
	{ BUILD, "invalid mount type", NULL, ERR_INVALID, "dockerfile_invalid",
	  "RUN --mount names an unknown type" },

	{ BUILD, "manifest unknown", NULL, ERR_NOTFOUND, "base_image_not_found",
	  "the registry has no such image" },
	{ BUILD, "name unknown", NULL, ERR_NOTFOUND, "base_image_not_found",
	  "the registry has no such image" },
	{ BUILD, "repository name not known", NULL, ERR_NOTFOUND, "base_image_not_found",
	  "the registry has no such image" },
	{ BUILD, "image not known", NULL, ERR_NOTFOUND, "base_image_not_found",
	  "the image is not here, and engine.pull forbids fetching it" },
	{ BUILD, "no image found in manifest list", NULL, ERR_NOTFOUND, "platform_unsupported",
	  "the image does not exist for this platform" },
	{ BUILD, "no child with platform", NULL, ERR_NOTFOUND, "platform_unsupported",
	  "the image does not exist for this platform" },
	{ BUILD, "resource is denied", NULL, ERR_DENIED, "base_image_denied",
	  "the image does not exist, or its registry needs other credentials" },
	{ BUILD, "unauthorized", NULL, ERR_DENIED, "base_image_denied",
	  "the registry refuses the credentials, or needs some" },
	{ BUILD, "authentication required", NULL, ERR_DENIED, "base_image_denied",
	  "the registry refuses the credentials, or needs some" },
	{ BUILD, "invalid username/password", NULL, ERR_DENIED, "base_image_denied",
	  "the registry refuses the credentials" },

	{ PUSH, "unauthorized", NULL, ERR_DENIED, "registry_auth",
	  "the registry refuses the credentials, or needs some" },
	{ PUSH, "authentication required", NULL, ERR_DENIED, "registry_auth",
	  "the registry refuses the credentials, or needs some" },
	{ PUSH, "invalid username/password", NULL, ERR_DENIED, "registry_auth",
	  "the registry refuses the credentials" },
	{ PUSH, "denied", NULL, ERR_DENIED, "registry_denied",
	  "the registry does not permit this push" },
	{ PUSH, "403", "Forbidden", ERR_DENIED, "registry_denied",
	  "the registry does not permit this push" },

	{ BOTH, "x509:", NULL, ERR_DENIED, "tls", "the registry's certificate is not trusted" },
	{ BOTH, "tls: ", NULL, ERR_DENIED, "tls", "there is no secure connection to the registry" },
	{ BOTH, "server gave HTTP response to HTTPS client", NULL, ERR_DENIED, "registry_protocol",
	  "the registry speaks no TLS, and is not configured as insecure" },

	{ BUILD, "dial tcp", NULL, ERR_UNAVAILABLE, "base_image_unreachable",
	  "the registry cannot be reached" },
	{ BUILD, "connection re", NULL, ERR_UNAVAILABLE, "base_image_unreachable",
	  "the registry refuses the connection or cut it" },
	{ BUILD, "timeout", NULL, ERR_UNAVAILABLE, "base_image_unreachable",
	  "the registry does not answer in time" },
	{ BUILD, "deadline exceeded", NULL, ERR_UNAVAILABLE, "base_image_unreachable",
	  "the registry does not answer in time" },
	{ BUILD, "toomanyrequests", NULL, ERR_UNAVAILABLE, "base_image_unreachable",
	  "the registry wants us to wait" },
	{ BUILD, "unexpected HTTP status: 5", NULL, ERR_UNAVAILABLE, "base_image_unreachable",
	  "the registry is in trouble" },
	{ BUILD, "pinging container registry", NULL, ERR_UNAVAILABLE, "base_image_unreachable",
	  "the registry gives no useful answer" },

	{ PUSH, "dial tcp", NULL, ERR_UNAVAILABLE, "registry_unreachable",
	  "the registry cannot be reached" },
	{ PUSH, "connection re", NULL, ERR_UNAVAILABLE, "registry_unreachable",
	  "the registry refuses the connection or cut it" },
	{ PUSH, "timeout", NULL, ERR_UNAVAILABLE, "registry_unreachable",
	  "the registry does not answer in time" },
	{ PUSH, "deadline exceeded", NULL, ERR_UNAVAILABLE, "registry_unreachable",
	  "the registry does not answer in time" },
	{ PUSH, "EOF", NULL, ERR_UNAVAILABLE, "registry_unreachable",
	  "the registry cut the connection" },
	{ PUSH, "toomanyrequests", NULL, ERR_UNAVAILABLE, "registry_unreachable",
	  "the registry wants us to wait" },
	{ PUSH, "unexpected HTTP status: 5", NULL, ERR_UNAVAILABLE, "registry_unreachable",
	  "the registry is in trouble" },
	{ PUSH, "status 5", NULL, ERR_UNAVAILABLE, "registry_unreachable",
	  "the registry is in trouble" },
	{ PUSH, " invalid: ", NULL, ERR_INVALID, "registry_protocol",
	  "the registry rejects the image" },
	{ PUSH, "", NULL, ERR_UNAVAILABLE, "registry_protocol",
	  "the registry did not take the image" },

	{ BUILD, "building at STEP", NULL, ERR_INVALID, "build_failed", "a step failed" },
};

/* Index of the first `needle`, or text.len. */
static size_t find_first(struct str text, const char *needle)
{
	const char *at = memmem(text.ptr, text.len, needle, strlen(needle));

	return at ? (size_t)(at - text.ptr) : text.len;
}

static bool holds(struct str text, const char *needle)
{
	return find_first(text, needle) < text.len || !*needle;
}

/* Index of the last `needle`, or text.len. */
static size_t find_last(struct str text, const char *needle)
{
	size_t n = strlen(needle);

	for (size_t i = text.len >= n ? text.len - n + 1 : 0; i-- > 0;) {
		if (memcmp(text.ptr + i, needle, n) == 0)
			return i;
	}
	return text.len;
}

/* From the last line that begins with "Error: " to the end; empty when there is none. */
static struct str last_words(struct str tail)
{
	static const char start[] = "Error: ";
	size_t at = find_last(tail, "\nError: ");

	if (at < tail.len)
		return str_trim(str_after(tail, at + sizeof start));
	if (str_starts(tail, start))
		return str_trim(str_after(tail, sizeof start - 1));
	return (struct str){ "", 0 };
}

static struct str first_line(struct str text)
{
	return str_slice(text, 0, str_find(text, '\n', 0));
}

/* What the user does not know by now: not the name of our copy, nor what buildah was doing. */
static struct str without_noise(struct str line)
{
	static const char *const noise[] = { "building: ", "creating build container: ",
					     "parsing main Dockerfile: " };
	struct str file;

	for (size_t i = 0; i < ARRAY_LEN(noise); i++) {
		if (str_starts(line, noise[i]))
			line = str_after(line, strlen(noise[i]));
	}
	file = str_slice(line, 0, str_find(line, ':', 0));
	return str_ends(file, "/Dockerfile") ? str_trim(str_after(line, file.len + 1)) : line;
}

/* The first line without noise, its middle left out when it is long. Owned by the caller. */
static char *essence(struct str words)
{
	struct str line = without_noise(first_line(words));
	size_t tail = line.len - (line.len > CAUSE_TAIL ? CAUSE_TAIL : line.len);

	if (line.len <= CAUSE_HEAD + CAUSE_TAIL)
		return str_dup(line);
	while (tail < line.len && ((unsigned char)line.ptr[tail] & 0xc0) == 0x80)
		tail++;
	return xasprintf(STR_FMT " ... " STR_FMT, CAUSE_HEAD, line.ptr,
			 STR_ARG(str_after(line, tail)));
}

/*
 * Of `building at STEP "RUN make": while …` the part between the quotes. A step may hold quotes
 * itself: the caller says where the end is looked for.
 */
static struct str step_of(struct str words, const char *end,
			  size_t (*find)(struct str text, const char *needle))
{
	static const char start[] = "building at STEP \"";
	size_t at = find_first(words, start);

	words = str_after(words, at + sizeof start - 1);
	at = find(words, end);
	return at < words.len ? str_slice(words, 0, at) : (struct str){ "", 0 };
}

/* "Dockerfile line 7: ", or nothing when that cannot be told. */
static const char *where(const struct buildah_end *end, struct str step, char place[PLACE_BYTES])
{
	int line = end->dockerfile ? dockerfile_line_of(end->dockerfile, step) : 0;

	place[0] = '\0';
	if (line)
		snprintf(place, PLACE_BYTES, "Dockerfile line %d: ", line);
	return place;
}

/* What shells and kernels mean by some exit codes. */
static const char *meaning(int64_t code)
{
	return code == 126   ? " (found, but it cannot be executed)"
	       : code == 127 ? " (command not found)"
	       : code == 134 ? " (aborted)"
	       : code == 139 ? " (segmentation fault)"
			     : "";
}

static int explain_run(const struct buildah_end *end, struct str step, uint64_t code,
		       struct err *err)
{
	char place[PLACE_BYTES];
	struct str command = str_slice(step, str_starts(step, "RUN ") ? 4 : 0, STEP_MAX);
	const char *more = step.len > 4 + STEP_MAX ? "..." : "";

	where(end, step, place);
	if (code == 137 && end->memory_bytes)
		return err_set(
			err, ERR_INVALID, "build_killed",
			"%sRUN was killed, probably because the run may use no more than %lld "
			"MiB of memory: " STR_FMT "%s",
			place, (long long)(end->memory_bytes >> 20), STR_ARG(command), more);
	if (code == 137)
		return err_set(err, ERR_INVALID, "build_killed",
			       "%sRUN was killed, probably for want of memory: " STR_FMT "%s",
			       place, STR_ARG(command), more);
	return err_set(err, ERR_INVALID, "build_failed",
		       "%sRUN ended with exit code %d%s: " STR_FMT "%s", place, (int)code,
		       meaning((int64_t)code), STR_ARG(command), more);
}

/* The runtime's own complaint stands before the error: 'exec: "/x": no such file or directory'. */
static int explain_no_start(const struct buildah_end *end, struct str step, struct err *err)
{
	size_t at = find_last(end->tail, "unable to start container process: ");
	struct str why = str_after(end->tail, at);
	char place[PLACE_BYTES];

	why = str_after(why, strlen("unable to start container process: "));
	why = first_line(why);
	if (holds(why, "exec format error"))
		return err_set(
			err, ERR_INVALID, "platform_unsupported",
			"%sRUN could not be started: this machine cannot execute programs of "
			"the platform that is built for",
			where(end, step, place));
	return err_set(err, ERR_INVALID, "build_failed", "%sRUN could not be started: " STR_FMT,
		       where(end, step, place), STR_ARG(str_slice(why, 0, CAUSE_TAIL)));
}

/* buildah exits with 1 for a container that a signal ended, and says so just before. */
static uint64_t code_of_signal(const struct buildah_end *end, uint64_t code)
{
	static const struct {
		const char *text;
		uint64_t code;
	} rows[] = {
		{ "container exited on killed\nError: ", 128 + 9 },
		{ "container exited on segmentation fault\nError: ", 128 + 11 },
		{ "container exited on aborted\nError: ", 128 + 6 },
	};

	for (size_t i = 0; code == 1 && i < ARRAY_LEN(rows); i++) {
		if (holds(end->tail, rows[i].text))
			return rows[i].code;
	}
	return code;
}

/* A RUN that failed. False when it was something else. */
static bool is_run(const struct buildah_end *end, struct str words, struct err *err)
{
	static const char marker[] = "\": while running runtime: exit status ";
	size_t at = find_last(words, marker);
	struct str digits = str_after(words, at + sizeof marker - 1);
	uint64_t code;

	digits = first_line(digits);
	if (at == words.len || !str_to_u64(digits, 255, &code))
		return false;
	struct str step = step_of(words, marker, find_last);
	if (holds(end->tail, "error running container: ") &&
	    holds(end->tail, "unable to start container process: "))
		explain_no_start(end, step, err);
	else
		explain_run(end, step, code_of_signal(end, code), err);
	return true;
}

static int explain_signal(const struct buildah_end *end, struct err *err)
{
	if (end->result.signal == 9 && end->memory_bytes)
		return err_set(err, ERR_INVALID, "build_killed",
			       "the engine was killed, probably because the run may use no more "
			       "than %lld MiB of memory",
			       (long long)(end->memory_bytes >> 20));
	return err_set(err, ERR_INTERNAL, "builder_crash", "the engine was ended by signal %d",
		       end->result.signal);
}

static const char *heredoc_hint(const struct buildah_end *end, struct str words)
{
	bool likely =
		end->dockerfile && end->dockerfile->heredoc && holds(words, "nknown instruction");

	return likely ? " (this engine knows no here-documents, RUN <<EOF)" : "";
}

static struct str last_line(struct str text)
{
	size_t at;

	text = str_trim(text);
	at = find_last(text, "\n");
	return at < text.len ? str_after(text, at + 1) : text;
}

static const struct verdict *find_verdict(const struct buildah_end *end, struct str words)
{
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		const struct verdict *v = &verdicts[i];
		if ((v->phases & end->phase) && holds(words, v->text) &&
		    (!v->and || holds(words, v->and)))
			return v;
	}
	return NULL;
}

int buildah_explain(const struct buildah_end *end, struct err *err)
{
	struct str words = last_words(end->tail);
	cleanup_free char *cause = essence(words.len ? words : last_line(end->tail));
	char place[PLACE_BYTES];

	if (end->result.signal)
		return explain_signal(end, err);
	if (words.len == 0)
		return err_set(err, ERR_INTERNAL, "builder_crash",
			       "the engine ended with exit code %d and without a reason: %s",
			       end->result.exit_code, cause);
	if (end->phase == BUILDAH_BUILD && is_run(end, words, err))
		return -1;
	const struct verdict *v = find_verdict(end, words);
	if (!v)
		return err_set(err, ERR_INTERNAL, "engine_failed", "the engine failed: %s", cause);
	return err_set(err, v->code, v->word, "%s%s%s: %s",
		       where(end, step_of(words, "\": ", find_first), place), v->sentence,
		       heredoc_hint(end, words), cause);
}
