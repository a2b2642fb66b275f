"""Archives of a folder by Python's zipfile, and what it extracts from all archives: archives.py write FOLDER OUT, or
archives.py extract OUT."""

import os
import pathlib
import random
import sys
import zipfile


def folder(to):
    """Files of the sizes at which readers change their ways, with names as assets have them."""
    r = random.Random(1)
    names = {"asset_1.png": 1, "empty.txt": 0, "a hero, 2.png": 65_535, "héros/ヒーロー.webp": 65_536, "deep/er/asset_2.bin": 300_000,
             "large.glb": 7 << 20, "exactly.bin": 5 << 20} | {f"many/asset_m{i}.json": i * 7 for i in range(300)}
    for name, size in names.items():
        path = pathlib.Path(to, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(b & 15 for b in r.randbytes(size)))
    with zipfile.ZipFile(pathlib.Path(to, "zzz last.usdz"), "w") as z:
        z.writestr("inner.txt", "a ZIP in the ZIP, the last of all")


class Pipe:
    def __init__(self, file):
        self.file = file

    def write(self, data):
        return self.file.write(data)

    def flush(self):
        self.file.flush()


def write(source, out):
    folder(source)
    files = sorted(p for p in pathlib.Path(source).rglob("*") if p.is_file())
    for name, method, pipe, zip64 in (("python", zipfile.ZIP_DEFLATED, False, False), ("python-stored", zipfile.ZIP_STORED, False, False),
                                      ("python-pipe", zipfile.ZIP_DEFLATED, True, False), ("python-zip64-pipe", zipfile.ZIP_DEFLATED, True, True)):
        with open(f"{out}/{name}.zip", "wb") as f, zipfile.ZipFile(Pipe(f) if pipe else f, "w", method) as z:
            for p in files:
                with z.open(str(p.relative_to(source)), "w", force_zip64=zip64) as entry:
                    entry.write(p.read_bytes())


def extract(out):
    for archive in pathlib.Path(out).glob("*.zip"):
        with zipfile.ZipFile(archive) as z:
            z.extractall(f"{archive}.python")


if __name__ == "__main__":
    os.umask(0o022)
    {"write": write, "extract": extract}[sys.argv[1]](*sys.argv[2:])
