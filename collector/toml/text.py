"""Values as TOML writes them, for what a user pastes into a configuration."""

import json
import re

COMMENT_LENGTH = 100


def quoted(value: object) -> str:
    """A TOML value: JSON's strings, numbers and lists are TOML's, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def comment(text: object) -> str:
    """A remark of one line, whatever the text holds."""
    return "# " + re.sub(r"[\x00-\x1f\x7f]+", " ", str(text))[:COMMENT_LENGTH]
