#include "context/ignore_index.h"

enum {
	DEPTH_MAX = 32, /* bytes of a text that count: enough to tell rules apart */
	NONE = UINT32_MAX,
};

/* From a node, over a byte, to a node. */
struct edge {
	uint64_t key; /* node << 8 | byte, plus 1: 0 is free */
	uint32_t to;
};

struct trie {
	struct edge *edges; /* open addressing; a power of two, at most half full */
	size_t cap, len;
	uint32_t *first; /* of each node: the first rule that ends there, or NONE */
	size_t nodes;
};

struct ignore_index {
	struct trie heads, tails; /* tails are filed backwards */
	uint32_t *next;           /* of each rule: the next one of the same node, or NONE */
	uint64_t *always, *found;
	size_t words;
};

/* ---- one trie ---- */

static struct edge *find_edge(const struct trie *t, uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (t->cap - 1);

	while (t->edges[i].key && t->edges[i].key != key)
		i = (i + 1) & (t->cap - 1);
	return &t->edges[i];
}

static uint32_t add_node(struct trie *t)
{
	if ((t->nodes & (t->nodes - 1)) == 0)
		t->first = xreallocarray(t->first, t->nodes ? 2 * t->nodes : 1, sizeof *t->first);
	t->first[t->nodes] = NONE;
	return (uint32_t)t->nodes++;
}

static void grow(struct trie *t)
{
	struct trie old = *t;

	t->cap = old.cap ? 2 * old.cap : 64;
	t->edges = xcalloc(t->cap, sizeof *t->edges);
	for (size_t i = 0; i < old.cap; i++) {
		if (old.edges[i].key)
			*find_edge(t, old.edges[i].key) = old.edges[i];
	}
	free(old.edges);
}

static uint64_t key_of(uint32_t node, char byte)
{
	return ((uint64_t)node << 8 | (unsigned char)byte) + 1;
}

static uint32_t descend(struct trie *t, uint32_t node, char byte)
{
	if (2 * (t->len + 1) > t->cap)
		grow(t);
	struct edge *edge = find_edge(t, key_of(node, byte));
	if (!edge->key) {
		*edge = (struct edge){ key_of(node, byte), add_node(t) };
		t->len++;
	}
	return edge->to;
}

static void file(struct ignore_index *index, struct trie *t, uint32_t rule, struct str text,
		 bool backwards)
{
	uint32_t node = 0;

	for (size_t i = 0; i < text.len && i < DEPTH_MAX; i++)
		node = descend(t, node, text.ptr[backwards ? text.len - 1 - i : i]);
	index->next[rule] = t->first[node];
	t->first[node] = rule;
}

static void mark(struct ignore_index *index, const struct trie *t, uint32_t node)
{
	for (uint32_t rule = t->first[node]; rule != NONE; rule = index->next[rule])
		index->found[rule / 64] |= (uint64_t)1 << rule % 64;
}

/* Mark what is filed under the beginnings of the text, or under its ends. */
static void look(struct ignore_index *index, const struct trie *t, struct str text, bool backwards)
{
	uint32_t node = 0;

	for (size_t i = 0; i < text.len && t->cap; i++) {
		char byte = text.ptr[backwards ? text.len - 1 - i : i];
		const struct edge *edge = find_edge(t, key_of(node, byte));
		if (!edge->key)
			return;
		node = edge->to;
		mark(index, t, node);
	}
}

/* ---- the index ---- */

struct ignore_index *ignore_index_create(size_t rules)
{
	struct ignore_index *index = xnew(struct ignore_index);

	index->words = rules / 64 + 1;
	index->always = xcalloc(index->words, sizeof *index->always);
	index->found = xcalloc(index->words, sizeof *index->found);
	index->next = xcalloc(rules + 1, sizeof *index->next);
	add_node(&index->heads);
	add_node(&index->tails);
	return index;
}

void ignore_index_destroy(struct ignore_index *index)
{
	if (!index)
		return;
	free(index->heads.edges);
	free(index->heads.first);
	free(index->tails.edges);
	free(index->tails.first);
	free(index->next);
	free(index->always);
	free(index->found);
	free(index);
}

void ignore_index_add(struct ignore_index *index, uint32_t rule, struct str head, struct str tail)
{
	if (head.len == 0 && tail.len == 0)
		index->always[rule / 64] |= (uint64_t)1 << rule % 64;
	else if (head.len >= tail.len)
		file(index, &index->heads, rule, head, false);
	else
		file(index, &index->tails, rule, tail, true);
}

const uint64_t *ignore_index_find(struct ignore_index *index, struct str path)
{
	memcpy(index->found, index->always, index->words * sizeof *index->found);
	look(index, &index->heads, path, false);
	for (size_t i = 1; i < path.len; i++) {
		if (path.ptr[i] == '/')
			look(index, &index->tails, str_slice(path, 0, i), true);
	}
	look(index, &index->tails, path, true);
	return index->found;
}
