"""Whether the files on disk still say what is in use: a change takes effect by a reload alone.

Nothing is judged here: a change may be wrong.
"""

from pathlib import Path

from collector.config.loading import files_of
from collector.config.model import Config
from collector.toml.document import text_of


def changed_us(config: Config) -> int | None:
    """When files of a configuration were changed last, in UTC; None while they say what was loaded.

    Files that were added or taken away are changes, too; a file that only was written anew is none.
    """
    said = _texts(config.folder)
    changed = [
        file
        for file in said.keys() | config.texts.keys()
        if file not in said or file not in config.texts or said[file] != config.texts[file]
    ]
    return max((_touched_us(config.folder / file) for file in changed), default=None)


def _texts(folder: Path) -> dict[str, str | None]:
    """What each file says by its name; None where it cannot be read."""
    try:
        files = files_of(folder)
    except OSError:
        return {}
    return {file: _text(folder / file) for file in files}


def _text(file: Path) -> str | None:
    try:
        return text_of(file.read_bytes())
    except (OSError, UnicodeDecodeError):
        return None


def _touched_us(path: Path) -> int:
    """When a file came to be as it is; of one that is gone, when its folder did.

    That is not its time of modification, which a copy or a backup brings along from elsewhere.
    """
    try:
        return path.stat().st_ctime_ns // 1000
    except OSError:
        return _touched_us(path.parent) if path != path.parent else 0
