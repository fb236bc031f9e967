"""A git server as people run it: nginx, fcgiwrap and git http-backend, with TLS and passwords.

    with GitNginx(root, address="127.0.0.1") as server:        # serves every repository below root
        url = server.url("app.git")
        server.requests()                                      # [Served(method, path, status, user)]
    GitNginx(root, port=443, tls=(certificate, key))           # https, on a port of one's own
    GitNginx(root, accounts={"private": ("bob", "secret")})    # asked for below /private/

Sockets are made here and handed over, so that no port is taken twice and nothing has to be waited
for.
"""

import os
import shutil
import socket
import subprocess
from collections import namedtuple
from pathlib import Path

from lib.temporary import TemporaryFolder

BACKEND = "/usr/lib/git-core/git-http-backend"
Served = namedtuple("Served", "method path status user authorization")

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
user root;
events {{ }}
http {{
    log_format served '$request_method $uri $status $remote_user "$http_authorization"';
    access_log {folder}/access.log served;
    client_body_temp_path {folder}/body; fastcgi_temp_path {folder}/fastcgi;
    proxy_temp_path {folder}/proxy; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen {address}:{port}{ssl};
        {certificate}
        {locations}
    }}
}}
"""

LOCATION = """
        location {prefix} {{
            {auth}
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME {backend};
            fastcgi_param GIT_PROJECT_ROOT {root};
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param GIT_PROTOCOL $http_git_protocol;
            fastcgi_param PATH_INFO $uri;
            fastcgi_pass unix:{folder}/fcgi;
            {more}
        }}
"""


def is_installed():
    return all(map(shutil.which, ("nginx", "fcgiwrap"))) and os.path.exists(BACKEND)


class GitNginx:
    def __init__(self, root, address="127.0.0.1", port=0, tls=None, accounts=None, more=""):
        self.root, self.address, self.port = Path(root), address, port
        self.tls, self.accounts, self.more = tls, accounts or {}, more
        self._temporary = TemporaryFolder()
        self._processes = []

    def url(self, name, host=None):
        scheme, usual = ("https", 443) if self.tls else ("http", 80)
        port = "" if self.port == usual else f":{self.port}"
        return f"{scheme}://{host or self.address}{port}/{name}"

    def requests(self):
        found = []
        for line in (self.folder / "access.log").read_text().splitlines():
            method, path, status, user, authorization = line.split(" ", 4)
            found.append(Served(method, path, int(status), user.strip("-"),
                                authorization.strip('"').strip("-")))
        return found

    def __enter__(self):
        self.folder = self._temporary.__enter__()
        http, fcgi = socket.socket(), socket.socket(socket.AF_UNIX)
        with http, fcgi:
            http.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            http.bind((self.address, self.port))
            http.listen(64)
            fcgi.bind(str(self.folder / "fcgi"))
            fcgi.listen(64)
            self.port = http.getsockname()[1]
            (self.folder / "nginx.conf").write_text(self._configuration())
            # Without -s it takes the socket that it finds as standard input. Each serves one request
            # at a time, and has no children that would outlive it.
            for _ in range(2):
                self._start(["fcgiwrap"], stdin=fcgi)
            # How nginx hands its sockets to its successor.
            self._start(["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")],
                        env={**os.environ, "NGINX": f"{http.fileno()};"}, pass_fds=[http.fileno()])
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.terminate()  # nginx ends its worker
            process.wait(10)
        self._temporary.__exit__()

    def _start(self, command, **options):
        with open(self.folder / f"{command[0]}.output", "wb") as output:
            self._processes.append(subprocess.Popen(
                command, stdout=output, stderr=output, start_new_session=True, **options))

    def _configuration(self):
        certificate = ""
        if self.tls:
            certificate = f"ssl_certificate {self.tls[0]}; ssl_certificate_key {self.tls[1]};"
        return CONFIGURATION.format(
            folder=self.folder, address=self.address, port=self.port,
            ssl=" ssl" if self.tls else "", certificate=certificate,
            locations="".join(self._location(prefix) for prefix in ["", *self.accounts]))

    def _location(self, prefix):
        auth = ""
        if prefix:
            user, password = self.accounts[prefix]
            passwords = self.folder / f"{prefix}.passwords"
            passwords.write_text(f"{user}:{{PLAIN}}{password}\n")
            auth = f"auth_basic git; auth_basic_user_file {passwords};"
        return LOCATION.format(prefix=f"/{prefix}/" if prefix else "/", auth=auth, backend=BACKEND,
                               root=self.root, folder=self.folder, more=self.more)
