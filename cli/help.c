#include "cli/help.h"

#include "cli/verbs.h"

void help_global_options(struct cli *cli, struct option_def table[HELP_GLOBAL_OPTIONS])
{
	const struct option_def rows[HELP_GLOBAL_OPTIONS] = {
		{ 'r', "registry", OPTION_TEXT, &cli->registry, "NAME",
		  "registry to work in (default: the service's default one)" },
		{ 0, "server", OPTION_TEXT, &cli->server, "URL",
		  "service to talk to ($SLIPWAY_SERVER; default: the local Unix socket)" },
		{ 0, "token-file", OPTION_TEXT, &cli->token_file, "FILE",
		  "file with the token for --server ($SLIPWAY_TOKEN)" },
		{ 'o', "output", OPTION_TEXT, &cli->output, "FORMAT", "table, json, jsonl or tsv" },
		{ 'q', "quiet", OPTION_FLAG, &cli->quiet, NULL, "print ids only" },
		{ 0, "jq", OPTION_TEXT, &cli->jq, "EXPR",
		  "filter the JSON result with a jq expression" },
		{ 0, "verbose", OPTION_FLAG, &cli->verbose, NULL, "say what is being done" },
		{ 0, "version", OPTION_FLAG, &cli->version, NULL, "print the version" },
		{ 'h', "help", OPTION_FLAG, &cli->help, NULL, "this text" },
		{ 0 },
	};
	memcpy(table, rows, sizeof rows);
}

void help_print_verb(const struct verb *verb, const struct option_def *own,
		     const struct option_def *global)
{
	struct buf text = BUF_INIT;

	buf_addf(&text, "Usage: slipway %s %s\n\n%s.\n", verb->name, verb->synopsis, verb->summary);
	if (verb->details)
		buf_addf(&text, "\n%s\n", verb->details);
	if (own && own->name) {
		buf_adds(&text, "\nOptions:\n");
		options_help(&text, own);
	}
	if (global) {
		buf_adds(&text, "\nGlobal options:\n");
		options_help(&text, global);
	}
	fwrite(text.ptr, 1, text.len, stdout);
	buf_release(&text);
}

void help_print_group(FILE *to, const char *word)
{
	fprintf(to, "Usage: slipway %s VERB [OPTIONS]\n\nVerbs:\n", word);
	for (const struct verb *v = cli_verbs; v->name; v++) {
		if (str_starts(str_from(v->name), word) && v->name[strlen(word)] == ' ')
			fprintf(to, "  %-22s %s\n", v->name, v->summary);
	}
}

void help_print_program(FILE *to)
{
	fputs("Usage: slipway VERB [OPTIONS] [OPERANDS]\n"
	      "\n"
	      "Turns a commit into a container image in a registry.\n"
	      "\n"
	      "Verbs:\n",
	      to);
	for (const struct verb *v = cli_verbs; v->name; v++)
		fprintf(to, "  %-22s %s\n", v->name, v->summary);
	fputs("\n"
	      "slipway VERB --help tells more about a verb. Without --server it talks to the Unix socket of\n"
	      "the local service: $SLIPWAY_SOCKET, then slipway.sock in the data folder.\n"
	      "\n"
	      "Exit: 0 done · 1 the run did not succeed · 2 usage or invalid input · 3 the service cannot be\n"
	      "reached or failed · 4 not permitted · 5 not found · 6 conflict.\n",
	      to);
}

bool help_is_wanted(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}
