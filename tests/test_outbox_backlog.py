"""When the disk is asked for more of the backlog."""

from collector.outbox.backlog import Backlog

ALL, BUT_A, BUT_B = frozenset[str](), frozenset({"a"}), frozenset({"b"})


def asked(withheld: frozenset[str]) -> Backlog:
    backlog = Backlog()
    assert backlog.wanted(withheld)
    backlog.asked(withheld)
    return backlog


def test_one_question_is_asked_at_a_time() -> None:
    backlog = asked(ALL)
    assert not backlog.wanted(ALL)
    assert not backlog.open
    backlog.answered(empty=False)
    assert backlog.open
    assert backlog.wanted(ALL)


def test_what_the_disk_has_not_is_not_asked_for_again() -> None:
    backlog = asked(BUT_A)
    backlog.answered(empty=True)
    assert not backlog.open
    assert not backlog.wanted(BUT_A)
    assert backlog.wanted(BUT_B), "the answer does not tell of topic a"


def test_an_empty_answer_is_worth_nothing_once_others_are_withheld() -> None:
    backlog = asked(BUT_A)
    assert not backlog.wanted(ALL)
    backlog.answered(empty=True)
    assert backlog.open
    assert backlog.wanted(BUT_A)


def test_what_is_left_to_the_disk_meanwhile_is_asked_for() -> None:
    backlog = asked(ALL)
    backlog.grown()
    backlog.answered(empty=True)
    assert backlog.wanted(ALL)
    backlog.asked(ALL)
    backlog.answered(empty=True)
    assert not backlog.wanted(ALL)
    backlog.grown()
    assert backlog.wanted(ALL)
