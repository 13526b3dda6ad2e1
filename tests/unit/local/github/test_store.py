"""What is kept survives, what is signed verifies, what is refused stays out."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import jwt
import pytest

from mlops_core.errors import InvalidRequest
from mlops_core.local.github.act import copy_checkout, dotenv, masks
from mlops_core.local.github.answers import ApiError
from mlops_core.local.github.config import CloudWatchConfig, GithubConfig
from mlops_core.local.github.database import Database
from mlops_core.local.github.git import Authorship, GitRepository, MergeConflictError, StaleHeadError, check_path, check_ref
from mlops_core.local.github.git_history import changed_files, merge_trees
from mlops_core.local.github.identity import Access, Identities, Identity, Need
from mlops_core.local.github.oidc import OidcIssuer
from mlops_core.local.github.run_logs import read_jobs
from mlops_core.local.github.signing import Signer


def test_a_configuration_survives_its_file(tmp_path: Path) -> None:
    config = GithubConfig(
        port=1, state=tmp_path, admin_token="t", actions={"o/r@v1": tmp_path}, cloudwatch=CloudWatchConfig("http://x", {"A": "b"})
    )
    config.write(tmp_path / "c.json")
    assert GithubConfig.read(tmp_path / "c.json") == config
    assert (tmp_path / "c.json").stat().st_mode & 0o077 == 0


def test_an_unknown_configuration_key_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="'colour'"):
        GithubConfig.from_json({"port": 1, "state": str(tmp_path), "admin_token": "t", "colour": 1})


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "d.sqlite")

    def half() -> None:
        with database.transaction():
            database.insert("people", login="a", name="a", type="User", created_at="x")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert database.rows("select * from people") == []
    database.close()


def test_committed_rows_are_there_without_a_clean_end(tmp_path: Path) -> None:
    first = Database(tmp_path / "d.sqlite")
    first.insert("people", login="a", name="a", type="User", created_at="x")
    second = Database(tmp_path / "d.sqlite")
    assert second.value("select login from people") == "a"
    first.close()
    second.close()


@pytest.mark.parametrize("path", ["", "/a", "a//b", "../a", "a/../b", ".git/config", "a/.GIT/x", "a\nb", "a/."])
def test_paths_that_leave_a_repository_are_refused(path: str) -> None:
    with pytest.raises(ApiError):
        check_path(path)


@pytest.mark.parametrize(
    "ref", ["main", "refs/heads/..", "refs/heads/a b", "refs/heads/-x/../y", "refs/heads/a.lock", "refs/heads/", "refs/heads/a@{1}"]
)
def test_references_that_git_would_refuse_are_refused(ref: str) -> None:
    with pytest.raises(ApiError):
        check_ref(ref)


def repository(folder: Path) -> tuple[GitRepository, str, Authorship]:
    git = GitRepository.create(folder / "r.git")
    who = Authorship("A", "a@example.com", "message", None, 1)
    base = git.commit(git.write_tree(None, {"a.txt": b"1\n2\n3\n4\n5\n6\n7\n", "b.txt": b"b\n"}, []), [], who)
    git.update_ref("refs/heads/main", base, "")
    return git, base, who


def test_a_branch_moves_from_the_named_head_only(tmp_path: Path) -> None:
    git, base, who = repository(tmp_path)
    fresh = git.commit(git.write_tree(base, {"c": b"c"}, ["b.txt"]), [base], who)
    with pytest.raises(StaleHeadError):
        git.update_ref("refs/heads/main", fresh, fresh)
    git.update_ref("refs/heads/main", fresh, base)
    assert [(item.path, item.status) for item in changed_files(git, base, fresh)] == [("b.txt", "removed"), ("c", "added")]


def test_both_sides_of_a_merge_are_kept_and_conflicts_are_named(tmp_path: Path) -> None:
    git, base, who = repository(tmp_path)
    ours = git.commit(git.write_tree(base, {"a.txt": b"one\n2\n3\n4\n5\n6\n7\n"}, []), [base], who)
    theirs = git.commit(git.write_tree(base, {"a.txt": b"1\n2\n3\n4\n5\n6\nseven\n", "new": b"n"}, []), [base], who)
    tree = merge_trees(git, ours, theirs)
    assert git.read(tree, "a.txt") == b"one\n2\n3\n4\n5\n6\nseven\n"
    assert git.read(tree, "new") == b"n"
    other = git.commit(git.write_tree(base, {"a.txt": b"uno\n2\n3\n4\n5\n6\n7\n"}, []), [base], who)
    with pytest.raises(MergeConflictError, match=r"a\.txt"):
        merge_trees(git, ours, other)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="git verifies SSH signatures with ssh-keygen")
def test_git_accepts_the_signature_and_notices_a_changed_commit(tmp_path: Path) -> None:
    git, base, _ = repository(tmp_path)
    signer = Signer(tmp_path / "keys")
    signed = git.commit(git.write_tree(base, {"s": b"s"}, []), [base], Authorship("A", "a@example.com", "signed", signer, 1))
    verify = ["-c", f"gpg.ssh.allowedSignersFile={signer.allowed_signers_path}", "verify-commit"]
    git.run(*verify, signed)
    forged = git.run("cat-file", "commit", signed).replace(b"signed", b"forged")
    sha = git.line("hash-object", "-t", "commit", "-w", "--stdin", data=forged)
    with pytest.raises(subprocess.CalledProcessError):
        git.run(*verify, sha)


def test_the_signing_keys_stay_the_same_over_restarts(tmp_path: Path) -> None:
    assert Signer(tmp_path / "keys").allowed_signers == Signer(tmp_path / "keys").allowed_signers
    first = OidcIssuer(tmp_path / "keys", tmp_path / "jwks.json")
    token = first.token({"sub": "s"}, "aud")
    second = OidcIssuer(tmp_path / "keys", tmp_path / "jwks.json")
    key = jwt.PyJWKSet.from_dict(second.jwks()).keys[0]
    assert jwt.decode(token, key, algorithms=["RS256"], audience="aud")["sub"] == "s"


def identities(folder: Path) -> tuple[Identities, Access]:
    found = Identities(Database(folder / "d.sqlite"))
    return found, Access(found)


PRIVATE = {"id": 7, "owner": "alice", "name": "r", "private": 1}
PUBLIC = {"id": 8, "owner": "alice", "name": "p", "private": 0}


@pytest.mark.parametrize(
    ("identity", "row", "need", "status"),
    [
        (Identity("alice"), PRIVATE, Need("contents", "write", "admin"), 0),
        (Identity("eve"), PRIVATE, Need("contents"), 404),
        (Identity("eve"), PUBLIC, Need("contents"), 0),
        (Identity("eve"), PUBLIC, Need("issues", "write", "triage"), 403),
        (Identity("", "anonymous"), PUBLIC, Need("issues", "write", "read"), 401),
        (Identity("bot", "installation", {"issues": "write"}, frozenset({7})), PRIVATE, Need("issues", "write", "triage"), 0),
        (Identity("bot", "installation", {"issues": "read"}, frozenset({7})), PRIVATE, Need("issues", "write", "triage"), 403),
        (Identity("bot", "installation", {"issues": "write"}, frozenset({7})), PRIVATE, Need("contents", "write", "write"), 403),
        (Identity("bot", "installation", {"issues": "write"}, frozenset({8})), PRIVATE, Need("issues"), 404),
        (Identity("bot", "installation", {"contents": "write"}, frozenset({7})), PUBLIC, Need("contents", "write", "write"), 403),
        (Identity("bot", "installation", {}, frozenset({7})), PUBLIC, Need("contents"), 0),
    ],
)
def test_rights_are_decided_in_one_place(tmp_path: Path, identity: Identity, row: dict[str, object], need: Need, status: int) -> None:
    _, access = identities(tmp_path)
    if not status:
        access.demand(identity, row, need)
        return
    with pytest.raises(ApiError) as caught:
        access.demand(identity, row, need)
    assert caught.value.status == status


def test_a_token_for_oidc_is_no_token_for_the_api_and_the_other_way_round(tmp_path: Path) -> None:
    found, _ = identities(tmp_path)
    oidc, _ = found.issue_token(Identity("alice", "oidc", {}, frozenset(), 5))
    run, _ = found.issue_token(Identity("github-actions[bot]", "run", {"issues": "write"}, frozenset({7}), 5))
    with pytest.raises(ApiError):
        found.of_token(oidc)
    with pytest.raises(ApiError):
        found.oidc_run(f"Bearer {run}")
    assert found.oidc_run(f"Bearer {oidc}") == 5
    found.revoke_run(5)
    with pytest.raises(ApiError):
        found.of_token(run)


def test_secrets_are_hidden_line_by_line() -> None:
    hidden = masks({"A": "first line\nsecond <line>", "B": "ab"})
    assert hidden is not None
    assert hidden.sub(b"***", b'{"msg":"first line second \\u003cline\\u003e ab"}') == b'{"msg":"*** *** ab"}'


def test_environment_files_quote_what_a_shell_or_dotenv_would_change() -> None:
    assert dotenv({"A": 'x"y\\z$HOME\nend'}) == 'A="x\\"y\\\\z\\$HOME\\nend"\n'


def test_references_to_the_own_repository_are_spelled_out_in_the_copy_only(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / ".github/workflows").mkdir(parents=True)
    text = "steps:\n  - uses: $/actions/a # why\n  - run: echo '$/not/this'\n"
    (source / ".github/workflows/w.yml").write_text(text)
    copy_checkout(source, tmp_path / "copy", "o/mlops/{}@v1")
    assert (tmp_path / "copy/.github/workflows/w.yml").read_text() == text.replace("uses: $/actions/a", "uses: o/mlops/actions/a@v1")
    assert (source / ".github/workflows/w.yml").read_text() == text


def test_a_log_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """abuse row 3: what steps print is text to the reader, commands in it mean nothing."""
    lines = [
        '{"job":"w/a","step":"say","stepID":["0"],"command":"summary","content":"# Refused\\n","msg":"x","time":"t"}',
        '{"job":"w/a","step":"say","stepID":["0","run"],"command":"summary","content":"# Refused\\n","msg":"x","time":"t"}',
        '{"job":"w/a","step":"say","stepID":["0"],"stage":"Main","msg":"::set-output name=x::1\\n","raw_output":true,"time":"t"}',
        '{"job":"w/a","step":"say","stepID":["0"],"stage":"Main","stepResult":"success","msg":"ok","time":"t"}',
        '{"job":"w/a","jobResult":"succ',
    ]
    (tmp_path / "log").write_text("\n".join(lines))
    (job,) = read_jobs(tmp_path / "log")
    assert (job.name, job.conclusion, job.steps[0].conclusion) == ("a", "", "success")
    assert job.summary == "# Refused\n"
    assert job.steps[0].lines[0] == "::set-output name=x::1"
