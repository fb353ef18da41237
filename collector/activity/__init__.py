"""What a machine is doing: recognised from points and features, counted up, and summed up for each cut; pure.

Where the inputs come from and what becomes of the results is in `streams/machine_state.py`. `thresholds.py`
finds the thresholds of a commissioning run; `calendar.py` and `utilisation.py` count the time in each
activity.
"""

from collector.activity.calendar import (
    Calendar,
    CalendarSettings,
    Period,
    ShiftSettings,
    calendar_of,
    common_time,
)
from collector.activity.cuts import SUMMARISED, Cuts, CutSummary
from collector.activity.inputs import FeatureInputs, moments
from collector.activity.learned import LearnedFile, LearnedThreshold
from collector.activity.recogniser import Activity, Answer, Change, Recogniser
from collector.activity.rules import Level, Names, Rule, rules_of
from collector.activity.settings import QUESTIONS, EvidenceSettings, Question, StateSettings
from collector.activity.utilisation import RATIOS, Account, Ledger, ratios

__all__ = [
    "QUESTIONS",
    "RATIOS",
    "SUMMARISED",
    "Account",
    "Activity",
    "Answer",
    "Calendar",
    "CalendarSettings",
    "Change",
    "CutSummary",
    "Cuts",
    "EvidenceSettings",
    "FeatureInputs",
    "LearnedFile",
    "LearnedThreshold",
    "Ledger",
    "Level",
    "Names",
    "Period",
    "Question",
    "Recogniser",
    "Rule",
    "ShiftSettings",
    "StateSettings",
    "calendar_of",
    "common_time",
    "moments",
    "ratios",
    "rules_of",
]
