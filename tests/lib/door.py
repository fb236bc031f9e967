"""A TCP door in front of a server, which can be shut: what passes through it is counted and not looked at.

    with Door(registry.port) as door:        # door.address is where clients go
        door.shut(2)                         # the next two connections are reset; shut() is all of them
        door.open()
"""

import socket
import struct
import threading

RESET = struct.pack("ii", 1, 0)


class Door:
    def __init__(self, port):
        self.behind = port
        self._left = 0
        self.refused = 0

    def shut(self, times=float("inf")):
        self._left = times

    def open(self):
        self._left = 0

    @property
    def address(self):
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._left > 0:
                self._left -= 1
                self.refused += 1
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                client.close()
            else:
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client):
        with client, socket.create_connection(("127.0.0.1", self.behind)) as server:
            back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
            back.start()
            self._copy(client, server)
            back.join()

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
