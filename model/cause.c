#include "model/cause.h"

#include <string.h>

/* Grouped by where it happens; the order means nothing. A new word is a row here. */
static const struct cause table[] = {
	/* the context string and what may be reached */
	{ "url_invalid", RUN_FAILED, "Write the context as https://host/path.git#ref:folder." },
	{ "url_too_long", RUN_FAILED, "Write a context URL of at most 2048 bytes." },
	{ "url_has_credentials", RUN_FAILED,
	  "Take user and password out of the URL; give a token with the task, or let the operator "
	  "put one under git.credentials." },
	{ "scheme_denied", RUN_FAILED,
	  "Use an https URL, or ask the operator to list the scheme under git.allow_schemes." },
	{ "port_denied", RUN_FAILED,
	  "Use the forge's usual port, or ask the operator to list this one under "
	  "git.allow_ports." },
	{ "address_denied", RUN_ERROR,
	  "The name leads to a private, loopback or link-local address: if that is meant, list it "
	  "under git.allow_private_addresses." },
	{ "redirect_denied", RUN_ERROR,
	  "The server sent us to another place: give the URL that it redirects to." },
	{ "git_redirect_denied", RUN_ERROR,
	  "The git server sent us to another place: give the URL that it redirects to." },
	{ "tls", RUN_ERROR,
	  "The server's certificate does not verify: check its name, its dates, and that its "
	  "authority is in the system's trust store." },
	{ "ref_invalid", RUN_FAILED, "Name a branch, a tag, a pull ref or a full commit id." },
	{ "ref_denied", RUN_FAILED, "Name a branch or a tag that this task may build." },
	{ "ref_too_long", RUN_FAILED, "Name a ref of at most 255 bytes." },
	{ "sha_invalid", RUN_FAILED, "A commit id is 40 or 64 lower-case hex digits." },
	{ "path_denied", RUN_FAILED,
	  "Name a path inside the context, without leaving it by '..'." },

	/* fetching from git */
	{ "git_timeout", RUN_ERROR,
	  "The git server stopped sending: check that it is well, then run again; git.stall and "
	  "total times are under limits." },
	{ "git_network", RUN_ERROR,
	  "The git server cannot be reached or broke the connection: check its name and the "
	  "network, then run again." },
	{ "git_auth", RUN_ERROR,
	  "The git server wants other credentials: renew the task's token or the one under "
	  "git.credentials." },
	{ "git_credential", RUN_ERROR,
	  "Try git.credential_command by hand, as the service's user: it must end with 0, and print "
	  "username and password or nothing." },
	{ "git_not_found", RUN_FAILED,
	  "There is no such repository for these credentials: check the URL; a private one needs "
	  "a token." },
	{ "git_protocol", RUN_ERROR,
	  "The server does not speak git: check that the URL is a repository's." },
	{ "git_too_large", RUN_FAILED,
	  "The repository is larger than limits.git_bytes or git_object_bytes allow: make it "
	  "smaller or ask the operator to raise them." },
	{ "git_too_many_files", RUN_FAILED,
	  "The commit has more files than limits.git_entries allows: build a folder of it, or ask "
	  "the operator to raise it." },
	{ "git_too_deep", RUN_FAILED,
	  "The commit's folders are nested deeper than limits.git_depth allows." },
	{ "git_unsafe_tree", RUN_FAILED,
	  "The commit holds a file name that is not safe to write: rename it." },
	{ "git_unsafe_submodule", RUN_FAILED,
	  "A submodule's path or name is not safe, or the file is damaged: correct .gitmodules." },
	{ "submodule_denied", RUN_FAILED,
	  "Ask the operator to list the submodule's host under git.submodule_hosts, or leave its "
	  "folder out with .dockerignore." },
	{ "git_too_many_submodules", RUN_FAILED,
	  "Leave out with .dockerignore the submodules that the build does not need." },
	{ "git_lfs", RUN_FAILED,
	  "Push the file to the repository's LFS server (git lfs push --all), or leave it out with "
	  ".dockerignore." },
	{ "git_bad_pack", RUN_ERROR,
	  "The git server sent damaged data: check the repository there with git fsck." },
	{ "git_bad_object", RUN_ERROR,
	  "An object does not match its id: check the repository there with git fsck." },
	{ "ref_not_found", RUN_FAILED, "Push the branch or tag, or correct its name." },
	{ "commit_not_found", RUN_FAILED, "Push the commit, or correct its id." },
	{ "commit_gone", RUN_FAILED,
	  "The commit is no longer there, as after a force-push: build the branch as it is now." },
	{ "folder_not_found", RUN_FAILED, "Correct the folder after the ':' of the context." },

	/* archives and ignore files */
	{ "context_missing", RUN_FAILED, "The uploaded context is not there: upload it again." },
	{ "context_invalid", RUN_FAILED, "Correct the context: a git URL, an archive or none." },
	{ "context_not_found", RUN_FAILED, "There is no archive at this URL: correct it." },
	{ "context_auth", RUN_ERROR, "The server of the archive wants other credentials." },
	{ "context_network", RUN_ERROR,
	  "The archive cannot be fetched: check its server and the network, then run again." },
	{ "context_timeout", RUN_ERROR,
	  "The server of the archive stopped sending: check that it is well, then run again." },
	{ "context_too_large", RUN_FAILED,
	  "The archive is larger than limits.upload_bytes: leave out what the build does not need." },
	{ "tar_bad", RUN_FAILED, "The archive is damaged or no tar: pack it again." },
	{ "tar_unsafe", RUN_FAILED,
	  "The archive holds a path or link that leads out of it: pack it again without." },
	{ "tar_too_large", RUN_FAILED,
	  "The archive expands to more than the limits allow: leave out what the build does not "
	  "need." },
	{ "tar_too_many", RUN_FAILED,
	  "The archive has more entries than limits.upload_entries allows: leave out what the "
	  "build does not need." },
	{ "ignore_invalid", RUN_FAILED, "Correct the pattern in .dockerignore." },
	{ "ignore_syntax", RUN_FAILED, "Correct the pattern in .dockerignore." },
	{ "ignore_too_large", RUN_FAILED, "Make .dockerignore smaller than limits.ignore_bytes." },
	{ "ignore_too_many", RUN_FAILED, "Write fewer patterns than limits.ignore_rules." },

	/* the Dockerfile and its options */
	{ "dockerfile_missing", RUN_FAILED,
	  "Add the Dockerfile to the context, or name it with -f; the path is relative to the "
	  "context folder." },
	{ "dockerfile_invalid", RUN_FAILED, "Correct the Dockerfile." },
	{ "dockerfile_limit", RUN_FAILED,
	  "Make the Dockerfile smaller than limits.dockerfile_bytes and 500 instructions." },
	{ "target_invalid", RUN_FAILED, "Name a stage of the Dockerfile." },
	{ "target_not_found", RUN_FAILED, "Name a stage of the Dockerfile." },
	{ "arg_invalid", RUN_FAILED, "Correct the build argument." },
	{ "platform_invalid", RUN_FAILED,
	  "Use OS/ARCHITECTURE[/VARIANT], for example linux/amd64." },
	{ "platform_unsupported", RUN_FAILED,
	  "Choose a platform that this machine and the base image have." },
	{ "image_invalid", RUN_FAILED, "Correct the image name: [registry/]repository[:tag]." },
	{ "variable_invalid", RUN_FAILED, "Correct the variable: {{.Run.ID}} and its friends." },
	{ "feature_denied", RUN_FAILED,
	  "Take the insecure, host-network or device option out of the Dockerfile." },

	/* building */
	{ "build_failed", RUN_FAILED,
	  "An instruction of the Dockerfile failed: the log says which." },
	{ "build_killed", RUN_FAILED,
	  "A command of the build was killed, most often for want of memory: make it use less, or "
	  "ask the operator to raise run.memory_bytes." },
	{ "builder_limit", RUN_FAILED,
	  "The build used more processes or memory than run.pids and run.memory_bytes allow." },
	{ "disk_quota", RUN_FAILED, "The build wrote more than it may: make it write less." },
	{ "log_limit", RUN_FAILED,
	  "The build printed more than limits.log_bytes: make it print less." },
	{ "base_image_not_found", RUN_FAILED,
	  "Correct the image in FROM: there is no such name or tag." },
	{ "base_image_denied", RUN_ERROR,
	  "The registry of the base image refuses us: check the name in FROM, and the login of "
	  "that registry in the configuration." },
	{ "base_image_unreachable", RUN_ERROR,
	  "The registry of the base image cannot be reached: check the network, then run again." },
	{ "engine_missing", RUN_ERROR, "Install the engine, or correct engine.path." },
	{ "engine_unusable", RUN_ERROR,
	  "The engine cannot work on this machine: slipway check-health says what it lacks." },
	{ "engine_failed", RUN_ERROR, "The engine failed by itself: the log says how; run again." },
	{ "builder_crash", RUN_ERROR,
	  "The engine ended without an answer: slipway check-health says whether it works; run "
	  "again." },

	{ "program_start", RUN_ERROR,
	  "A program that the runner needs cannot be started: slipway check-health says which." },
	{ "program_timeout", RUN_ERROR,
	  "A program that the runner needs did not end in time: look at the machine's load." },
	{ "program_output", RUN_ERROR,
	  "A program that the runner needs said more than it should: slipway check-health says "
	  "whether it works." },
	{ "cgroup_busy", RUN_ERROR,
	  "The run's control group cannot be removed: look for processes that are left in it." },

	/* pushing */
	{ "registry_unreachable", RUN_ERROR,
	  "The registry cannot be reached: check that it runs and its login_server, then run "
	  "again." },
	{ "registry_auth", RUN_ERROR,
	  "The registry does not accept our login: check username and password under registries." },
	{ "registry_denied", RUN_ERROR,
	  "The login may not push to this repository: give it the right, or choose another name." },
	{ "registry_missing", RUN_ERROR,
	  "The image names a registry that is not in the configuration: add it under registries." },
	{ "registry_protocol", RUN_ERROR,
	  "The registry answered what is no registry's answer: check login_server and insecure." },
	{ "registry_redirect", RUN_ERROR,
	  "The registry sends uploads to another host: give its real name as login_server." },
	{ "registry_digest", RUN_ERROR,
	  "The registry holds another image than the one that was pushed: check who else writes "
	  "this tag, and the registry's storage." },

	/* the machine and the service */
	{ "disk_full", RUN_ERROR, "Free space on the disk of data_dir, then run again." },
	{ "storage", RUN_ERROR,
	  "The data folder cannot be written: check its disk and its rights, then run again." },
	{ "locked", RUN_ERROR, "Another runner holds this run: look for one that is left over." },
	{ "runner_lost", RUN_ERROR,
	  "The machine or the runner stopped in the middle, more than once: look at the system's "
	  "log, then run again." },
	{ "runner_crashed", RUN_ERROR,
	  "The runner ended without a result: look at the service's log, then run again." },
	{ "runner_missing", RUN_ERROR, "Install slipway-runner beside slipway-server." },
	{ "secret_key", RUN_ERROR,
	  "The run's secrets were sealed with another key: restore the secret.key that belongs to "
	  "the database, or give the secrets again." },
	{ "spec_invalid", RUN_ERROR,
	  "Server and runner do not understand each other: install both from one version." },
	{ "config_invalid", RUN_ERROR, "Correct the configuration: slipway config check." },

	/* ends that are nobody's fault */
	{ "timeout", RUN_TIMEOUT,
	  "The run's time was up: make the build shorter or raise its timeout." },
	{ "canceled", RUN_CANCELED, "The run was canceled." },

	{ "internal", RUN_ERROR, "This is a defect of Slipway: please report it with the log." },
	{ NULL, RUN_ERROR, NULL },
};

enum { INTERNAL = sizeof table / sizeof table[0] - 2 };

const struct cause *cause_of(const char *word)
{
	for (const struct cause *c = table; word && c->word; c++)
		if (strcmp(c->word, word) == 0)
			return c;
	return &table[INTERNAL];
}

const struct cause *cause_table(void)
{
	return table;
}
