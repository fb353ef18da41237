"""One TOML file of settings, judged: every mistake in it with file, line, what was found and what to type.

    document.py     the file's text and data         toml_lines.py where a key stands in it
    explain.py      pydantic's errors in plain words model_tree.py what is allowed where
    syntax.py       a line that is not TOML          wide_characters.py full-width ones (全角)
    unquoted.py     a value that lacks its quotes    unseen_characters.py blanks of web pages
    named_files.py  whether what it names is there   problems.py   a problem, and `ConfigError`
    folders_to_write.py whether they can be written  accounts.py  by whom

Which keys there are is declared in the settings of each part; nothing here knows one of them.
"""
