# Reading back: how the vibration of a spindle went, and where data is missing.
#
# Cells begin with `# %%`: VS Code, Spyder and Jupyter (with jupytext) run them one by one. As a program:
#     python reading_back.py WHERE
# WHERE is a store.toml, a file of SQLite, a postgresql:// URL, or the folder of a snapshot. It needs
#     pip install 'collector[research]'

# %% What to look at
import sys

from collector.research import gaps, load

WHERE = sys.argv[1] if len(sys.argv) > 1 else None  # None: /etc/collector/store.toml
COMPANY, MACHINE, STREAM = "works", "mill-1", "spindle"

# %% Load: one row for each window, one column for each feature of each channel
frame = load(COMPANY, MACHINE, STREAM, features=["rms", "crest", "band_rms"], where=WHERE)
print(f"{len(frame)} windows from {frame['t'].min()} to {frame['t'].max()}")

# %% What the columns mean travels with the data
units, definitions = frame.attrs["units"], frame.attrs["definitions"]
meta = frame.attrs["meta"][frame["meta"].iloc[-1]]
print("machine:", meta["machine"])
print("channels:", ", ".join(f"{channel['name']} in {channel['unit']}" for channel in meta["channels"]))
print("rms:", definitions["rms"]["definition"])

# %% Leave out what the sensor itself doubts, and times from before a clock was set
good = frame[frame["quality"] == ""]
if frame["sync"].any():
    good = good[good["sync"]]
else:  # a gateway that reaches no time server: distances are right, the time of day may not be
    print("all windows have sync = false; shown nevertheless")
print(f"{len(frame) - len(good)} windows have a flag, or no good time, and are left out")

# %% What is missing, and who says so
missing = gaps(COMPANY, MACHINE, STREAM, where=WHERE)
for hole in missing:
    about = "about " if hole.estimated else ""
    count = "an unknown number" if hole.count is None else f"{about}{hole.count}"
    said = "declared" if hole.declared else "not declared: perhaps still on its way"
    start = hole.start or "an unknown time"
    print(f"{start} to {hole.end}: {hole.what} ({hole.cause}), {count} missing, {said}")

# %% Plot: the rms of each channel over time, with what is missing in grey
import matplotlib

matplotlib.use("Agg")  # leave this out to see it in a window
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(9, 4))
for channel in (channel["name"] for channel in meta["channels"]):
    axes.plot(
        good["t"], good[f"{channel}.rms"], ".", markersize=3, label=f"{channel}, {units[f'{channel}.rms']}"
    )
for hole in missing:
    if hole.start and hole.end:
        axes.axvspan(hole.start, hole.end, color="0.85")
axes.set_ylabel("rms")
axes.set_title(f"{COMPANY} / {MACHINE} / {STREAM}")
axes.legend()
figure.autofmt_xdate()
figure.savefig("reading_back.png", dpi=120)
