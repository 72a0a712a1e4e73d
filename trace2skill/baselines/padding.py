"""The length-matched control: S0 padded with text that says nothing, to the length of another skill.

A skill that scores higher than S0 may do so because it says something, or because the prompt is longer. This control
tells the two apart.
"""

from trace2skill.skills.skill import LONGEST_BODY, Skill

HEADING = "## Remarks"
SENTENCES = (
    "This paragraph is here for its length alone and asks for nothing.",
    "The weather of a day in spring is often mild, with a light wind from the west.",
    "A river winds through the valley, and a path runs along its bank.",
    "In the afternoon the light falls through the window onto the floor.",
    "Some of the houses in the street are painted white, others are of brick.",
    "The train to the coast takes about two hours and passes three bridges.",
    "There is a garden behind the library, and in it stands an old pear tree.",
    "On market days the square is full of people until noon.",
)


def padded(base: Skill, like: Skill) -> Skill:
    """`base` with neutral sentences at the end of SKILL.md, until its body is as long as that of `like`.

    To within one sentence; `base` itself where it is as long already.
    """
    missing = len(like.body) - len(base.body) - len(HEADING) - 4
    if missing < len(SENTENCES[0]):
        return base
    text = (base.text("SKILL.md") or "").rstrip()
    room = max(1, LONGEST_BODY - base.body.count("\n") - 6)
    on_a_line = max(1, -(-missing // (room * 60)))  # so many sentences a line keep SKILL.md within its lines
    sentences: list[str] = []
    while missing >= len(sentence := SENTENCES[len(sentences) % len(SENTENCES)]) + 1:
        sentences.append(sentence)
        missing -= len(sentence) + 1
    lines = [" ".join(sentences[at : at + on_a_line]) for at in range(0, len(sentences), on_a_line)]
    return base.with_files({"SKILL.md": "\n".join([text, "", HEADING, "", *lines, ""]).encode()})
