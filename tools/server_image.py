"""Checks the server's image and runs it: server_image.py OCI_DIRECTORY MAX_BYTES OBJECTS METRICS_FILE

Its size, user, port and labels; then the server from nothing but the image's files, as the image's
user, with a root that cannot be written, the variables of the Deployment in OBJECTS and an API key,
until it has answered and ended by SIGTERM. What /metrics says goes to METRICS_FILE.
"""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request

import yaml

USER = 65532
KEY = "key of the check"
KEYS_FILE = "etc/lambert/api-keys"  # where the chart mounts it
QUESTION = {"question": "Who wrote it?", "context": "Ada Lovelace wrote it in 1843."}
FILES = {"lambert", "models/distilbert-minilm-squad/model.lambert",
         "etc/ssl/certs/ca-certificates.crt", "licenses/LICENSE", "licenses/NOTICE",
         "licenses/model/LICENSE", "licenses/model/NOTICE", "licenses/model/README.md"}
# Mounts the root read-only in a namespace of its own, with what every container has.
READ_ONLY = """
set -e
mount --bind "$1" "$1"
mount --bind /proc "$1/proc"
mount --bind /dev/null "$1/dev/null"
mount -o remount,bind,ro "$1"
"""
ENTER = 'exec chroot --userspec={0}:{0} "$1" "${{@:2}}"'.format(USER)


def fail(text: str):
    raise SystemExit(f"server_image: {text}")


class Image:
    """An image of one platform in an OCI layout."""

    def __init__(self, layout: pathlib.Path):
        self.blobs = layout / "blobs" / "sha256"
        index = json.loads((layout / "index.json").read_text("utf-8"))
        self.manifest = self.read(index["manifests"][0])
        self.config = self.read(self.manifest["config"])["config"]

    def path(self, descriptor: dict) -> pathlib.Path:
        return self.blobs / descriptor["digest"].removeprefix("sha256:")

    def read(self, descriptor: dict) -> dict:
        data = self.path(descriptor).read_bytes()
        assert hashlib.sha256(data).hexdigest() == self.path(descriptor).name
        return json.loads(data)

    def compressed_bytes(self) -> int:
        return sum(layer["size"] for layer in self.manifest["layers"])

    def unpack(self, root: pathlib.Path):
        for layer in self.manifest["layers"]:
            with tarfile.open(self.path(layer)) as archive:
                for entry in archive:
                    if entry.mode & 0o022 or entry.uid == USER:
                        fail(f"/{entry.name} can be written by the image's user")
                archive.extractall(root)


def check_config(image: Image, max_bytes: int):
    config, size = image.config, image.compressed_bytes()
    wanted = {"User": f"{USER}:{USER}", "Entrypoint": ["/lambert", "serve"],
              "ExposedPorts": {"8080/tcp": {}}}
    for field, value in wanted.items():
        if config.get(field) != value:
            fail(f"{field} is {config.get(field)}, not {value}")
    if not {"LAMBERT_HOST=0.0.0.0", "LAMBERT_PORT=8080"} <= set(config["Env"]):
        fail(f"host and port are not in {config['Env']}")
    labels = {name.removeprefix("org.opencontainers.image."): text
              for name, text in config["Labels"].items()}
    if not {"title", "description", "version", "licenses", "vendor"} <= set(labels):
        fail(f"labels: {labels}")
    if not labels["version"][:1].isdigit():
        fail(f"version is {labels['version']}")
    if size > max_bytes:
        fail(f"the compressed layers have {size:,} bytes, at most {max_bytes:,}")
    print(f"ok: image: {size:,} bytes compressed (at most {max_bytes:,}), user {config['User']}")


def check_files(root: pathlib.Path):
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    if found != FILES:
        fail(f"files: {sorted(found ^ FILES)} too many or missing")
    size = sum((root / name).stat().st_size for name in found)
    print(f"ok: image: {len(found)} files, {size:,} bytes unpacked, none that its user can write")


def deployment_variables(objects: pathlib.Path) -> dict:
    deployment, = [document for document in yaml.safe_load_all(objects.read_text("utf-8"))
                   if document and document["kind"] == "Deployment"]
    container, = deployment["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"]}


def start(image: Image, root: pathlib.Path, variables: dict) -> subprocess.Popen:
    """The image's program as its user, without anything of this machine's environment."""
    environment = dict(entry.split("=", 1) for entry in image.config["Env"]) | variables
    return subprocess.Popen(
        ["unshare", "--mount", "bash", "-c", READ_ONLY + ENTER, "-", str(root),
         *image.config["Entrypoint"]],
        env=environment | {"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, text=True)


def can_mount(root: pathlib.Path) -> bool:
    if os.geteuid() != 0:
        return False
    (root / "proc").mkdir()
    (root / "dev").mkdir()
    (root / "dev/null").touch()
    script = READ_ONLY + '! touch "$1/new"'
    return subprocess.run(["unshare", "--mount", "bash", "-c", script, "-", root], check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def get(url: str, body=None, key="") -> bytes:
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return reply.read()


def ask_without_key(url: str):
    try:
        get(f"{url}/ask", QUESTION)
    except urllib.error.HTTPError as error:
        if error.code == 401:
            return
    fail("a question without the key is not refused with 401")


def run(image: Image, root: pathlib.Path, objects: pathlib.Path, metrics: pathlib.Path):
    keys = root / KEYS_FILE
    keys.parent.mkdir(mode=0o755)
    keys.write_text(KEY + "\n", "utf-8")
    os.chown(keys, 0, USER)  # as Kubernetes mounts a Secret with fsGroup
    keys.chmod(0o440)
    server = start(image, root, deployment_variables(objects) | {
        "LAMBERT_HOST": "127.0.0.1", "LAMBERT_PORT": "0", "LAMBERT_API_KEYS": f"/{KEYS_FILE}"})
    try:
        line = server.stdout.readline()  # until it is ready, or has ended
        url = line.rpartition(" ")[2].strip()
        if not url.startswith("http://127.0.0.1:"):
            fail(f"the server said {line!r}")
        get(f"{url}/livez")
        get(f"{url}/readyz")
        ask_without_key(url)
        answer = json.loads(get(f"{url}/ask", QUESTION, KEY))
        if answer["answer"] != "Ada Lovelace":
            fail(f"the server answered {answer}")
        metrics.write_bytes(get(f"{url}/metrics"))
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text("utf-8")
        if f"\nUid:\t{USER}\t{USER}\t" not in status:
            fail(f"the server runs as another user: {status}")
        server.send_signal(signal.SIGTERM)
        if server.wait(60) != 0:
            fail(f"SIGTERM ended it with {server.returncode}")
    finally:
        server.kill()
        server.wait()
    print(f"ok: image: answers as user {USER} from a root that cannot be written; SIGTERM ends it")


def main():
    layout, max_bytes, objects, metrics = sys.argv[1:]
    image = Image(pathlib.Path(layout))
    check_config(image, int(max_bytes))
    root = pathlib.Path(tempfile.mkdtemp())
    try:
        root.chmod(0o755)
        image.unpack(root)
        check_files(root)
        if can_mount(root):
            run(image, root, pathlib.Path(objects), pathlib.Path(metrics))
        else:
            print("NOTICE: the image is not run: mounting its root read-only is not possible here")
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
