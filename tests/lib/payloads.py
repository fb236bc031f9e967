"""What each forge sends when a ref was pushed: a body of its shape, and the headers that belong to it.

    forge = FORGES["gitlab"]
    body = json.dumps(forge.push(url, "refs/heads/main", before, after, message="Fix it")).encode()
    headers = forge.headers(body, delivery="d-1")        # signed with SECRET

A new forge is a row of FORGES. `options` are what its webhook has in the configuration besides name,
provider and secrets.
"""

import hashlib
import hmac
from collections import namedtuple
from urllib.parse import urlsplit

SECRET = "It's a Secret to Everybody"
ZEROS = "0" * 40

Forge = namedtuple("Forge", "push headers options", defaults=("",))


def hex_mac(body, secret):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sign(body, secret=SECRET):
    return "sha256=" + hex_mac(body, secret)


# GitHub.


def github_push(url, ref, before, after, message=None, **more):
    """With the members that the published schema requires and we read."""
    return {
        "ref": ref, "before": before, "after": after, "created": before == ZEROS,
        "deleted": after == ZEROS, "forced": False, "base_ref": None, "compare": "", "commits": [],
        "head_commit": message and {"id": after, "message": message},
        "repository": {"id": 1, "full_name": "acme/app", "clone_url": url},
        "pusher": {"name": "ada"}, "sender": {"login": "ada"}, **more}


def github_headers(body, delivery, secret=SECRET):
    return {"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": sign(body, secret)}


# GitLab.


def gitlab_push(url, ref, before, after, message=None, **more):
    kind = "tag_push" if ref.startswith("refs/tags/") else "push"
    path = urlsplit(url).path.strip("/").removesuffix(".git")
    page = url.removesuffix(".git")
    commits = [{"id": after, "message": message, "title": message.splitlines()[0], "url": f"{page}/-/commit/{after}",
                "timestamp": "2026-03-02T14:27:31+01:00", "author": {"name": "Ada", "email": "ada@example.org"},
                "added": [], "modified": ["message"], "removed": []}] if message else []
    return {
        "object_kind": kind, "event_name": kind, "before": before, "after": after, "ref": ref,
        "ref_protected": False, "checkout_sha": None if after == ZEROS else after, "message": None,
        "user_id": 4, "user_name": "Ada", "user_username": "ada", "user_email": "", "project_id": 15,
        "project": {"id": 15, "name": path, "web_url": page, "git_http_url": url, "path_with_namespace": path,
                    "git_ssh_url": f"git@{urlsplit(url).hostname}:{path}.git", "default_branch": "main"},
        "commits": commits, "total_commits_count": len(commits), "push_options": {},
        "repository": {"name": path, "homepage": page, "git_http_url": url}, **more}


def gitlab_headers(body, delivery, secret=SECRET):
    return {"Content-Type": "application/json", "X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": secret,
            "Idempotency-Key": delivery, "X-Gitlab-Event-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e"}


# Gitea and Forgejo.


def gitea_push(url, ref, before, after, message=None, **more):
    path = urlsplit(url).path.strip("/").removesuffix(".git")
    page = url.removesuffix(".git")
    head = message and {"id": after, "message": message, "url": f"{page}/commit/{after}",
                        "author": {"name": "Ada", "email": "ada@example.org", "username": "ada"},
                        "added": [], "removed": [], "modified": ["message"]}
    return {
        "ref": ref, "before": before, "after": after, "compare_url": f"{page}/compare/{before}...{after}",
        "commits": [head] if head else [], "total_commits": 1 if head else 0, "head_commit": head,
        "repository": {"id": 6, "full_name": path, "html_url": page, "clone_url": url, "default_branch": "main"},
        "pusher": {"id": 1, "login": "ada", "username": "ada"}, "sender": {"id": 1, "login": "ada", "username": "ada"},
        **more}


def gitea_headers(body, delivery, secret=SECRET):
    return {"Content-Type": "application/json", "X-Gitea-Event": "push", "X-Gitea-Event-Type": "push",
            "X-Gitea-Delivery": delivery, "X-Gitea-Signature": hex_mac(body, secret),
            "X-Gogs-Delivery": delivery, "X-Gogs-Event": "push", "X-Hub-Signature-256": sign(body, secret)}


FORGES = {
    "github": Forge(github_push, github_headers),
    "gitlab": Forge(gitlab_push, gitlab_headers),
    "gitea": Forge(gitea_push, gitea_headers),
}
