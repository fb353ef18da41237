"""Joining the group: what is done with an enrolment where it is used.

credentials.py    the files that prove who one is     tables.py   the lines of the configuration
gateway.py        the order of things on a gateway
"""
