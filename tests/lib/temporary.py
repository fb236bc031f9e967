"""A temporary folder as a Path, removed with everything in it."""

import shutil
import tempfile
from pathlib import Path


class TemporaryFolder:
    def __init__(self, prefix="slipway-test-"):
        self.prefix = prefix

    def __enter__(self):
        self.path = Path(tempfile.mkdtemp(prefix=self.prefix))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
