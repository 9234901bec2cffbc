"""A Hugging Face Hub in memory, for the real huggingface_hub and datasets clients.

It speaks what those need to create, fill, list, tag and download model and dataset repos, private
and gated ones included. Xet storage is missing, and clients read their settings when imported, so
a client belongs in a process of its own, started with `HubServer.environment`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs

from tests.hub.handler import TOKEN, Handler, LoggingServer, RefusalError, route
from tests.hub.repos import Blob, Commit, Repo

USER = "tester"
DATE = "2026-01-01T00:00:00.000Z"
LFS_SUFFIXES = (".safetensors", ".parquet", ".png", ".jpg", ".bin", ".mp4")
LFS_FROM_BYTES = 10 * 2**20


class Endpoints(Handler):
    """The Hub's endpoints."""

    server: HubServer

    def repo(self, kind: str, repo_id: str) -> Repo:
        repo = self.server.repos.get((kind, repo_id))
        if repo is None or (repo.private and not self.signed_in):
            raise RefusalError(
                404 if self.signed_in else 401, "RepoNotFound", "Repository not found"
            )
        return repo

    def commit(self, kind: str, repo_id: str, revision: str) -> Commit:
        commit = self.repo(kind, repo_id).find(revision)
        if commit is None:
            raise RefusalError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    @route("GET", "/api/whoami-v2")
    def whoami(self) -> None:
        if not self.signed_in:
            raise RefusalError(401, "", "Invalid username or password.")
        auth = {"type": "access_token", "accessToken": {"displayName": "test", "role": "write"}}
        self.reply({"type": "user", "name": USER, "orgs": [], "auth": auth})

    @route("POST", "/api/repos/create")
    def create_repo(self) -> None:
        asked = json.loads(self.body)
        kind = f"{asked.get('type') or 'model'}s"
        repo_id = f"{asked.get('organization') or USER}/{asked['name']}"
        url = f"{self.server.url}/{'' if kind == 'models' else kind + '/'}{repo_id}"
        if (kind, repo_id) in self.server.repos:
            return self.reply({"error": "You already created this repo", "url": url}, 409)
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        self.server.create(kind, repo_id, private=private)
        return self.reply({"url": url, "name": repo_id, "id": repo_id})

    @route("POST", "/api/validate-yaml")
    def validate_yaml(self) -> None:
        self.reply({"errors": [], "warnings": []})

    @route("GET", "/api/{kind}/{repo}(?:/revision/{revision})?")
    def info(self, kind: str, repo_id: str, revision: str = "main") -> None:
        repo, commit = self.repo(kind, repo_id), self.commit(kind, repo_id, revision)
        info = {"id": repo_id, "sha": commit.sha, "lastModified": DATE, "createdAt": DATE}
        info |= {"private": repo.private, "gated": "auto" if repo.gated else False, "tags": []}
        info |= {"siblings": [{"rfilename": path} for path in sorted(commit.files)]}
        self.reply(info | {"disabled": False, "downloads": 0, "likes": 0})

    @route("GET", "/api/{kind}/{repo}/tree/{revision}(?:/{path})?")
    def tree(self, kind: str, repo_id: str, revision: str, path: str = "") -> None:
        files = self.commit(kind, repo_id, revision).files
        deep = self.query.get("recursive", [""])[0].lower() == "true"
        folder = PurePosixPath(path)
        below = [p for p in map(PurePosixPath, sorted(files)) if folder in p.parents]
        if path and not below:
            raise RefusalError(404, "EntryNotFound", f"{path} does not exist on {revision!r}")
        folders = {f for p in below for f in p.parents if folder in f.parents}
        entries = [files[str(p)].entry(str(p)) for p in below if deep or p.parent == folder]
        entries += [folder_entry(f) for f in sorted(folders) if deep or f.parent == folder]
        self.reply(entries)

    @route("POST", "/api/{kind}/{repo}/paths-info/{revision}")
    def paths_info(self, kind: str, repo_id: str, revision: str) -> None:
        files = self.commit(kind, repo_id, revision).files
        as_json = "json" in self.headers.get("Content-Type", "")
        form = json.loads(self.body) if as_json else parse_qs(self.body.decode())
        known = {p: files[p].entry(p) for p in files}
        known |= {str(f): folder_entry(f) for p in files for f in PurePosixPath(p).parents}
        self.reply([known[path] for path in form.get("paths", []) if path in known])

    @route("GET", "/api/{kind}/{repo}/refs")
    def refs(self, kind: str, repo_id: str) -> None:
        repo = self.repo(kind, repo_id)
        named = {"branches": ("heads", repo.branches), "tags": ("tags", repo.tags)}
        refs: dict[str, Any] = {
            group: [{"name": n, "ref": f"refs/{at}/{n}", "targetCommit": c} for n, c in of.items()]
            for group, (at, of) in named.items()
        }
        self.reply(refs | {"converts": [], "pullRequests": []})

    @route("POST", "/api/{kind}/{repo}/(?P<what>tag|branch)/{revision}")
    def create_ref(self, kind: str, repo_id: str, what: str, revision: str) -> None:
        repo, asked = self.repo(kind, repo_id), json.loads(self.body or b"{}")
        refs = repo.tags if what == "tag" else repo.branches
        name = asked["tag"] if what == "tag" else revision
        start = revision if what == "tag" else asked.get("startingPoint") or "main"
        if name in refs:
            raise RefusalError(409, "", "Reference already exists")
        refs[name] = self.commit(kind, repo_id, start).sha
        self.reply({})

    @route("POST", "/api/{kind}/{repo}/preupload/{revision}")
    def preupload(self, kind: str, repo_id: str, revision: str) -> None:
        stored = self.commit(kind, repo_id, revision).files
        answers = []
        for file in json.loads(self.body)["files"]:
            lfs = file["path"].endswith(LFS_SUFFIXES) or file["size"] >= LFS_FROM_BYTES
            answer = {"path": file["path"], "uploadMode": "lfs" if lfs else "regular"}
            answers.append(answer | {"shouldIgnore": False})
            if file["path"] in stored:  # lets the client leave out what has not changed
                answers[-1]["oid"] = stored[file["path"]].etag
        self.reply({"files": answers})

    @route("POST", r"/{kind?}{repo}\.git/info/lfs/objects/batch")
    def lfs_batch(self, repo_id: str, kind: str = "models") -> None:
        self.repo(kind, repo_id)
        objects = json.loads(self.body)["objects"]
        for item in objects:
            if item["oid"] not in self.server.lfs:
                upload = {"href": f"{self.server.url}/_lfs/{item['oid']}", "header": {}}
                item["actions"] = {"upload": upload, "verify": {"href": f"{self.server.url}/_lfs"}}
        lfs_json = {"Content-Type": "application/vnd.git-lfs+json"}
        self.reply({"transfer": "basic", "objects": objects}, 200, lfs_json)

    @route("PUT", "/_lfs/{oid}")
    def lfs_upload(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise RefusalError(400, "", "the content is not what its sha256 says")
        self.server.lfs[oid] = self.body
        self.reply()

    @route("POST", "/_lfs")
    def lfs_verify(self) -> None:
        self.reply({}, 200 if json.loads(self.body)["oid"] in self.server.lfs else 404)

    @route("GET HEAD", "/_lfs/{oid}")
    def lfs_download(self, oid: str) -> None:
        self.reply_file(self.server.lfs[oid], {"ETag": f'"{oid}"'})

    @route("POST", "/api/{kind}/{repo}/commit/{revision}")
    def create_commit(self, kind: str, repo_id: str, revision: str) -> None:
        parent = self.commit(kind, repo_id, revision)
        files, title = dict(parent.files), ""
        for line in self.body.splitlines():
            item = json.loads(line)
            what, value = item["key"], item["value"]
            if what == "header":
                title = value["summary"]
                if value.get("parentCommit") not in (None, parent.sha):
                    raise RefusalError(412, "", "A commit has happened since. Please refresh.")
            elif what == "file":
                files[value["path"]] = Blob(base64.b64decode(value["content"]))
            elif what == "lfsFile":
                files[value["path"]] = Blob(self.server.lfs[value["oid"]], lfs=True)
            elif what == "deletedFile":
                files.pop(value["path"], None)
            elif what == "deletedFolder":
                inside = [path for path in files if path.startswith(value["path"])]
                files = {path: blob for path, blob in files.items() if path not in inside}
        commit = self.repo(kind, repo_id).commit(revision, title, files)
        url = f"{self.server.url}/{'' if kind == 'models' else kind + '/'}{repo_id}"
        self.reply({"commitOid": commit.sha, "commitUrl": f"{url}/commit/{commit.sha}"})

    @route("POST", "/api/spaces/{repo}/variables")
    def set_variable(self, repo_id: str) -> None:
        asked = json.loads(self.body)
        variables = self.repo("spaces", repo_id).variables
        variables[asked["key"]] = asked["value"]
        self.reply({name: {"key": name, "value": value} for name, value in variables.items()})

    @route("GET HEAD", "/{kind?}{repo}/resolve/{revision}/{path}")
    def download(self, repo_id: str, revision: str, path: str, kind: str = "models") -> None:
        if self.repo(kind, repo_id).gated:
            raise RefusalError(403 if self.signed_in else 401, "GatedRepo", "Access is restricted")
        commit = self.commit(kind, repo_id, revision)
        headers = {"X-Repo-Commit": commit.sha}
        blob = commit.files.get(path)
        if blob is None:
            refusal = RefusalError(404, "EntryNotFound", "Entry not found")
            refusal.headers |= headers
            raise refusal
        headers |= {"ETag": f'"{blob.etag}"', "Accept-Ranges": "bytes"}
        if not blob.lfs:
            return self.reply_file(blob.data, headers)
        self.server.lfs[blob.sha256] = blob.data
        headers |= {"X-Linked-Size": str(len(blob.data)), "X-Linked-Etag": f'"{blob.sha256}"'}
        headers |= {"Location": f"{self.server.storage_url}/_lfs/{blob.sha256}"}
        return self.reply(b"", 302, headers)


def folder_entry(folder: PurePosixPath) -> dict[str, Any]:
    """A folder as listings show it."""
    oid = hashlib.sha1(str(folder).encode()).hexdigest()
    return {"type": "directory", "path": str(folder), "size": 0, "oid": oid}


class HubServer(LoggingServer):
    """The Hub: `start` it, point clients at `url`, `stop` it.

    Attributes:
        repos: by kind ("models", "datasets", "spaces") and id; a test may change them.
    """

    def __init__(self) -> None:
        super().__init__(Endpoints)
        self.repos: dict[tuple[str, str], Repo] = {}
        self.lfs: dict[str, bytes] = {}
        # Another host name on purpose: the client follows a redirect to the same host while it
        # looks for metadata, and would then miss the commit hash there.
        self.storage_url = f"http://localhost:{self.server_port}"

    def environment(self, home: Path, token: str | None = TOKEN) -> dict[str, str]:
        """Environment of a client process with its cache and credentials in `home`."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        switched_off = ("XET", "PROGRESS_BARS", "TELEMETRY", "UPDATE_CHECK")
        return kept | {
            **{f"HF_HUB_DISABLE_{feature}": "1" for feature in switched_off},
            **({"HF_TOKEN": token} if token else {}),
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def create(self, kind: str, repo_id: str, *, private: bool = False) -> Repo:
        repo = self.repos[kind, repo_id] = Repo(repo_id, private)
        attributes = Blob(b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n")
        repo.commit("main", "initial commit", {".gitattributes": attributes})
        return repo
