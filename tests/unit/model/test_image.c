#include "tests/unit/unit.h"

#include "common/scope.h"
#include "model/image.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void parts_are_cut_where_docker_cuts_them(void **state)
{
	(void)state;
	static const struct {
		const char *text, *registry, *repository, *tag, *digest;
	} rows[] = {
		{ "app", NULL, "app", NULL, NULL },
		{ "app:v1", NULL, "app", "v1", NULL },
		{ "team/app:V1.2-x_y", NULL, "team/app", "V1.2-x_y", NULL },
		{ "127.0.0.1:5000/team/app", "127.0.0.1:5000", "team/app", NULL, NULL },
		{ "registry.example.org/app:ca1", "registry.example.org", "app", "ca1", NULL },
		{ "Registry.Example.ORG/app", "Registry.Example.ORG", "app", NULL, NULL },
		{ "localhost/app", "localhost", "app", NULL, NULL },
		{ "localhost", NULL, "localhost", NULL, NULL },
		{ "localhost:5000", NULL, "localhost", "5000", NULL },
		{ "[::1]:5000/app", "[::1]:5000", "app", NULL, NULL },
		{ "[fd00::1]/app:x", "[fd00::1]", "app", "x", NULL },
		{ "app@sha256:" HEX, NULL, "app", NULL, "sha256:" HEX },
		{ "h:1/a/b:t@sha256:" HEX, "h:1", "a/b", "t", "sha256:" HEX },
		{ "a.b/c", "a.b", "c", NULL, NULL },
		{ "a__b/c---d/e.f_g", NULL, "a__b/c---d/e.f_g", NULL, NULL },
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image image = { 0 };
		assert_works(image_parse(&image, str_from(rows[i].text), &err));
		assert_string_equal(image.registry ? image.registry : "-",
				    rows[i].registry ? rows[i].registry : "-");
		assert_string_equal(image.repository, rows[i].repository);
		assert_string_equal(image.tag ? image.tag : "-", rows[i].tag ? rows[i].tag : "-");
		assert_string_equal(image.digest ? image.digest : "-",
				    rows[i].digest ? rows[i].digest : "-");
		cleanup_free char *text = image_text(&image);
		assert_string_equal(text, rows[i].text);
		image_release(&image);
	}
}

static void what_is_no_image_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"-app",
		"--force",
		"App",
		"app:",
		"app:-x",
		"app:.x",
		"app:a b",
		"app:a/b",
		"a//b",
		"/app",
		"app/",
		"a..b",
		"a___b",
		"_a",
		"a_",
		"a.",
		"team/-app",
		"a b",
		"a\nb",
		"ap\xc3\xb6",
		"https://example.org/app",
		"host:port/app",
		"host:0/app",
		"host:65536/app",
		"host:/app",
		":5000/app",
		".host/app",
		"host./app",
		"-host.x/app",
		"a..b.c/app",
		"[::1/app",
		"[::1]x/app",
		"app@sha256:" HEX "0",
		"app@sha256:0123",
		"app@sha512:" HEX HEX,
		"app@",
		"app@SHA256:" HEX,
		"app:x:y",
		"app;rm",
		"$(id)",
		"app:{{.Run.ID}}",
	};
	struct err err;
	struct image image;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (image_parse(&image, str_from(texts[i]), &err) == 0)
			fail_msg("'%s' was taken", texts[i]);
		assert_string_equal(err.word, "image_invalid");
	}
	assert_fails(image_parse(&image, STR("app:x\0y"), &err), "image_invalid");
	assert_fails(image_parse(&image, STR("a\0p"), &err), "image_invalid");
	assert_fails(image_parse(&image, STR("h.x\0/a"), &err), "image_invalid");
}

static void names_and_tags_have_a_longest_length(void **state)
{
	(void)state;
	struct err err;
	struct image image = { 0 };
	char text[600];

	memset(text, 'a', sizeof text);
	assert_works(image_parse(&image, (struct str){ text, 254 }, &err));
	image_release(&image);
	assert_fails(image_parse(&image, (struct str){ text, 255 }, &err), "image_invalid");
	text[1] = ':';
	assert_works(image_parse(&image, (struct str){ text, 2 + 128 }, &err));
	image_release(&image);
	assert_fails(image_parse(&image, (struct str){ text, 2 + 129 }, &err), "image_invalid");
	assert_true(strlen(err.msg) < 450);
}

static void a_copy_owns_its_parts(void **state)
{
	(void)state;
	struct err err;
	struct image a = { 0 }, b = { 0 };

	assert_works(image_parse(&a, STR("h.x/app:1"), &err));
	image_copy(&b, &a);
	image_copy(&b, &a); /* over what was there */
	image_release(&a);
	assert_string_equal(b.registry, "h.x");
	assert_null(b.digest);
	image_release(&b);
	image_release(&b);
	image_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_cut_where_docker_cuts_them),
		cmocka_unit_test(what_is_no_image_is_refused),
		cmocka_unit_test(names_and_tags_have_a_longest_length),
		cmocka_unit_test(a_copy_owns_its_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
