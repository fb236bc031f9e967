"""Private repositories, TLS and names, with real servers: nginx, git http-backend, a name server."""

import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import git_server as hostile  # noqa: E402
from lib import private_network  # noqa: E402
from lib.certificates import Authority  # noqa: E402
from lib.context_case import DOCKERFILE, ContextTest  # noqa: E402
from lib.eventually import eventually  # noqa: E402
from lib.git_nginx import GitNginx  # noqa: E402
from lib.git_repository import GitRepository  # noqa: E402
from lib.git_server import GitServer  # noqa: E402
from lib.private_network import Names  # noqa: E402
from lib.run_spec import credential  # noqa: E402

HOST, PUBLIC = "git.example.org", "140.82.121.4"  # by its number; it leads nowhere but to us
OTHER_HOST, OTHER = "evil.example.net", "140.82.121.99"
TOKEN = "s3cret-token"


class PrivateRepository(ContextTest):
    """Behind nginx, which asks for a password."""

    def setUp(self):
        super().setUp()
        (self.folder / "private").mkdir()
        repo = GitRepository(self.folder / "private" / "app.git")
        self.commit = repo.commit({"Dockerfile": DOCKERFILE, "a/b": "1"})
        self.nginx = self.enterContext(GitNginx(
            self.folder, accounts={"private": ("slipway", TOKEN)}))
        self.private = self.nginx.url("private/app.git")
        self.token = credential(self.nginx.url("private/"), TOKEN)

    def served(self, count):
        return eventually(lambda: len(self.nginx.requests()) >= count and self.nginx.requests(),
                          f"{count} requests in nginx's log")

    def test_token_opens_it_and_stands_nowhere(self):
        got = self.fetch(url=self.private, **self.token)
        self.assertEqual((got.word, got.commit), (None, self.commit))
        self.assertEqual(got.files(), {"Dockerfile": DOCKERFILE, "a/b": "1"})
        self.assertEqual({(r.status, r.user) for r in self.served(2)}, {(200, "slipway")})
        left = subprocess.run(["grep", "-rlF", TOKEN, got.folder, self.data], capture_output=True)
        self.assertEqual(left.stdout, b"")

    def test_without_or_with_a_wrong_token_it_is_asked_once_and_says_which(self):
        got = self.assert_fails(self.fetch(url=self.private), "git_auth")
        self.assertIn("no token", got.message)
        got = self.assert_fails(
            self.fetch(url=self.private, **credential(self.private, "expired-token")), "git_auth")
        self.assertIn("does not accept the token", got.message)
        self.assertNotIn("expired-token", got.message + got.log)
        self.assertEqual([r.status for r in self.served(2)], [401, 401])

    def test_repository_that_is_not_there(self):
        got = self.assert_fails(self.fetch(url=self.nginx.url("none.git")), "git_not_found")
        self.assertIn("there is no token for it", got.message)
        got = self.assert_fails(self.fetch(url=self.nginx.url("private/none.git"), **self.token),
                                "git_not_found")
        self.assertIn("may not see it", got.message)

    def test_context_of_a_folder_and_a_second_fetch(self):
        got = self.fetch("#main:a", url=self.private, build={"dockerFilePath": "b"}, **self.token)
        self.assertEqual(got.files(), {"b": "1"})
        got = self.fetch("#" + self.commit[:9], url=self.private, **self.token)
        self.assertEqual(got.commit, self.commit)

    def test_token_of_another_path_is_not_shown(self):
        got = self.fetch(url=self.private, **credential(self.nginx.url("private/ap"), TOKEN))
        self.assertIn("no token", self.assert_fails(got, "git_auth").message)
        self.assertEqual([r.authorization for r in self.served(1)], [""])


class Certificates(ContextTest):
    """nginx on port 443 under a name; what the client trusts is ours to say."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.names = cls.enterClassContext(Names({HOST: [[PUBLIC]]}))

    def setUp(self):
        super().setUp()
        self.commit = self.repo.commit({"Dockerfile": DOCKERFILE})
        self.authority = Authority(self.folder)
        private_network.trust(self.authority.path)
        self.addCleanup(private_network.uncover, private_network.AUTHORITIES)

    def fetch_from(self, certificate, host=HOST):
        with GitNginx(self.folder, address=PUBLIC, port=443, tls=certificate) as nginx:
            url = nginx.url("app.git", host=host)
            got = self.fetch(url=url, allowAddresses=[], **credential(url, TOKEN))
            return got, nginx.requests()

    def test_good_one_of_a_trusted_authority(self):
        for names in (f"DNS:{HOST}", "DNS:*.example.org", f"DNS:x,DNS:{HOST}"):
            got, _ = self.fetch_from(self.authority.issue("good", names))
            self.assertEqual((got.word, got.commit), (None, self.commit), got.answer)
        got, _ = self.fetch_from(self.authority.issue("address", f"IP:{PUBLIC}"), host=PUBLIC)
        self.assertEqual((got.word, got.commit), (None, self.commit), got.answer)

    def test_all_others_are_refused_before_anything_is_asked(self):
        stranger = self.folder / "stranger"
        stranger.mkdir()
        bad = {
            "expired": self.authority.issue("expired", f"DNS:{HOST}", days=-1),
            "another name": self.authority.issue("other", "DNS:git.example.com"),
            "a name above": self.authority.issue("above", "DNS:example.org"),
            "a wild card of two labels": self.authority.issue("wild", "DNS:*.*.org"),
            "the address, not the name": self.authority.issue("number", f"IP:{PUBLIC}"),
            "nobody's": hostile.self_signed_certificate(self.folder, HOST),
            "another authority's": Authority(stranger).issue("good", f"DNS:{HOST}"),
        }
        for why, certificate in bad.items():
            with self.subTest(why):
                got, requests = self.fetch_from(certificate)
                self.assert_fails(got, "tls")
                self.assertEqual(requests, [])
        with self.subTest("the name as it is, but asked for by address"):
            got, requests = self.fetch_from(self.authority.issue("n", f"DNS:{HOST}"), host=PUBLIC)
            self.assert_fails(got, "tls")
        with self.subTest("the address of another one"):
            got, requests = self.fetch_from(self.authority.issue("o", f"IP:{OTHER}"), host=PUBLIC)
            self.assert_fails(got, "tls")
            self.assertEqual(requests, [])


class Rebinding(ContextTest):
    """Names whose answers change, or are more than one. Nobody may reach the loopback server."""

    def setUp(self):
        super().setUp()
        self.commit = self.repo.commit({"Dockerfile": DOCKERFILE})
        self.inside = self.enterContext(GitServer(self.folder, port=80))  # on 127.0.0.1

    def fetch_name(self, *answers, public=True, **more):
        with Names({HOST: list(answers)}) as names:
            if not public:
                got = self.fetch(url=f"http://{HOST}/app.git", allowAddresses=[], **more)
            else:
                with GitServer(self.folder, address=PUBLIC, port=80) as server:
                    got = self.fetch(url=f"http://{HOST}/app.git", allowAddresses=[], **more)
                    self.reached = server.requests
        self.asked = names.asked[HOST]
        self.assertEqual(self.inside.requests, [])
        return got

    def test_public_name_is_reached(self):
        self.assertEqual(self.fetch_name([PUBLIC]).commit, self.commit)

    def test_the_address_that_was_looked_at_is_the_one_that_is_connected_to(self):
        """First answer public, all later ones loopback: the whole fetch goes to the first."""
        got = self.fetch_name([PUBLIC], ["127.0.0.1"])
        self.assertEqual((got.word, got.commit), (None, self.commit))
        self.assertGreaterEqual(len(self.reached), 2)

    def test_name_that_leads_inside(self):
        for address in ("127.0.0.1", "0.0.0.0", "127.8.9.10"):
            got = self.assert_fails(self.fetch_name([address], public=False), "address_denied")
            self.assertIn("allow_private_addresses", got.message)

    def test_second_answer_is_looked_at_like_the_first(self):
        """The server fails, so that the name is asked for again: its answer is loopback now."""
        with GitServer(self.folder, address=PUBLIC, port=80) as server:
            server.misbehave("app.git", hostile.ResetAt(0))
            with Names({HOST: [[PUBLIC], ["127.0.0.1"]]}):
                got = self.fetch(url=f"http://{HOST}/app.git", allowAddresses=[])
        self.assertIn(got.word, ("address_denied", "git_network"))
        self.assertEqual(self.inside.requests, [])
        self.assert_fails(self.fetch_name(["127.0.0.1"], [PUBLIC], public=False), "address_denied")

    def test_answer_of_two_addresses(self):
        """Nobody listens on the public one: the other one is not the way out."""
        for answer in ([OTHER, "127.0.0.1"], ["127.0.0.1", OTHER]):
            got = self.fetch_name(answer, public=False)
            self.assertIn(got.word, ("address_denied", "git_network"))

    def test_name_without_address(self):
        self.assert_fails(self.fetch_name([], public=False), "git_network")


class Redirects(ContextTest):
    def test_token_is_never_offered_to_another_host(self):
        """302 to another host, which then asks for credentials."""
        self.repo.commit({"Dockerfile": DOCKERFILE})
        names = {HOST: [[PUBLIC]], OTHER_HOST: [[OTHER]]}
        for status in (301, 302, 303, 307, 308):
            for target in (f"http://{OTHER_HOST}", f"http://{HOST}:8080", f"https://{OTHER_HOST}",
                           f"//{OTHER_HOST}", f"http://{HOST}@{OTHER_HOST}"):
                with (self.subTest(status=status, target=target), Names(names),
                      GitServer(self.folder, address=PUBLIC, port=80) as server,
                      GitServer(self.folder, address=OTHER, port=80) as other):
                    where = f"{target}/app.git/info/refs?service=git-upload-pack"
                    server.misbehave("app.git", hostile.Redirect(where, status))
                    other.misbehave("app.git", hostile.Status(401, {
                        "WWW-Authenticate": 'Basic realm="give me that"'}))
                    url = f"http://{HOST}/app.git"
                    got = self.fetch(url=url, allowAddresses=[], **credential(url, TOKEN))
                    self.assert_fails(got, "redirect_denied")
                    self.assertEqual(other.requests, [])
                    self.assertNotIn(TOKEN, got.message + got.log)

    def test_redirect_of_the_second_request(self):
        """The list of refs comes; the pack is said to be elsewhere."""
        self.repo.commit({"Dockerfile": DOCKERFILE})
        with GitServer(self.folder) as other:
            def behave(handler):
                if handler.command == "GET":
                    return handler.backend()
                return hostile.Redirect(other.url("app.git/git-upload-pack"), 307)(handler)
            url = self.alias("half.git", behave)
            self.assert_fails(self.fetch(url=url, **credential(url, TOKEN)), "redirect_denied")
            self.assertEqual(other.requests, [])


if __name__ == "__main__":
    private_network.enter()
    for extra in (PUBLIC, OTHER):
        private_network.add_address(extra)
    unittest.main()
