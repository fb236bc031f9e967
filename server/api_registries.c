/* GET /v1/registries */
#include "config/config.h"
#include "server/api.h"

void api_registries_list(struct call *c)
{
	const struct config *config = c->app->config;
	json_t *list = json_array();

	for (size_t i = 0; i < config->registries_len; i++) {
		const struct config_registry *r = &config->registries[i];
		bool is_default = config_default_registry(config) == r;
		json_t *item =
			json_pack("{s:o,s:s,s:s,s:{s:s,s:b,s:b}}", "id",
				  json_sprintf("/v1/registries/%s", r->name), "name", r->name,
				  "type", "Microsoft.ContainerRegistry/registries", "properties",
				  "loginServer", r->login_server ? r->login_server : "",
				  "isDefault", is_default, "insecure", r->insecure);
		json_array_append_new(list, item);
	}
	call_respond_list(c, list);
}
