/*
 * repository: the identity of a git repository, equal for all URL shapes of one repository:
 * "github.com/acme/app" for https://user@GitHub.com:443/acme/app.git/, git@github.com:acme/app
 * and ssh://git@github.com/acme/app.git. Host in lower case without the scheme's default port,
 * path percent-decoded without ".git" and slashes at its end; on github.com, gitlab.com,
 * bitbucket.org and Azure the path is compared without case (kept in lower case). Azure Repos:
 * dev.azure.com, visualstudio.com and ssh forms are one ("dev.azure.com/org/project/repo"), and a
 * project may be left out when it is equal to the repository.
 */
#pragma once
#include "common/err.h"
#include "common/str.h"

/* `url` may carry a "#ref:folder" part, which is ignored. *out is the caller's. Word "url_invalid".
 */
int repository_identity(char **out, struct str url, struct err *err);
