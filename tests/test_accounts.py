"""What the service may read and write, asked by anybody: by root, by its own user, by another one."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import PROGRAM
from test_config import as_ordinary_user

from collector.toml.accounts import Account, may_read, own_account, service_account
from collector.toml.folders_to_write import folder_to_write

SERVICE = Account("collector", 64_901, frozenset({64_902}))
"""A user of this number is on no machine that runs tests."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody may enter; pytest's own may be entered by its user alone."""
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary).chmod(0o755)
        yield Path(temporary)


def judged(path: Path, writer: Account = SERVICE) -> tuple[str, str]:
    """The code of what is wrong, and the folder that it is wrong with; nothing is left behind."""
    before = sorted(path.parent.rglob("*")) if path.parent.exists() else None
    sentence = folder_to_write(path, Path("/"), writer)
    after = sorted(path.parent.rglob("*")) if path.parent.exists() else None
    assert before == after
    if sentence is None:
        return "", ""
    told = sentence.values.get("folder", sentence.values.get("file", path))
    return sentence.code.removeprefix("config."), str(told)


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        (0o777, ""),
        (0o755, "folder-unwritable"),
        (0o772, "folder-closed"),
        (0o700, "folder-closed"),
        (0o1777, ""),
    ],
)
def test_the_rights_of_everybody_count_for_the_services_user(folder: Path, mode: int, code: str) -> None:
    there = folder / "disk"
    there.mkdir()
    there.chmod(mode)
    assert judged(there / "not" / "yet" / "there") == (code, str(there) if code else "")
    itself = code.replace("unwritable", "of-others")
    assert judged(there) == (itself, str(there) if code else "")


@pytest.mark.parametrize(("mode", "may"), [(0o770, True), (0o750, False), (0o707, False)])
def test_its_groups_count_before_everybody(folder: Path, mode: int, may: bool) -> None:
    folder.chmod(mode)
    of_the_group = Account("collector", 64_901, frozenset({folder.stat().st_gid}))
    assert (judged(folder / "outbox", of_the_group) == ("", "")) is may


def test_who_looks_is_judged_by_what_the_system_allows(folder: Path) -> None:
    (folder / "mine").mkdir(mode=0o700)
    assert judged(folder / "mine" / "outbox", own_account()) == ("", "")
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    told = as_ordinary_user(lambda: repr([judged(folder / name, own_account()) for name in ("open", "new")]))
    if os.geteuid() == 0:
        assert told == repr([("", ""), ("folder-unwritable", str(folder))])


def test_what_who_looks_may_not_see_is_not_told(folder: Path) -> None:
    """The service's folder is its own: another user knows only that it is there."""
    (folder / "state").mkdir(mode=0o750)
    (folder / "state" / "outbox").mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder / "state", SERVICE.uid, 64_902)
    owner = Account("collector", (folder / "state").stat().st_uid, frozenset())
    told = as_ordinary_user(lambda: repr(folder_to_write(folder / "state" / "outbox", folder, owner)))
    assert told == "None"


def test_a_file_and_a_link_that_leads_nowhere_are_no_folders(folder: Path) -> None:
    (folder / "file").touch()
    (folder / "link").symlink_to(folder / "nowhere")
    for name in ("file", "link"):
        there = str(folder / name)
        assert judged(folder / name) == judged(folder / name / "outbox") == ("not-a-folder", there)
    for impossible in ("a\0b", "a" * 300):
        sentence = folder_to_write(folder / impossible, folder, own_account())
        assert sentence is not None
        assert sentence.code == "config.not-a-folder"


def test_a_medium_that_is_read_only_is_told_to_root_too(folder: Path) -> None:
    """One of our own, which only the program that asks sees mounted, and all that this machine has."""
    namespaces = ["--mount"] if os.geteuid() == 0 else ["--mount", "--user", "--map-root-user"]
    mount = 'mount -t tmpfs -o ro none "$0" && exec "$@"'
    (folder / "disk").mkdir()
    mounted = ["unshare", *namespaces, "sh", "-c", mount, str(folder / "disk")]
    places = read_only_places()
    for place in places:
        assert judged(place / "outbox", own_account()) == ("folder-read-only", str(place))
    if subprocess.run([*mounted, "true"], capture_output=True, check=False).returncode != 0:
        assert places, "nothing is read-only here (a container has such mounts): allow namespaces, or be root"
        return
    outbox = f'[outbox]\ndirectory = "{folder}/disk/outbox"\n'
    (folder / "collector.toml").write_text(f'[gateway]\ncompany = "works"\nname = "gw"\n{outbox}')
    command = [*mounted, str(PROGRAM), "check", str(folder)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert f"nothing can be written to {folder}/disk, which is read-only here" in told.stderr
    assert judged(folder / "disk" / "outbox", own_account()) == ("", ""), "it is mounted nowhere else"


def read_only_places() -> list[Path]:
    """What is mounted read-only on this machine, as far as we may enter it."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    places = [Path(mount[1]) for mount in mounts if mount[3].split(",")[0] == "ro"]
    return [place for place in places if place.is_dir() and os.access(place, os.X_OK)]


def test_the_command_that_is_advised_makes_the_folder(folder: Path) -> None:
    sentence = folder_to_write(folder / "a b" / "outbox", folder, SERVICE)
    assert sentence is not None
    assert f"sudo install -d -m 750 -o collector '{folder}/a b/outbox'" in sentence.advice
    (folder / "others").mkdir()
    sentence = folder_to_write(folder / "others", folder, SERVICE)
    assert sentence is not None
    assert f"-o collector {folder}/others/collector;" in sentence.advice, "what is there stays others'"


def test_without_a_service_it_is_who_looks() -> None:
    assert service_account("nobody-has-this-name") == own_account()
    assert service_account("root").uid == 0


@pytest.mark.parametrize(
    ("on_the_way", "of_the_file", "readable"),
    [(0o755, 0o644, True), (0o755, 0o640, False), (0o711, 0o604, True), (0o700, 0o644, False)],
)
def test_a_file_is_read_by_its_rights_and_by_those_on_the_way(
    folder: Path, on_the_way: int, of_the_file: int, readable: bool
) -> None:
    (folder / "machines").mkdir()
    file = folder / "machines" / "mill-1.toml"
    file.touch()
    file.chmod(of_the_file)
    (folder / "machines").chmod(on_the_way)
    link = folder / "link.toml"
    link.symlink_to(file)
    assert may_read(SERVICE, file) is may_read(SERVICE, link) is readable
    assert may_read(own_account(), file)
