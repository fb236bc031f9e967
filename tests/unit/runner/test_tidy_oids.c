#include "runner/exec/tidy_oids.h"

#include "tests/unit/unit.h"

static git_oid id_of(uint64_t low, uint64_t high)
{
	git_oid id = { { 0 } };

	memcpy(id.id, &low, sizeof low);
	memcpy(id.id + sizeof low, &high, sizeof high);
	return id;
}

static void empty_set_has_nothing(void **state)
{
	struct tidy_oids set = { 0 };
	git_oid id = id_of(0, 0);
	(void)state;

	assert_false(tidy_oids_have(&set, &id));
	tidy_oids_release(&set);
}

static void each_is_added_once_and_order_is_kept(void **state)
{
	struct tidy_oids set = { 0 };
	(void)state;

	for (uint64_t round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < 5000; i++) {
			git_oid id = id_of(i * 7919, i);
			assert_int_equal(tidy_oids_add(&set, &id), round == 0);
		}
	}
	assert_int_equal(set.len, 5000);
	for (uint64_t i = 0; i < 5000; i++) {
		git_oid id = id_of(i * 7919, i), other = id_of(i * 7919, i + 1);
		assert_true(git_oid_equal(&set.items[i], &id));
		assert_true(tidy_oids_have(&set, &id));
		assert_false(tidy_oids_have(&set, &other));
	}
	tidy_oids_release(&set);
}

static void ids_with_one_beginning_are_told_apart(void **state)
{
	struct tidy_oids set = { 0 };
	(void)state;

	for (uint64_t i = 0; i < 500; i++) {
		git_oid id = id_of(UINT64_MAX, i);
		assert_false(tidy_oids_have(&set, &id));
		assert_true(tidy_oids_add(&set, &id));
		assert_true(tidy_oids_have(&set, &id));
	}
	tidy_oids_release(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_set_has_nothing),
		cmocka_unit_test(each_is_added_once_and_order_is_kept),
		cmocka_unit_test(ids_with_one_beginning_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
