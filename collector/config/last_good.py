"""The last configuration that was good, kept so that a gateway with a wrong one still collects after a boot.

It is one file with copies of the TOML files in it, replaced as a whole: after a power cut the old one or the
new one is there, never a mixture.
"""

import json
from pathlib import Path

import structlog

from collector.config.loading import files_of, load_texts
from collector.config.model import Config
from collector.texts import Sentence
from collector.texts.configuration import LAST_GOOD_NOT_KEPT
from collector.toml.problems import ConfigError
from collector.whole_file import write_whole

_FILE = "last-good-configuration.json"

log = structlog.get_logger(__name__)


def save_last_good(config_folder: Path, state_folder: Path) -> Sentence | None:
    """Keep a copy of the configuration that has just been loaded from `config_folder`.

    An unchanged one is not written again. Returns why no copy could be kept, which is no reason to stop.
    """
    folder = config_folder.absolute()
    try:
        contents = {file: (folder / file).read_bytes() for file in files_of(folder)}
        load_texts(contents, folder)  # it may have been edited since it was loaded
        files = {file: content.decode("utf-8-sig") for file, content in contents.items()}
        _replace(state_folder / _FILE, json.dumps({"folder": str(folder), "files": files}, indent=1).encode())
    except (OSError, ConfigError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        log.warning("last good configuration not kept", folder=str(state_folder), reason=reason)
        return LAST_GOOD_NOT_KEPT(folder=str(state_folder), reason=reason)
    return None


def load_last_good(state_folder: Path) -> Config | None:
    """The configuration that was kept last; None where there is none that this version can use.

    Relative paths in it count from the folder that it was copied from.
    """
    try:
        kept = json.loads((state_folder / _FILE).read_bytes())
        files = {str(file): str(text).encode() for file, text in kept["files"].items()}
        return load_texts(files, Path(kept["folder"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ConfigError) as error:
        # Whatever was done to the file, it is no configuration.
        log.warning("last good configuration not usable", folder=str(state_folder), reason=str(error))
        return None


def _replace(file: Path, content: bytes) -> None:
    """Write the copy, unless it is the same already."""
    try:
        if file.read_bytes() == content:
            return
    except FileNotFoundError:
        pass
    write_whole(file, content)
