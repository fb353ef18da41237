"""Full-width characters (全角) of a Japanese input method; pure.

They look like plain ones, and TOML knows none of them outside texts and remarks.
"""

import re
import unicodedata

from collector.texts import Sentence
from collector.texts import toml as texts
from collector.toml.problems import LONGEST_FOUND

_WIDE_BLANK = "\u3000"
_WIDE_HASH = "\uff03"
_WORDS = re.compile("[^\\s]*[\uff01-\uff5e\u3001\u3002][^\\s]*")
"""What stands between blanks and has such a character in it, or a Japanese comma or full stop."""
_STOPS = str.maketrans("\u3001\u3002", ",.")


def half_width(text: str) -> str:
    """The same text as it is typed with the input method off."""
    return unicodedata.normalize("NFKC", text).translate(_STOPS)


def wide_sentence(code: str) -> Sentence | None:
    """What to type instead in a line without its strings and remarks; None where it has none of them."""
    code, hash_, _ = code.partition(_WIDE_HASH)  # what follows was meant as a remark
    found = " ".join((*_WORDS.findall(code), *hash_))[:LONGEST_FOUND]
    if found:
        return texts.SYNTAX_WIDE(found=found, plain=half_width(found))
    before, blank, _ = code.rstrip(" ").partition(_WIDE_BLANK)
    if not blank:
        return None
    if not before.strip():
        return texts.SYNTAX_WIDE_BLANK_FIRST()
    return texts.SYNTAX_WIDE_BLANK(column=len(before) + 1, before=before.split()[-1])
