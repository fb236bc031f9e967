#include "cli/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "cli/client.h"
#include "common/fs.h"
#include "common/scope.h"
#include "context/pack.h"

/*
 * Packing pushes and curl pulls: a thread packs into a pipe that the upload reads. The pipe's size
 * is all the memory that lies between them.
 */
struct packer {
	struct pack_opts opts;
	struct packed packed;
	int pipe[2];
	uint64_t compressed;
	int rc;
	struct err err;
};

static int write_piece(struct str bytes, void *data, struct err *err)
{
	struct packer *p = data;

	if (fs_write_all(p->pipe[1], bytes, err) < 0)
		return -1;
	p->compressed += bytes.len;
	return 0;
}

static void *pack(void *data)
{
	struct packer *p = data;

	p->rc = pack_folder(&p->packed, &p->opts, &p->err);
	close(p->pipe[1]);
	return NULL;
}

/* The archive's end is only a good end when packing said so; else the upload is broken off. */
struct upload_source {
	struct packer *packer;
	pthread_t thread;
	bool joined;
};

static ssize_t read_piece(char *into, size_t room, void *data)
{
	struct upload_source *s = data;
	ssize_t n;

	do {
		n = read(s->packer->pipe[0], into, room);
	} while (n < 0 && errno == EINTR);
	if (n != 0)
		return n;
	pthread_join(s->thread, NULL);
	s->joined = true;
	return s->packer->rc < 0 ? -1 : 0;
}

static int send_archive(struct cli *cli, struct packer *p, const char *url, struct err *err)
{
	struct upload_source source = { .packer = p };
	int rc;

	if (pipe2(p->pipe, O_CLOEXEC) < 0)
		return err_set_errno(err, ERR_INTERNAL, "internal", errno, "pipe");
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);
	if (pthread_create(&source.thread, NULL, pack, p) != 0) {
		close(p->pipe[0]);
		close(p->pipe[1]);
		return err_set(err, ERR_INTERNAL, "internal", "cannot start a thread");
	}
	rc = client_upload(cli_client(cli), client_path_of(cli_client(cli), url), read_piece,
			   &source, err);
	/* A reader that went away ends the packer's writes, and with them the thread. */
	close(p->pipe[0]);
	if (!source.joined)
		pthread_join(source.thread, NULL);
	signal(SIGPIPE, before);
	if (source.joined && p->rc < 0) {
		*err = p->err;
		return -1;
	}
	return rc;
}

int upload_folder(struct uploaded *out, struct cli *cli, const char *folder, const char *dockerfile,
		  struct err *err)
{
	struct packer p = { .opts = { .folder = folder,
				      .dockerfile = dockerfile,
				      .limits = IGNORE_LIMITS_DEFAULT,
				      .write = write_piece,
				      .data = &p } };
	cleanup_json json_t *answer = NULL;
	cleanup_free char *path = cli_path(cli, err, "/listBuildSourceUploadUrl");

	if (!path || client_json(cli_client(cli), "POST", path, NULL, &answer, err) < 0)
		return -1;
	const char *url = json_string_value(json_object_get(answer, "uploadUrl"));
	const char *location = json_string_value(json_object_get(answer, "relativePath"));
	if (!url || !location)
		return err_set(err, ERR_INTERNAL, "http", "the service gave no upload URL");
	if (send_archive(cli, &p, url, err) < 0) {
		free(p.packed.dockerfile);
		return -1;
	}
	fprintf(stderr, "Sent %llu entries, %.3f KiB packed\n",
		(unsigned long long)p.packed.entries, (double)p.compressed / 1024);
	if (p.packed.skipped)
		cli_say("%llu sockets, pipes or devices were left out",
			(unsigned long long)p.packed.skipped);
	if (p.packed.vanished)
		cli_say("%llu files vanished while the folder was packed",
			(unsigned long long)p.packed.vanished);
	*out = (struct uploaded){ .location = xstrdup(location),
				  .dockerfile = p.packed.dockerfile };
	return 0;
}
