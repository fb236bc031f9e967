#include "store/run_filter.h"

#include "model/run.h"
#include "store/stmt.h"

/* How a property is compared: what its column holds. */
enum value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_STATUS, VALUE_TYPE };

static const struct {
	const char *column;
	enum value_kind kind;
} fields[] = {
	[FILTER_RUN_ID] = { "id", VALUE_TEXT },
	[FILTER_RUN_TYPE] = { "type", VALUE_TYPE },
	[FILTER_STATUS] = { "status", VALUE_STATUS },
	[FILTER_CREATE_TIME] = { "create_ms", VALUE_NUMBER },
	[FILTER_FINISH_TIME] = { "finish_ms", VALUE_NUMBER },
	[FILTER_OUTPUT_IMAGES] = { "output_images", VALUE_TEXT },
	[FILTER_ARCHIVED] = { "archived", VALUE_NUMBER },
	[FILTER_TASK_NAME] = { "task", VALUE_TEXT },
	[FILTER_BRANCH] = { "source_branch", VALUE_TEXT },
};

/* "ne" is also true of a run that has no such value: a manual build is of no task named 'web'. */
static const char *const operators[] = {
	[FILTER_EQ] = "=",  [FILTER_NE] = "IS NOT", [FILTER_GT] = ">",
	[FILTER_GE] = ">=", [FILTER_LT] = "<",      [FILTER_LE] = "<=",
};

static void push(struct run_query_args *args, struct run_query_arg arg)
{
	args->items = xreallocarray(args->items, args->len + 1, sizeof *args->items);
	args->items[args->len++] = arg;
}

void run_query_args_text(struct run_query_args *args, const char *text)
{
	push(args, (struct run_query_arg){ .text = xstrdup(text ? text : "") });
}

static void push_number(struct run_query_args *args, int64_t number)
{
	push(args, (struct run_query_arg){ .number = number });
}

/* A word that names no status or type is equal to none of them. */
static int64_t number_of(const struct filter *f, enum value_kind kind)
{
	enum run_status status;
	enum run_type type;

	if (kind == VALUE_STATUS)
		return run_status_parse(&status, str_from(f->text)) == 0 ? (int64_t)status : -1;
	if (kind == VALUE_TYPE)
		return run_type_parse(&type, str_from(f->text)) == 0 ? (int64_t)type : -1;
	return f->number;
}

static void add_comparison(struct buf *sql, struct run_query_args *args, const struct filter *f)
{
	enum value_kind kind = fields[f->field].kind;

	buf_addf(sql, "%s %s ?", fields[f->field].column, operators[f->op]);
	if (kind == VALUE_TEXT)
		run_query_args_text(args, f->text);
	else
		push_number(args, number_of(f, kind));
}

/* The first half is the condition of the index run_by_image, so that the rows need not be read. */
static void add_contains(struct buf *sql, struct run_query_args *args, const struct filter *f)
{
	const char *column = fields[f->field].column;

	buf_addf(sql, "(%s IS NOT NULL AND instr(%s, ?) > 0)", column, column);
	run_query_args_text(args, f->text);
}

void run_filter_add(struct buf *sql, struct run_query_args *args, const struct filter *f)
{
	if (f->op == FILTER_CONTAINS) {
		add_contains(sql, args, f);
	} else if (f->op == FILTER_AND || f->op == FILTER_OR) {
		buf_addc(sql, '(');
		run_filter_add(sql, args, f->left);
		buf_adds(sql, f->op == FILTER_AND ? " AND " : " OR ");
		run_filter_add(sql, args, f->right);
		buf_addc(sql, ')');
	} else {
		add_comparison(sql, args, f);
	}
}

void run_query_args_release(struct run_query_args *args)
{
	for (size_t i = 0; i < args->len; i++)
		free(args->items[i].text);
	free(args->items);
	*args = (struct run_query_args){ 0 };
}

void run_query_args_bind(struct stmt *s, const struct run_query_args *args)
{
	for (size_t i = 0; i < args->len; i++) {
		if (args->items[i].text)
			stmt_bind_text(s, args->items[i].text);
		else
			stmt_bind_int(s, args->items[i].number);
	}
}
