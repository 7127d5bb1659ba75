"""Paper 000's figure 1, drawn from the built network."""

from ferbook import models
from ferbook.measures import figures
from ferbook.papers.cbam import drawing, tables


def test_the_chain_has_the_sizes_of_the_built_network():
    steps = drawing.chain(side=64)
    inside = [step.text for step in steps if step.inside]
    assert [step.inside for step in steps] == [False] * 2 + [True] * 4 + [False] * 2
    # Five halvings of 64 pixels leave 2; the gates are those of ChannelGate's and SpatialGate's own formulas.
    assert inside[0].startswith("2,048 maps of 2 x 2;") and inside[2].startswith("2 x 2 factors")
    assert f"{2 * 2048 * 128 + 128 + 2048:,} weights" in inside[1] and "100 weights" in inside[2]
    weights = [int(text.rpartition("; ")[2].removesuffix(" weights").replace(",", "")) for text in inside]
    whole = models.build("resnet50_cbam", len(tables.LABELS), placement="last")
    assert sum(weights) == models.parameter_count(whole)


def test_the_drawing_has_a_box_and_its_words_for_each_step_and_an_arrow_between():
    steps = [figures.Step("one", "a"), figures.Step("two", "b", True)]
    figure = figures.chain(steps)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [text for text in texts if text] == ["one", "a", "two", "b"] and texts.count("") == 1
    assert len(figure.axes[0].patches) == len(steps) + 1
