"""Names that have to be unique."""


def free_name(wished: str, taken: set[str], joint: str) -> str:
    """As wished, or else with a number after the joint. It is taken from now on."""
    name, number = wished, 1
    while name in taken:
        number += 1
        name = f"{wished}{joint}{number}"
    taken.add(name)
    return name
