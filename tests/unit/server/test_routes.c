/* The table of routes: it and docs/openapi.json say the same, and what is open is listed here. */
#include <jansson.h>

#include "server/routes.h"
#include "tests/unit/unit.h"

extern const char openapi_begin[], openapi_end[];

static json_t *openapi(void)
{
	json_error_t error;
	json_t *root = json_loadb(openapi_begin, (size_t)(openapi_end - openapi_begin),
				  JSON_REJECT_DUPLICATES, &error);

	if (!root)
		fail_msg("docs/openapi.json:%d: %s", error.line, error.text);
	return root;
}

/* "{name}" stands for any parameter: the description calls it by what it is. */
static bool same_path(const char *route, const char *described)
{
	struct str a = str_from(route), b = str_from(described), x, y;

	while (str_split(&a, '/', &x)) {
		if (!str_split(&b, '/', &y))
			return false;
		if (str_starts(x, "{") != str_starts(y, "{") ||
		    (!str_starts(x, "{") && !str_eq(x, y)))
			return false;
	}
	return !str_split(&b, '/', &y);
}

static bool same_method(const char *route, const char *described)
{
	return str_is_i(str_from(route), described);
}

static bool is_described(json_t *paths, const struct route *r)
{
	const char *path, *method;
	json_t *item, *operation;

	json_object_foreach (paths, path, item) {
		if (!same_path(r->path, path))
			continue;
		json_object_foreach (item, method, operation) {
			if (same_method(r->method, method))
				return true;
		}
	}
	return false;
}

static bool is_routed(const char *method, const char *path)
{
	for (const struct route *r = routes; r->method; r++) {
		if (same_method(r->method, method) && same_path(r->path, path))
			return true;
	}
	return false;
}

static void every_route_is_described(void **state)
{
	json_t *root = openapi();

	(void)state;
	for (const struct route *r = routes; r->method; r++) {
		if (!is_described(json_object_get(root, "paths"), r))
			fail_msg("docs/openapi.json does not have %s %s", r->method, r->path);
	}
	json_decref(root);
}

static void everything_described_is_routed(void **state)
{
	const char *path, *method;
	json_t *root = openapi(), *item, *operation;

	(void)state;
	json_object_foreach (json_object_get(root, "paths"), path, item) {
		json_object_foreach (item, method, operation) {
			if (strcmp(method, "parameters") != 0 && !is_routed(method, path))
				fail_msg("there is no route %s %s", method, path);
		}
	}
	json_decref(root);
}

/* Whoever opens a route to strangers says so here too. */
static void only_these_routes_are_open(void **state)
{
	static const struct {
		const char *path;
		enum right right;
	} open[] = {
		{ "/healthz", RIGHT_NONE },         { "/readyz", RIGHT_NONE },
		{ "/metrics", RIGHT_LOCAL },        { "/webhooks/{name}", RIGHT_NONE },
		{ "/v1/openapi.json", RIGHT_NONE }, { "/v1/uploads/{name}", RIGHT_SIGNED },
	};

	(void)state;
	for (const struct route *r = routes; r->method; r++) {
		enum right wanted = RIGHT_ADMIN;
		for (size_t i = 0; i < ARRAY_LEN(open); i++) {
			if (strcmp(open[i].path, r->path) == 0)
				wanted = open[i].right;
		}
		if (r->right != wanted)
			fail_msg("%s %s has another right than this test says", r->method, r->path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_described),
		cmocka_unit_test(everything_described_is_routed),
		cmocka_unit_test(only_these_routes_are_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
