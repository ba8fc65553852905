"""Fixtures for the assignments: a wrong answer at a time, and a class whose work was marked once."""


def pytest_generate_tests(metafunc):
    """Run a test that asks for a wrong `answer` once for each in its class."""
    if "answer" in metafunc.fixturenames:
        cases = [(task, answer) for task, answers in metafunc.cls.wrong.items() for answer in answers]
        metafunc.parametrize(("task", "answer"), cases, ids=[f"{task}: {answer.name}" for task, answer in cases])
