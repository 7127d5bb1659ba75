"""Figures 2 and 3 of paper 003, drawn from the built network, and what is measured for them."""

import pytest

from ferbook.claims import printed
from ferbook.papers.vad import checks, drawing


def test_only_the_soft_cost_sends_a_gradient_to_both_tasks():
    alone = {("classification", "category"), ("regression", "V, A, D")}
    for kind in ("table", "equations"):
        assert {pair for pair, pulls in drawing.flow(kind).items() if pulls} == alone
    both = {("consistency", "category"), ("consistency", "V, A, D")}
    assert {pair for pair, pulls in drawing.flow("soft").items() if pulls} == alone | both


def test_layers_are_those_of_table_2():
    """Twin: the rows of the printed table, counted truly, layer by layer."""
    steps = drawing.layers(side=16)
    assert steps[0].text == "3 x 16 x 16"
    for k in range(1, 5):
        (step,) = (step for step in steps if step.title.startswith(f"Layer {k}:"))
        rows = [place for place in checks.layers() if place.startswith(f"layer{k}-")]
        assert f"{sum(checks.layer_amount(place, 'true') for place in rows):,} weights" in step.text
        assert f"{printed.cell('003-table2', f'layer{k}-block2-conv2', 'outputs')} maps of" in step.text
    of_type_b = [part.split(",")[0] for step in steps for part in step.title.split("; ") if part.endswith("B")]
    assert [name.split()[-1] for name in of_type_b] == ["3", "5", "7"]


@pytest.mark.parametrize("kind", ["table", "soft"])
def test_the_model_is_drawn_with_an_arrow_per_gradient(kind):
    found = drawing.flow(kind)
    figure = drawing.joint(found)
    arrows = [text for text in figure.axes[0].texts if getattr(text, "arrow_patch", None) is not None]
    # Two from the faces to the tasks, one from each supervised loss, two from the cost, drawn whether it pulls or not.
    assert len(arrows) == 6
    dotted = [text for text in arrows if text.arrow_patch.get_linestyle() == ":"]
    assert len(dotted) == sum(not pulls for (loss, _), pulls in found.items() if loss == "consistency")
