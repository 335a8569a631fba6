"""Every defence is named by a test, every name means a defence, every place that a mutant changes is there: without running them."""
from mutation.defence import names_in_tap
from mutation.naming_check import problems


def test_names_and_defences_belong_together():
    assert problems() == []


def test_names_stand_at_the_end_of_a_description():
    assert names_in_tap("attack 12: INSERT [with-check, force]") == ["with-check", "force"]
    assert names_in_tap("a key [tenant_id] is no defence") == []
