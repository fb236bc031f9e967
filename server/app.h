/*
 * app: what the server is made of, as the handlers see it. main.c makes one and wires it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct config;
struct http_server;
struct launcher;
struct log_follow;
struct metrics;
struct queue;
struct tidy;
struct uv_loop_s;
struct webhook;

struct app {
	struct uv_loop_s *loop;
	struct config *config; /* replaced as a whole by SIGHUP */
	const char *data_dir;
	struct queue *queue;
	struct launcher *launcher;
	struct http_server *http;
	struct log_follow *logs;
	struct metrics *metrics;
	struct tidy *tidy;        /* NULL until it is there, and when it is gone */
	struct webhook *webhooks; /* made from the configuration */
	size_t webhooks_len;
	unsigned char upload_key[32]; /* signs upload URLs; new at every start */
	size_t requests;              /* that have a call and are not answered yet */
	bool draining;
};
