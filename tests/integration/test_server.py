"""The API of the built server, over its Unix socket and TCP, with a runner that acts one."""

import http.client
import io
import json
import os
import tarfile
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.fake_service import RUNS, FakeService, error_code  # noqa: E402
from lib.service import ZEROS, push_payload  # noqa: E402

URL = "https://git.example.org/acme/app.git"


def task(url=URL, branch="main", **step):
    return {"location": "local", "properties": {
        "status": "Enabled", "platform": {"os": "linux", "architecture": "amd64"},
        "step": {"type": "Docker", "contextPath": f"{url}#{branch}", "imageNames": ["app:{{.Run.ID}}"],
                 "dockerFilePath": "Dockerfile", **step},
        "trigger": {"sourceTriggers": [{
            "name": "defaultSourceTriggerName", "status": "Enabled", "sourceTriggerEvents": ["commit"],
            "sourceRepository": {"sourceControlType": "Github", "repositoryUrl": url, "branch": branch}}]}}}


class ServerTest(unittest.TestCase):
    CONFIG = ""

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(FakeService(cls.CONFIG))

    def json(self, *arguments, **more):
        return self.service.json(*arguments, **more)

    def refused(self, status, code, method, path, body=None, **more):
        answer = self.service.request(method, path, body, **more)
        self.assertEqual((answer.status, error_code(answer)), (status, code), answer.body)
        return answer


class Doors(ServerTest):
    def test_health_is_open_to_everybody(self):
        for tcp in (True, False):
            self.assertEqual(self.json("GET", "/healthz", tcp=tcp)["status"], "ok")
            self.assertEqual(self.json("GET", "/readyz", tcp=tcp), {"status": "ready", "reasons": []})

    def test_the_api_over_tcp_wants_a_token(self):
        for method, path in (("GET", "/v1/registries"), ("GET", RUNS), ("POST", RUNS + "/cancel"),
                             ("GET", RUNS + "/ca1/log"), ("PUT", "/v1/registries/main/tasks/web"),
                             ("GET", "/v1/health"), ("GET", "/v1/deliveries"), ("GET", "/v1/nothing/here")):
            answer = self.refused(401, "auth", method, path, tcp=True)
            self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")
            self.assertIn("Unix socket", answer.body.decode())

    def test_a_method_that_a_path_does_not_have(self):
        for method, path, allow in (("GET", "/webhooks/github", "POST"), ("PUT", RUNS, "GET, HEAD"),
                                    ("GET", RUNS + "/ca1/cancel", "POST"), ("DELETE", "/healthz", "GET, HEAD")):
            answer = self.refused(405, "method", method, path)
            self.assertEqual(answer.headers["Allow"], allow)

    def test_nothing_is_there(self):
        for path in ("/", "/v1", "/v2/registries", RUNS + "/", "/v1/registries/other/runs", "/webhooks/other"):
            self.refused(404, "not_found", "POST" if "webhooks" in path else "GET", path)

    def test_fixed_words_have_no_case(self):
        self.assertEqual(self.service.request("GET", "/V1/Registries/MAIN/Runs").status, 200)

    def test_the_registries(self):
        registries = self.json("GET", "/v1/registries")["value"]
        self.assertEqual([(r["name"], r["properties"]["loginServer"], r["properties"]["isDefault"]) for r in registries],
                         [("main", "registry.test:5000", True)])

    def test_the_description_is_served(self):
        self.assertIn("/readyz", self.json("GET", "/v1/openapi.json", tcp=True)["paths"])

    def test_metrics_are_for_loopback_and_administrators(self):
        for tcp in (True, False):
            answer = self.service.request("GET", "/metrics", tcp=tcp)
            self.assertEqual(answer.status, 200)
            self.assertIn(b"\nslipway_runs{status=\"Queued\"} ", answer.body)

    def test_check_health_asks_the_runner(self):
        checks = {c["name"]: c for c in self.json("GET", "/v1/health")["value"]}
        self.assertTrue(checks["engine"]["ok"])
        for name in ("service", "data folder", "queue", "disk"):
            self.assertTrue(checks[name]["ok"], name)

    def test_an_answer_says_how_to_be_read(self):
        answer = self.service.request("GET", RUNS + "/none")
        self.assertEqual(answer.headers["Content-Type"], "application/json; charset=utf-8")
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")


class Tasks(ServerTest):
    TASKS = "/v1/registries/main/tasks"

    def test_a_task_is_made_shown_replaced_and_deleted(self):
        path = self.TASKS + "/web"
        self.refused(404, "not_found", "GET", path)
        made = self.json("PUT", path, task())
        self.assertEqual((made["name"], made["properties"]["status"]), ("web", "Enabled"))
        self.assertEqual(made["id"], path)
        self.assertEqual(self.json("GET", path), made)
        self.assertEqual([t["name"] for t in self.json("GET", self.TASKS)["value"]], ["web"])
        replaced = self.json("PUT", path, task(branch="next"))
        self.assertEqual(replaced["properties"]["step"]["contextPath"], URL + "#next")
        self.assertEqual(replaced["properties"]["creationDate"], made["properties"]["creationDate"])
        self.assertEqual(self.service.request("DELETE", path).status, 200)
        self.assertEqual(self.service.request("DELETE", path).status, 204)
        self.refused(404, "not_found", "GET", path)

    def test_secrets_are_shown_by_list_details_only(self):
        path = self.TASKS + "/secret"
        body = task(contextAccessToken="tok-4711", arguments=[{"name": "S", "value": "hush-4711", "isSecret": True}])
        answers = [json.dumps(self.json("PUT", path, body)), json.dumps(self.json("GET", path)),
                   json.dumps(self.json("GET", self.TASKS))]
        for answer in answers:
            self.assertNotIn("4711", answer)
        step = self.json("POST", path + "/listDetails")["properties"]["step"]
        self.assertEqual((step["contextAccessToken"], step["arguments"][0]["value"]), ("tok-4711", "hush-4711"))
        self.service.request("DELETE", path)

    def test_what_is_wrong_is_said(self):
        self.refused(400, "bad_name", "PUT", self.TASKS + "/a.b", task())
        self.refused(400, "bad_json", "PUT", self.TASKS + "/web", b"{")
        self.refused(400, "bad_request", "PUT", self.TASKS + "/web", b"[]")
        self.refused(422, "scheme_denied", "PUT", self.TASKS + "/web", task(url="git://git.example.org/app.git"))
        self.refused(422, "address_denied", "PUT", self.TASKS + "/web", task(url="https://10.0.0.1/app.git"))
        self.refused(413, "too_large", "PUT", self.TASKS + "/web", b" " * (2 << 20))

    def test_a_task_does_not_build_what_strangers_sent(self):
        """Pull refs (REF-010). A build by hand may name one, and a branch may have such a name."""
        for ref in ("refs/pull/1/merge", "pull/1/head", "refs/merge-requests/1/head", "refs/pull-requests/1/from",
                    "refs/changes/34/1234/5"):
            self.refused(422, "ref_denied", "PUT", self.TASKS + "/web", task(branch=ref))
        self.json("PUT", self.TASKS + "/web", task(branch="refs/heads/pull/1/merge"))
        self.service.request("DELETE", self.TASKS + "/web")
        build = self.service.build("started; result Succeeded", sourceLocation=URL + "#refs/pull/1/merge")
        self.json("POST", "/v1/registries/main/scheduleRun", build)


class Scheduling(ServerTest):
    SCHEDULE = "/v1/registries/main/scheduleRun"

    def test_a_build_becomes_a_run(self):
        run = self.json("POST", self.SCHEDULE, self.service.build())
        self.assertEqual(run["id"], f"{RUNS}/{run['name']}")
        self.assertEqual(run["properties"]["status"], "Queued")
        self.assertEqual(run["properties"]["runType"], "QuickBuild")
        ended = self.service.wait_status(run["name"], "Succeeded")
        self.assertEqual(ended["attempt"], 1)
        self.assertEqual([s["name"] for s in ended["steps"]], ["build"])

    def test_requests_of_later_versions(self):
        for kind in ("FileTaskRunRequest", "EncodedTaskRunRequest", "TaskRunRequest"):
            answer = self.refused(400, "not_available", "POST", self.SCHEDULE, {"type": kind})
            self.assertIn(kind, answer.body.decode())
        self.refused(400, "bad_request", "POST", self.SCHEDULE, {"type": "Nonsense"})
        self.refused(400, "bad_request", "POST", self.SCHEDULE, {})

    def test_what_can_never_work_is_refused(self):
        build = self.service.build
        self.refused(422, "scheme_denied", "POST", self.SCHEDULE, build(sourceLocation="file:///etc/passwd#main"))
        self.refused(422, "address_denied", "POST", self.SCHEDULE, build(sourceLocation="https://169.254.169.254/x.git"))
        self.refused(400, "context_missing", "POST", self.SCHEDULE, build(sourceLocation="source/abcdefgh.tar.gz"))
        self.refused(422, "path_denied", "POST", self.SCHEDULE, build(dockerFilePath="../Dockerfile"))

    def test_credentials_of_a_url_are_kept_apart(self):
        run = self.json("POST", self.SCHEDULE, self.service.build(
            "started; result Succeeded", sourceLocation="https://ada:sesame-4711@git.example.org/acme/app.git#main"))
        shown = json.dumps(run) + json.dumps(self.service.wait_status(run["name"], "Succeeded"))
        self.assertNotIn("4711", shown)
        for name in ("slipway.db", "slipway.db-wal"):
            self.assertNotIn(b"sesame-4711", (self.service.data / name).read_bytes())


class Uploads(ServerTest):
    CONFIG = "limits: { upload_bytes: 1M }\n"

    def url(self):
        made = self.json("POST", "/v1/registries/main/listBuildSourceUploadUrl")
        self.assertRegex(made["uploadUrl"], "^http://[^/]+/v1/uploads/")
        return "/" + made["uploadUrl"].split("/", 3)[3], made["relativePath"]

    def archive(self, size=1000):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            info = tarfile.TarInfo("Dockerfile")
            info.size = size
            tar.addfile(info, io.BytesIO(os.urandom(size)))
        return out.getvalue()

    def stored(self, relative):
        return self.service.data / relative.replace("source/", "sources/")

    def test_an_archive_is_stored_and_can_be_built(self):
        path, relative = self.url()
        body = self.archive(300000)
        answer = self.service.request("PUT", path, body, headers={"Content-Type": "application/octet-stream"})
        self.assertEqual(answer.status, 201, answer.body)
        self.assertTrue(answer.headers["ETag"])
        self.assertRegex(answer.headers["Last-Modified"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertEqual(self.stored(relative).read_bytes(), body)
        run = self.service.submit(sourceLocation=relative)
        self.service.wait_status(run, "Succeeded")

    def test_the_url_is_the_credential_also_over_tcp(self):
        path, relative = self.url()
        self.assertEqual(self.service.request("PUT", path, b"x", tcp=True).status, 201)
        self.assertEqual(self.stored(relative).read_bytes(), b"x")

    def test_a_url_that_was_changed_opens_nothing(self):
        path, _ = self.url()
        for wrong in (path.replace("sig=", "sig=0"), path.partition("?")[0], path[:-1] + ("0" if path[-1] != "0" else "1"),
                      path.replace("expires=", "expires=9"), path.replace("/uploads/", "/uploads/x")):
            self.refused(403, "forbidden", "PUT", wrong, b"x")

    def test_too_large_an_archive_leaves_nothing(self):
        path, relative = self.url()
        self.refused(413, "too_large", "PUT", path, b"x" * ((1 << 20) + 1))
        self.assertEqual([p.name for p in (self.service.data / "sources").glob(self.stored(relative).name[:10] + "*")], [])

    def test_an_upload_that_breaks_off_leaves_nothing(self):
        path, relative = self.url()
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port)
        connection.putrequest("PUT", path)
        connection.putheader("Content-Length", "100000")
        connection.endheaders(b"x" * 50000)
        part = self.stored(relative).with_name(self.stored(relative).name.replace(".tar.gz", ".part"))
        self.service.eventually(part.exists, what="the partial file")
        connection.close()
        self.service.eventually(lambda: not part.exists(), what="the partial file to go")
        self.assertFalse(self.stored(relative).exists())


class Listing(ServerTest):
    CONFIG = "max_running: 1\n"
    COUNT = 105

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.service.submit("started; touch up; wait go; result Succeeded")
        cls.service.wait_file("up")
        cls.ids = [cls.first] + [cls.service.submit("started; result Succeeded") for _ in range(cls.COUNT - 1)]

    def page(self, query):
        answer = self.json("GET", RUNS + query)
        return [r["name"] for r in answer["value"]], answer.get("nextLink")

    def pages(self, query):
        ids, link = self.page(query)
        lengths, every = [len(ids)], ids
        while link:
            ids, link = self.page("?" + link.partition("?")[2])
            lengths.append(len(ids))
            every = every + ids
        return lengths, every

    def test_newest_come_first_and_top_is_the_total(self):
        newest = self.ids[::-1]
        self.assertEqual(self.page("?$top=2"), (newest[:2], None))
        self.assertEqual(self.pages("?$top=100"), ([100], newest[:100]))
        self.assertEqual(self.pages("?$top=103"), ([100, 3], newest[:103]))
        self.assertEqual(self.pages("?$top=105"), ([100, 5], newest))
        self.assertEqual(self.pages("?$top=5000"), ([100, 5], newest))
        self.assertEqual(self.pages(""), ([100, 5], newest))

    def test_the_filter_goes_along_with_the_pages(self):
        lengths, ids = self.pages("?$filter=Status%20eq%20'Queued'")
        self.assertEqual((lengths, ids), ([100, 4], self.ids[:0:-1]))
        self.assertEqual(self.page("?$filter=Status%20eq%20'Running'"), ([self.first], None))
        self.assertEqual(self.page("?$filter=TaskName%20eq%20'''%20OR%201=1;--'"), ([], None))

    def test_a_query_that_is_none(self):
        for query in ("$top=-1", "$top=0", "$top=1e9", "$top=99999999999999999999", "$top=abc", "$top=", "$skipToken=x"):
            self.refused(400, "bad_query", "GET", f"{RUNS}?{query}")
        self.refused(400, "bad_filter", "GET", RUNS + "?$filter=Status%20like%20'x'")

    def test_a_dry_run_only_names_what_it_would_cancel(self):
        dry = self.json("POST", RUNS + "/cancel", {"filter": "Status eq 'Queued'", "dryRun": True})["value"]
        self.assertEqual({r["runId"] for r in dry}, set(self.ids[1:]))
        self.assertEqual(self.service.show(self.ids[1])["status"], "Queued")


class Canceling(ServerTest):
    def test_a_queued_run_ends_at_once_and_a_second_time_changes_nothing(self):
        with FakeService("max_running: 1\n") as service:
            first = service.submit("started; touch up; wait go; result Succeeded")
            service.wait_file("up")
            queued = service.submit()
            self.assertEqual(service.request("POST", f"{RUNS}/{queued}/cancel").status, 202)
            self.assertEqual(service.show(queued)["status"], "Canceled")
            self.assertEqual(service.request("POST", f"{RUNS}/{queued}/cancel").status, 200)
            service.touch("go")
            service.wait_status(first, "Succeeded")
            answer = service.request("POST", f"{RUNS}/{first}/cancel")
            self.assertEqual((answer.status, error_code(answer)), (409, "conflict"))

    def test_a_running_run_is_stopped(self):
        run = self.service.submit("started; touch running; hang")
        self.service.wait_file("running")
        self.assertEqual(self.service.request("POST", f"{RUNS}/{run}/cancel").status, 202)
        self.service.wait_status(run, "Canceled")

    def test_a_hundred_clients_cancel_once(self):
        run = self.service.submit("started; touch hundred; hang")
        self.service.wait_file("hundred")
        with ThreadPoolExecutor(100) as clients:
            answers = list(clients.map(lambda _: self.service.request("POST", f"{RUNS}/{run}/cancel").status, range(100)))
        self.assertLessEqual(set(answers), {202, 200})
        self.service.wait_status(run, "Canceled")
        self.assertEqual(self.service.log.read_text().count(f"run.stop run={run} "), 1)

    def test_an_unknown_run(self):
        for run in ("ca999", "9223372036854775808", "nonsense", "zz1"):
            self.refused(404, "not_found", "POST", f"{RUNS}/{run}/cancel")

    def test_a_batch_has_one_result_per_distinct_id(self):
        run = self.service.submit("started; touch batch; hang")
        self.service.wait_file("batch")
        results = self.json("POST", RUNS + "/cancel", {"runIds": [run, run, "ca999", run]})["value"]
        self.assertEqual(sorted((r["runId"], r["outcome"]) for r in results),
                         sorted([(run, "Accepted"), ("ca999", "NotFound")]))
        self.service.wait_status(run, "Canceled")

    def test_a_batch_has_a_limit(self):
        self.refused(413, "too_many", "POST", RUNS + "/cancel", {"runIds": [f"ca{i}" for i in range(10001)]})

    def test_a_batch_says_what_it_wants(self):
        for body in ({}, {"runIds": ["ca1"], "filter": ""}, {"runIds": "ca1"}, {"runIds": [1]}, {"filter": 1}):
            self.refused(400, "bad_request", "POST", RUNS + "/cancel", body)

    def test_archiving(self):
        run = self.service.submit()
        self.assertTrue(self.json("PATCH", f"{RUNS}/{run}", {"isArchiveEnabled": True})["properties"]["isArchiveEnabled"])
        self.assertFalse(self.json("PATCH", f"{RUNS}/{run}", {"isArchiveEnabled": False})["properties"]["isArchiveEnabled"])
        self.refused(400, "bad_request", "PATCH", f"{RUNS}/{run}", {"status": "Succeeded"})
        self.refused(404, "not_found", "PATCH", f"{RUNS}/ca999", {"isArchiveEnabled": True})


class Logs(ServerTest):
    def ended(self):
        run = self.service.submit("started; log one; log two; log three; result Succeeded")
        self.service.wait_status(run, "Succeeded")
        return f"{RUNS}/{run}/log", b"one\ntwo\nthree\n"

    def test_the_bytes_and_ranges_of_them(self):
        path, log = self.ended()
        self.assertEqual(self.service.request("GET", path).body, log)
        for given, body, content_range in (("bytes=0-2", b"one", "bytes 0-2/14"), ("bytes=4-", log[4:], "bytes 4-13/14"),
                                           ("bytes=-6", b"three\n", "bytes 8-13/14"),
                                           ("bytes=8-999", b"three\n", "bytes 8-13/14")):
            answer = self.service.request("GET", path, headers={"Range": given})
            self.assertEqual((answer.status, answer.body, answer.headers["Content-Range"]), (206, body, content_range))
        answer = self.refused(416, "bad_offset", "GET", path, headers={"Range": "bytes=14-"})
        self.assertEqual(answer.headers["Content-Range"], "bytes */14")

    def test_head_tells_the_size(self):
        path, log = self.ended()
        answer = self.service.request("HEAD", path)
        self.assertEqual((answer.status, answer.headers["Content-Length"], answer.body), (200, str(len(log)), b""))

    def test_following_ends_with_the_run_and_gives_the_same_bytes(self):
        run = self.service.submit("started; log one; wait gate1; log two; fill 200000; wait gate2; result Succeeded")
        connection, answer = self.service.open(f"{RUNS}/{run}/log?follow=1")
        self.assertEqual(answer.read(4), b"one\n")
        self.service.touch("gate1")
        self.assertEqual(answer.read(4), b"two\n")
        self.service.touch("gate2")
        rest = answer.read()
        connection.close()
        self.assertEqual(b"one\ntwo\n" + rest, self.service.request("GET", f"{RUNS}/{run}/log").body)
        self.assertEqual(self.service.show(run)["status"], "Succeeded")

    def test_following_resumes_at_an_offset(self):
        path, log = self.ended()
        connection, answer = self.service.open(path + "?follow=1", {"Range": "bytes=4-"})
        self.assertEqual((answer.status, answer.read()), (206, log[4:]))
        connection.close()
        connection, answer = self.service.open(path + "?follow=1", {"Range": f"bytes={len(log)}-"})
        self.assertEqual((answer.status, answer.read()), (206, b""))
        connection.close()

    def test_a_queued_run_has_an_empty_log(self):
        with FakeService("max_running: 1\n") as service:
            service.submit("started; touch up; hang")
            service.wait_file("up")
            run = service.submit("started; log late; result Succeeded")
            self.assertEqual(service.request("GET", f"{RUNS}/{run}/log").body, b"")
            connection, answer = service.open(f"{RUNS}/{run}/log?follow=1")
            service.json("POST", RUNS + "/cancel", {"runIds": ["ca1"]}, status=200)
            self.assertEqual(answer.read(), b"late\n")
            connection.close()

    def test_a_canceled_queued_run_ends_its_followers(self):
        with FakeService("max_running: 1\n") as service:
            service.submit("started; touch up; hang")
            service.wait_file("up")
            run = service.submit()
            connection, answer = service.open(f"{RUNS}/{run}/log?follow=1")
            service.request("POST", f"{RUNS}/{run}/cancel")
            self.assertEqual(answer.read(), b"")
            connection.close()

    def events(self, path, last_id=None, count=None):
        """[(id, text)] of the first `count` events, or all until the end."""
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id is not None else {})}
        connection, answer = self.service.open(path, headers)
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["Content-Type"].startswith("text/event-stream"))
        events, fields = [], []
        while count is None or len(events) < count:
            line = answer.readline().decode()
            if line == "":
                break
            line = line.rstrip("\n")
            if line:
                fields.append(line.partition(": ")[::2])
                continue
            given = dict(fields)
            data = "\n".join(value for key, value in fields if key == "data")
            fields = []
            if given.get("event") == "end":
                break
            if "id" in given:
                events.append((given["id"], data))
        connection.close()
        return events

    def test_events_resume_exactly_where_they_broke_off(self):
        run = self.service.submit("started; fill 30000; wait gate3; fill 5000; result Succeeded")
        path = f"{RUNS}/{run}/log"
        some = self.events(path, count=100)
        self.service.touch("gate3")
        rest = self.events(path, last_id=some[-1][0])
        log = self.service.request("GET", path).body
        self.assertEqual("\n".join(text for _, text in some + rest), log.decode().rstrip("\n"))
        self.assertEqual(rest[-1][0], str(len(log)))
        self.assertEqual(log[:int(some[-1][0])].count(b"\n"), 100)
        self.assertEqual(self.events(path, last_id=len(log)), [])

    def test_an_offset_that_is_none(self):
        path, _ = self.ended()
        for garbage in ("garbage", "-1", "1.5", "99999999999999999999"):
            self.refused(400, "bad_offset", "GET", path,
                         headers={"Accept": "text/event-stream", "Last-Event-ID": garbage})

    def test_a_log_of_nobody(self):
        self.refused(404, "not_found", "GET", RUNS + "/ca999/log")
        self.refused(404, "not_found", "GET", RUNS + "/ca999/log?follow=1")

    def test_many_followers_of_one_run_get_the_same(self):
        run = self.service.submit("started; log one; wait gate4; fill 100000; result Succeeded")
        streams = [self.service.open(f"{RUNS}/{run}/log?follow=1") for _ in range(50)]
        self.service.touch("gate4")
        bodies = {answer.read() for _, answer in streams}
        for connection, _ in streams:
            connection.close()
        self.assertEqual(bodies, {self.service.request("GET", f"{RUNS}/{run}/log").body})


class Deliveries(ServerTest):
    def test_a_push_starts_the_run_of_its_task(self):
        self.json("PUT", "/v1/registries/main/tasks/web", task(isPushEnabled=False))
        answer = self.service.deliver(push_payload(URL, "refs/heads/main", ZEROS, "1" * 40), delivery="guid-1")
        self.assertEqual(answer.status, 202, answer.body)
        body = json.loads(answer.body)
        self.assertEqual([(v["task"], v["matched"]) for v in body["verdicts"]], [("web", True)])
        run = self.service.wait_status(body["runs"][0], "Succeeded")
        self.assertEqual((run["runType"], run["task"]), ("AutoBuild", "web"))
        again = self.service.deliver(push_payload(URL, "refs/heads/main", ZEROS, "1" * 40), delivery="guid-1")
        self.assertEqual((again.status, json.loads(again.body)), (200, body))
        shown = self.json("GET", "/v1/deliveries/guid-1")
        self.assertEqual((shown["deliveryId"], shown["runs"]), ("guid-1", body["runs"]))
        self.assertEqual([d["deliveryId"] for d in self.json("GET", "/v1/deliveries?$top=1")["value"]], ["guid-1"])
        self.assertEqual(self.service.metric('slipway_deliveries_total{verdict="accepted"}'), 1)

    def test_a_forged_one_is_refused_and_counted(self):
        before = self.service.metric('slipway_deliveries_total{verdict="refused"}')
        answer = self.service.deliver(push_payload(URL, "refs/heads/main", ZEROS, "2" * 40), secret="wrong")
        self.assertEqual((answer.status, error_code(answer)), (401, "signature_mismatch"))
        self.assertEqual(self.service.metric('slipway_deliveries_total{verdict="refused"}'), before + 1)

    def test_an_unknown_one(self):
        self.refused(404, "not_found", "GET", "/v1/deliveries/nobody")


if __name__ == "__main__":
    unittest.main()
