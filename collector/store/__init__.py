"""The group's store: takes every gateway's records from the broker, keeps each once, and tells its gateway.

    settings.py   store.toml                         serve.py      the order of things
    arrivals.py   bytes -> record or dead letter     ingest.py     subscribe, commit, receipt, again
    storing.py    arrivals -> committed batch        receipts.py   what the gateways are told
    sink.py       what a database must do            sqlite.py, postgresql/  the two that do it
    deletion.py   retention and withdrawal           report.py     how an ingester is

It depends on the wire contract, and on nothing of the daemon.
"""
