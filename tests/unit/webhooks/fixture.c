#include "tests/unit/webhooks/fixture.h"

int fixture_setup(void **state)
{
	struct fixture *f = xnew(struct fixture);

	memory_queue_init(&f->queue, "https://github.com/acme/app.git#main", "main");
	secret_set(&f->secrets[0], STR(SECRET));
	secret_set(&f->secrets[1], STR(OLD_SECRET));
	f->webhook = (struct webhook){ .name = xstrdup("github"),
				       .provider = provider_find("github"),
				       .secrets = f->secrets,
				       .secrets_len = 2 };
	*state = f;
	return 0;
}

void fixture_of(struct fixture *f, const char *provider, const char *url)
{
	memory_queue_release(&f->queue);
	memory_queue_init(&f->queue, url, "main");
	f->webhook.provider = provider_find(provider);
	assert_non_null(f->webhook.provider);
}

static void forget_answer(struct fixture *f)
{
	free(f->json);
	free(f->verdict);
	free(f->delivery_id);
	free(f->word);
	f->answers = 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	forget_answer(f);
	memory_queue_release(&f->queue);
	secret_release(&f->secrets[0]);
	secret_release(&f->secrets[1]);
	free(f->webhook.name);
	free(f);
	return 0;
}

static void on_answer(const struct webhook_answer *answer, void *data)
{
	struct fixture *f = data;

	f->answers++;
	f->status = answer->status;
	f->json = xstrdup(answer->json);
	f->verdict = xstrdup(answer->verdict);
	f->delivery_id = xstrdup(answer->delivery_id);
	f->word = xstrdup(answer->word);
}

void fixture_receive(struct fixture *f, const struct saved_request *r)
{
	struct webhook_request view = saved_request_view(r);

	forget_answer(f);
	webhook_receive(&f->queue, &f->webhook, &view, on_answer, f);
	assert_int_equal(f->answers, 1);
}
