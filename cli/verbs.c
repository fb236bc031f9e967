#include "cli/verbs.h"

const struct verb cli_verbs[] = {
	{ "serve", "[-c FILE] [--data-dir DIR] [--listen ADDR:PORT]", "Run the service", verb_serve,
	  "Runs slipway-server in this process. SIGTERM stops it without disturbing running builds; SIGHUP\n"
	  "reads the configuration again." },
	{ "config check", "[-c FILE]", "Check the configuration file", verb_config_check,
	  "Prints each error with its line and column, and exits 2." },
	{ "config print", "[-c FILE]", "Print the configuration in force, with its defaults",
	  verb_config_print,
	  "Secrets are shown as the reference that they were given by, never as values." },
	{ "build", "[-t IMAGE]... [OPTIONS] CONTEXT",
	  "Build an image from a folder or a git repository, and push it", verb_build,
	  "CONTEXT is a local folder (packed by the rules of its .dockerignore), a git context\n"
	  "URL#ref:folder, or https://….tar.gz. The log goes to standard output, or with -o json, -q or\n"
	  "--jq to standard error. Ctrl-C asks for a cancel; a second one leaves the run alone." },
	{ "task create", "-n NAME -c CONTEXT [-f FILE] -t IMAGE... [OPTIONS]",
	  "Create or replace a task", verb_task_create,
	  "A task builds its git context whenever a commit is pushed to the branch that the context names\n"
	  "(URL#branch:folder; master when it names none)." },
	{ "task show", "-n NAME", "Show a task", verb_task_show, NULL },
	{ "task list", "", "List the tasks", verb_task_list, NULL },
	{ "task delete", "-n NAME", "Delete a task; its runs stay", verb_task_delete, NULL },
	{ "task list-runs", "[-n TASK] [--run-status STATUS] [--image IMAGE] [--top N]",
	  "List runs, newest first", verb_task_list_runs, NULL },
	{ "task show-run", "--run-id ID", "Show a run", verb_task_show_run, NULL },
	{ "task logs", "[--run-id ID | -n TASK] [--no-follow]", "Show the log of a run, to its end",
	  verb_task_logs, "Without --run-id: the last run of the task, or the last run of all." },
	{ "task cancel-run", "--run-id ID... | --all [SELECTION]", "Cancel runs",
	  verb_task_cancel_run,
	  "Prints for each run what became of it. Returns when the cancel is accepted; with --wait at the\n"
	  "end of the runs." },
	{ "delivery list", "[--top N]", "List webhook deliveries, also those that matched nothing",
	  verb_delivery_list, NULL },
	{ "delivery show", "ID [--webhook NAME]",
	  "Show why a delivery did or did not start something", verb_delivery_show,
	  "Its events, and what each task said to each of them. Deliveries are kept for 40 days." },
	{ "delivery replay", "ID [--webhook NAME]", "Start again what a delivery asked for",
	  verb_delivery_replay,
	  "Its events go to the tasks as they are now and make new runs, of the commits that were pushed\n"
	  "then, although they were seen before. The replay is a delivery of its own." },
	{ "delivery simulate", "[--webhook NAME] [--event NAME] [--header 'NAME: VALUE']... FILE",
	  "Show what a saved delivery would start, and start nothing", verb_delivery_simulate,
	  "FILE is the body of a delivery (give its event by --event or a header), or a whole request:\n"
	  "headers, an empty line, the body; - reads standard input. It goes through the code of a real\n"
	  "delivery. A wrong or missing signature is told, and does not stop it. Exits 2 when the payload\n"
	  "cannot be read." },
	{ "context parse", "CONTEXT", "Show what a context means", verb_context_parse,
	  "Grammar only, and no service is needed: whether a scheme, address or ref may be used is decided\n"
	  "where it is used. Credentials in a URL are not shown." },
	{ "context files", "[-f DOCKERFILE] FOLDER",
	  "List what is kept and what is ignored, and the rule that decided", verb_context_files,
	  "Needs no service and no Dockerfile. The rules are those of DOCKERFILE.dockerignore, or else of\n"
	  "the folder's .dockerignore; line 0 is the rule that leaves .git out (bring it back by !.git)." },
	{ "check-health", "", "Check every part that a run needs", verb_check_health,
	  "Data folder, engine and its isolation, git, registries, disk: a line each, and a hint for each\n"
	  "failure. Exits 1 when a check failed." },
	{ 0 },
};

static int words_of(const struct verb *verb, int argc, char **argv)
{
	struct str rest = str_from(verb->name), word;
	int n = 0;

	while (str_split(&rest, ' ', &word)) {
		if (n >= argc || !str_is(word, argv[n]))
			return 0;
		n++;
	}
	return n;
}

const struct verb *verb_find(int argc, char **argv, int *words)
{
	for (const struct verb *verb = cli_verbs; verb->name; verb++) {
		*words = words_of(verb, argc, argv);
		if (*words)
			return verb;
	}
	return NULL;
}

bool verb_is_group(const char *word)
{
	for (const struct verb *verb = cli_verbs; verb->name; verb++) {
		size_t space = str_find(str_from(verb->name), ' ', 0);
		if (verb->name[space] && str_is(str_slice(str_from(verb->name), 0, space), word))
			return true;
	}
	return false;
}

/* "list-runs" is meant to be "task list-runs". */
static const char *full_name_of(const char *word)
{
	for (const struct verb *verb = cli_verbs; verb->name; verb++) {
		const char *space = strchr(verb->name, ' ');
		if (space && strcmp(space + 1, word) == 0)
			return verb->name;
	}
	return NULL;
}

const char *verb_meant(const char *first, const char *second)
{
	const char *names[64];
	size_t n = 0;
	const char *near = full_name_of(first);

	for (const struct verb *v = cli_verbs; v->name && n < ARRAY_LEN(names) - 1; v++)
		names[n++] = v->name;
	names[n] = NULL;
	if (!near && second) {
		char *both = xasprintf("%.60s %.60s", first, second);
		near = str_nearest(str_from(both), names);
		free(both);
	}
	return near ? near : str_nearest(str_slice(str_from(first), 0, 60), names);
}
