"""Joining the group: what is done with an enrolment where it is used.

credentials.py     the files that prove who one is      tables.py   keys of a TOML text, pure
configuration.py   what a configuration has to say      trial.py    whether the broker lets one in
"""
