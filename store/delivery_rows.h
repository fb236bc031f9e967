/*
 * delivery_rows: the table `delivery`. Functions that look something up return 1 when it is there,
 * 0 when it is not, -1 on failure; contents of *out are the caller's. Lane threads only.
 */
#pragma once
#include "model/delivery.h"

struct store_db;

int delivery_insert(struct store_db *db, const struct delivery *d, struct err *err);
/* Is there one on its webhook with its id or its body? Nearly always not: so this is quick. */
int delivery_is_known(struct store_db *db, const struct delivery *d, struct err *err);
int delivery_find(struct store_db *db, const char *webhook, const char *delivery_id,
		  struct delivery *out, struct err *err);
int delivery_find_by_body(struct store_db *db, const char *webhook,
			  const unsigned char body_sha256[SHA256_BYTES], struct delivery *out,
			  struct err *err);

struct delivery_list {
	struct delivery *items;
	size_t len;
};
void delivery_list_release(struct delivery_list *list);
/* The newest first. */
int delivery_list_newest(struct store_db *db, size_t top, struct delivery_list *out,
			 struct err *err);
/* On any webhook: two senders may have used one id. */
int delivery_list_by_id(struct store_db *db, const char *delivery_id, struct delivery_list *out,
			struct err *err);

/* Delete up to `top` that were received before `before_ms`. */
int delivery_forget(struct store_db *db, int64_t before_ms, size_t top, struct err *err);
