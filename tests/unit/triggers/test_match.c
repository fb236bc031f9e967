#include "tests/unit/unit.h"

#include "triggers/match.h"

#define TIP "1111111111111111111111111111111111111111"

/* A task that follows `branch` of github.com/acme/app, and a push to main of it. */
struct fixture {
	struct source_trigger trigger;
	struct task task;
	struct delivery delivery;
	struct match match;
};

static int setup(void **state)
{
	struct fixture *f = xnew(struct fixture);

	f->trigger = (struct source_trigger){ .enabled = true,
					      .on_commit = true,
					      .repository = (char *)"github.com/acme/app",
					      .branch = (char *)"main" };
	f->task = (struct task){ .registry = (char *)"reg",
				 .name = (char *)"web",
				 .enabled = true,
				 .triggers = &f->trigger,
				 .triggers_len = 1 };
	f->task.step.context = xstrdup("https://github.com/acme/app.git#main:src");
	strvec_push(&f->task.step.images, "app:{{.Run.ID}}");
	f->delivery = (struct delivery){
		.webhook = xstrdup("github"),
		.delivery_id = xstrdup("d1"),
		.event = { .kind = EVENT_PUSH,
			   .name = xstrdup("push"),
			   .provider = xstrdup("github"),
			   .repository = xstrdup("github.com/acme/app"),
			   .repository_url = xstrdup("https://github.com/acme/app.git"),
			   .ref = xstrdup("refs/heads/main"),
			   .before = xstrdup("2222222222222222222222222222222222222222"),
			   .after = xstrdup(TIP),
			   .sender = xstrdup("octocat") },
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	match_release(&f->match);
	delivery_release(&f->delivery);
	build_release(&f->task.step);
	free(f);
	return 0;
}

static void set(char **text, const char *value)
{
	free(*text);
	*text = xstrdup(value);
}

static void match(struct fixture *f)
{
	const struct task *tasks[] = { &f->task };

	match_event(&f->match, &f->delivery, 0, tasks, 1);
	assert_int_equal(f->delivery.verdicts_len, 1);
	assert_string_equal(f->delivery.verdicts[0].registry, "reg");
	assert_string_equal(f->delivery.verdicts[0].task, "web");
}

static void assert_refused(struct fixture *f, const char *reason)
{
	match(f);
	assert_int_equal(f->match.len, 0);
	assert_false(f->delivery.verdicts[0].matched);
	assert_has(f->delivery.verdicts[0].reason, reason);
}

static void a_push_to_the_branch_wants_a_run(void **state)
{
	struct fixture *f = *state;

	match(f);
	assert_int_equal(f->match.len, 1);
	assert_true(f->delivery.verdicts[0].matched);
	assert_string_equal(f->delivery.verdicts[0].reason, "push to main by octocat");

	const struct run *run = f->match.wanted;
	assert_null(run->id);
	assert_int_equal(run->status, RUN_QUEUED);
	assert_int_equal(run->type, RUN_AUTO_BUILD);
	assert_string_equal(run->registry, "reg");
	assert_string_equal(run->task, "web");
	assert_string_equal(run->reason, "push to main by octocat");
	assert_string_equal(run->order_key, "reg/web/refs/heads/main");
	assert_string_equal(run->build.context, "https://github.com/acme/app.git#main:src");
	assert_string_equal(run->build.commit, TIP);
	assert_string_equal(run->build.ref, "refs/heads/main");
	assert_string_equal(run->build.images.items[0], "app:{{.Run.ID}}");
	assert_string_equal(run->source.id, "d1");
	assert_string_equal(run->source.event_type, "Commit");
	assert_string_equal(run->source.commit_id, TIP);
	assert_string_equal(run->source.repository_url, "https://github.com/acme/app.git");
	assert_string_equal(run->source.branch, "main");
	assert_string_equal(run->source.provider, "Github");
}

static void a_step_that_names_a_commit_builds_the_pushed_one(void **state)
{
	struct fixture *f = *state;

	f->task.step.commit = xstrdup("3333333333333333333333333333333333333333");
	f->task.step.ref = xstrdup("refs/heads/other");
	match(f);
	assert_string_equal(f->match.wanted->build.commit, TIP);
	assert_string_equal(f->match.wanted->build.ref, "refs/heads/main");
}

static void a_trigger_may_name_a_full_ref(void **state)
{
	struct fixture *f = *state;

	f->trigger.branch = (char *)"refs/heads/main";
	match(f);
	assert_int_equal(f->match.len, 1);
}

static void a_trigger_may_follow_a_tag(void **state)
{
	struct fixture *f = *state;

	f->trigger.branch = (char *)"refs/tags/v1";
	set(&f->delivery.event.ref, "refs/tags/v1");
	match(f);
	assert_int_equal(f->match.len, 1);
	assert_string_equal(f->match.wanted->reason, "tag v1 by octocat");
	assert_string_equal(f->match.wanted->source.branch, "v1");
}

static void a_branch_named_as_a_tag_is_another_ref(void **state)
{
	struct fixture *f = *state;

	set(&f->delivery.event.ref, "refs/tags/main");
	assert_refused(f, "the task follows refs/heads/main, not refs/tags/main");
}

static void another_branch_is_refused(void **state)
{
	struct fixture *f = *state;

	set(&f->delivery.event.ref, "refs/heads/main2");
	assert_refused(f, "the task follows refs/heads/main, not refs/heads/main2");
}

static void branches_are_compared_with_case(void **state)
{
	struct fixture *f = *state;

	set(&f->delivery.event.ref, "refs/heads/Main");
	assert_refused(f, "not refs/heads/Main");
}

static void a_deletion_is_refused(void **state)
{
	struct fixture *f = *state;

	f->delivery.event.deleted = true;
	assert_refused(f, "refs/heads/main was deleted");
}

static void a_disabled_task_is_refused(void **state)
{
	struct fixture *f = *state;

	f->task.enabled = false;
	assert_refused(f, "the task is disabled");
}

static void a_disabled_trigger_is_refused(void **state)
{
	struct fixture *f = *state;

	f->trigger.enabled = false;
	assert_refused(f, "the source trigger is disabled");
}

static void a_trigger_without_commits_is_refused(void **state)
{
	struct fixture *f = *state;

	f->trigger.on_commit = false;
	assert_refused(f, "the commit trigger is off");
}

static void creation_and_force_are_said(void **state)
{
	struct fixture *f = *state;

	f->delivery.event.created = true;
	match(f);
	assert_string_equal(f->match.wanted->reason, "push to main by octocat (new branch)");
	match_release(&f->match);
	f->delivery.event.created = false;
	f->delivery.event.forced = true;
	free(f->delivery.event.sender);
	f->delivery.event.sender = NULL;
	const struct task *tasks[] = { &f->task };
	match_event(&f->match, &f->delivery, 0, tasks, 1);
	assert_string_equal(f->match.wanted->reason, "push to main (forced)");
}

static void each_task_has_its_own_verdict(void **state)
{
	struct fixture *f = *state;
	struct source_trigger dev = f->trigger;
	struct task other = f->task;

	dev.branch = (char *)"dev";
	other.name = (char *)"dev";
	other.triggers = &dev;
	const struct task *tasks[] = { &other, &f->task, &f->task };
	match_event(&f->match, &f->delivery, 0, tasks, 3);
	assert_int_equal(f->match.len, 2);
	assert_int_equal(f->delivery.verdicts_len, 3);
	assert_false(f->delivery.verdicts[0].matched);
	assert_true(f->delivery.verdicts[1].matched && f->delivery.verdicts[2].matched);
}

static void no_task_at_all_is_said(void **state)
{
	struct fixture *f = *state;

	match_event(&f->match, &f->delivery, 0, NULL, 0);
	assert_int_equal(f->match.len, 0);
	assert_int_equal(f->delivery.verdicts_len, 1);
	assert_null(f->delivery.verdicts[0].task);
	assert_string_equal(f->delivery.verdicts[0].reason, "no task follows github.com/acme/app");
}

static void one_of_several_triggers_is_enough(void **state)
{
	struct fixture *f = *state;
	struct source_trigger triggers[3] = { f->trigger, f->trigger, f->trigger };

	triggers[0].repository = (char *)"github.com/acme/other";
	triggers[1].branch = (char *)"dev";
	f->task.triggers = triggers;
	f->task.triggers_len = 3;
	match(f);
	assert_int_equal(f->match.len, 1);
	f->task.triggers = &f->trigger;
	f->task.triggers_len = 1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_push_to_the_branch_wants_a_run),
		TEST(a_step_that_names_a_commit_builds_the_pushed_one),
		TEST(a_trigger_may_name_a_full_ref),
		TEST(a_trigger_may_follow_a_tag),
		TEST(a_branch_named_as_a_tag_is_another_ref),
		TEST(another_branch_is_refused),
		TEST(branches_are_compared_with_case),
		TEST(a_deletion_is_refused),
		TEST(a_disabled_task_is_refused),
		TEST(a_disabled_trigger_is_refused),
		TEST(a_trigger_without_commits_is_refused),
		TEST(creation_and_force_are_said),
		TEST(each_task_has_its_own_verdict),
		TEST(no_task_at_all_is_said),
		TEST(one_of_several_triggers_is_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
