/* The checks of one value (check.h). */
#include <arpa/inet.h>

#include "common/fs.h"
#include "config/check.h"

enum { NAME_MAX_BYTES = 50, URL_MAX_BYTES = 2048, HEADER_MAX_BYTES = 60 };

static int invalid(struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID, "config_invalid", "%s", what);
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Only letters, digits and `others`. */
static bool is_made_of(struct str s, const char *others)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_alnum(s.ptr[i]) && !(s.ptr[i] && strchr(others, s.ptr[i])))
			return false;
	}
	return true;
}

int check_name(struct str value, struct err *err)
{
	bool good = value.len >= 1 && value.len <= NAME_MAX_BYTES && is_alnum(value.ptr[0]) &&
		    is_made_of(value, "-_");
	return good ? 0
		    : invalid(err, "must be letters, digits, '-' and '_', 50 at most, and begin "
				   "with a letter or digit");
}

static bool is_ip(int family, struct str text)
{
	unsigned char bytes[16];
	char *copy = str_dup(text);
	bool good = inet_pton(family, copy, bytes) == 1;
	free(copy);
	return good;
}

/* Cut "HOST:PORT" or "[V6]:PORT" at its last colon; without a port, *port is empty. */
static bool cut_port(struct str value, struct str *host, struct str *port)
{
	size_t end = 0;

	*port = (struct str){ "", 0 };
	if (value.len && value.ptr[0] == '[') {
		end = str_find(value, ']', 0);
		if (end == value.len || !is_ip(AF_INET6, str_slice(value, 1, end)))
			return false;
		end++;
	} else {
		end = str_find(value, ':', 0);
	}
	*host = str_slice(value, 0, end);
	if (end == value.len)
		return true;
	*port = str_after(value, end + 1);
	return value.ptr[end] == ':' && port->len > 0;
}

static bool is_port(struct str port, uint64_t lowest)
{
	uint64_t number;
	return str_to_u64(port, 65535, &number) && number >= lowest && port.len <= 5;
}

static bool is_host(struct str host)
{
	if (host.len && host.ptr[0] == '[')
		return true;
	return host.len >= 1 && host.len <= 253 && is_alnum(host.ptr[0]) &&
	       is_alnum(host.ptr[host.len - 1]) && is_made_of(host, "-.");
}

static bool is_host_port(struct str value)
{
	struct str host, port;
	return cut_port(value, &host, &port) && is_host(host) &&
	       (port.len == 0 || is_port(port, 1));
}

int check_login_server(struct str value, struct err *err)
{
	if (str_find(value, '/', 0) < value.len)
		return invalid(err, "must be HOST or HOST:PORT only; for plain HTTP add "
				    "'insecure: true'");
	return is_host_port(value) ? 0 : invalid(err, "must be HOST or HOST:PORT");
}

static int check_address(struct str value, uint64_t lowest_port, struct err *err)
{
	struct str host, port;

	if (str_is(value, "none"))
		return 0;
	if (!cut_port(value, &host, &port) || !port.len)
		return err_set(err, ERR_INVALID, "config_listen",
			       "must be ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080, or "
			       "'none'");
	if (!is_port(port, lowest_port))
		return err_set(err, ERR_INVALID, "config_listen",
			       "'" STR_FMT "' is no port: it must be a number from 1 to 65535",
			       STR_ARG(str_slice(port, 0, 20)));
	if (host.len && host.ptr[0] != '[' && !is_ip(AF_INET, host))
		return err_set(err, ERR_INVALID, "config_listen",
			       "'" STR_FMT "' is no address of this machine in numbers, such as "
			       "127.0.0.1; 0.0.0.0 means all",
			       STR_ARG(str_slice(host, 0, 60)));
	return host.len ? 0
			: err_set(err, ERR_INVALID, "config_listen",
				  "the address is missing; 0.0.0.0 means all");
}

int check_listen(struct str value, struct err *err)
{
	return check_address(value, 1, err);
}

int check_listen_any_port(struct str value, struct err *err)
{
	return check_address(value, 0, err);
}

/* "http(s)://HOST[:PORT][/PATH]" without user, query or fragment. */
static bool is_url(struct str value)
{
	if (str_starts(value, "https://"))
		value = str_after(value, strlen("https://"));
	else if (str_starts(value, "http://"))
		value = str_after(value, strlen("http://"));
	else
		return false;
	size_t slash = str_find(value, '/', 0);
	return value.len <= URL_MAX_BYTES && is_host_port(str_slice(value, 0, slash)) &&
	       is_made_of(str_after(value, slash), "/-._~%+");
}

int check_base_url(struct str value, struct err *err)
{
	return is_url(value) ? 0
			     : invalid(err, "must be http:// or https://, a host, and a path if "
					    "there is one");
}

int check_credential_url(struct str value, struct err *err)
{
	return is_url(value) ? 0
			     : invalid(err, "must be https://HOST/PATH/ (or http://), without a "
					    "user name in it");
}

int check_git_username(struct str value, struct err *err)
{
	return str_find(value, ':', 0) == value.len
		       ? 0
		       : invalid(err, "must not hold a ':', which ends the user name in HTTP");
}

int check_header_name(struct str value, struct err *err)
{
	return value.len <= HEADER_MAX_BYTES && is_made_of(value, "-_")
		       ? 0
		       : invalid(err, "must be the name of an HTTP header, such as X-Hook-Token: "
				      "letters, digits, '-' and '_', 60 at most");
}

int check_host_name(struct str value, struct err *err)
{
	struct str host, port;
	bool good = cut_port(value, &host, &port) && host.len == value.len && is_host(host);
	return good ? 0
		    : invalid(err,
			      "must be the name of a host, such as github.com, without scheme, "
			      "port and path");
}

int check_database(struct str value, struct err *err)
{
	if (!str_starts(value, "sqlite:"))
		return err_set(err, ERR_INVALID, "config_invalid",
			       "'" STR_FMT "' is not available in this version; known: "
			       "sqlite:FILE",
			       STR_ARG(str_slice(value, 0,
						 str_find(value, ':', 0) < 20
							 ? str_find(value, ':', 0)
							 : 20)));
	struct str file = str_after(value, strlen("sqlite:"));
	if (file.len == 0 || str_ends(file, "/") || str_starts(file, ":"))
		return invalid(err, "must name a file behind 'sqlite:'");
	return 0;
}

int check_runtime(struct str value, struct err *err)
{
	bool word = is_alnum(value.ptr[0]) && is_made_of(value, "-_.");
	return word || value.ptr[0] == '/'
		       ? 0
		       : invalid(err, "must be auto, crun, runc, or the path of a runtime");
}
