#include "cli/runs.h"

#include "cli/client.h"
#include "common/crypto.h"
#include "common/scope.h"

static char *first_page(struct cli *cli, const char *filter, int64_t top, struct err *err)
{
	cleanup_buf struct buf query = BUF_INIT;

	if (*filter) {
		buf_adds(&query, "?$filter=");
		percent_encode(&query, str_from(filter));
	}
	if (top)
		buf_addf(&query, "%c$top=%lld", query.len ? '&' : '?', (long long)top);
	return cli_path(cli, err, "/runs%s", buf_str(&query).ptr);
}

json_t *runs_list(struct cli *cli, const char *filter, int64_t top, struct err *err)
{
	char *path = first_page(cli, filter, top, err);
	json_t *runs = json_array();

	while (path) {
		json_t *page = NULL;
		int rc = client_json(cli_client(cli), "GET", path, NULL, &page, err);
		free(path);
		if (rc < 0) {
			json_decref(runs);
			return NULL;
		}
		json_array_extend(runs, json_object_get(page, "value"));
		const char *link = json_string_value(json_object_get(page, "nextLink"));
		path = link ? xstrdup(client_path_of(cli_client(cli), link)) : NULL;
		json_decref(page);
		if (!path)
			return runs;
	}
	json_decref(runs);
	return NULL;
}
