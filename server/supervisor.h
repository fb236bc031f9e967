/*
 * supervisor: what systemd is told and gives: readiness, the watchdog, sockets. Without systemd
 * all of it does nothing.
 */
#pragma once

struct uv_loop_s;
struct supervisor;

struct supervisor *supervisor_create(struct uv_loop_s *loop); /* keeps the watchdog content */
void supervisor_ready(const char *status);
void supervisor_stopping(void);
void supervisor_destroy(struct supervisor *s);

/* Sockets that are already listening: *first is a descriptor, the others follow it. The number. */
int supervisor_sockets(int *first);
