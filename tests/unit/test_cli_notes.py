"""Notes of the command line on a task."""

from understudy.cli.notes import notes_on
from understudy.client import RemoteTask
from understudy.core.task import Status, Warned


def test_a_note_names_its_parameter_and_one_about_the_film_names_none():
    warnings = (Warned(param="tools", message="It is ignored."), Warned(param="", message="The fox is a cat."))
    task = RemoteTask(id="a", model="m", status=Status.SUCCEEDED, warnings=warnings, raw={})
    assert list(notes_on(task)) == ["Note on tools: It is ignored.", "Note: The fox is a cat."]
