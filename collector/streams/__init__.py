"""What collects: sampled signals, controllers, and the states of machines, each on its way to records.

Begin with `waveform.py`, `controller.py` and `machine_state.py`; `streams.py` holds all that are configured.
Nothing is imported here: some commands need a single one of these modules, and shall not wait for the others.
"""
