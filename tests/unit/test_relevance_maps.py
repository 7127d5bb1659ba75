"""Recorded maps of relevance, the drawings of paper 001's figures, and tables 6 to 9 beside ours."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ferbook import models
from ferbook.core.errors import DataError, FerbookError
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet
from ferbook.papers.relevance import rank_scores, tables
from ferbook.relevance import by_hand, drawings, heatmaps, maps, networks


def test_the_surest_face_of_an_emotion_and_a_rank_is_chosen():
    emotions = ["fear", "fear", "sadness", "fear"]
    given = ["minimal", "strong", "strong", "strong"]
    sure = np.array([0.9, 0.8, 0.7, 0.6])
    wanted = [("fear", "strong"), ("fear", "average"), (None, "strong"), ("contempt", None), ("fear", None)]
    # No fear is average: the surest that is left. Nobody shows contempt.
    assert maps.chosen(wanted, emotions, given, sure) == [1, 0, 2, None, 3]


def tinted(count, seed=0):
    """Coloured faces whose brightest channel says which of three emotions they show."""
    rng = np.random.default_rng(seed)
    label = 1 + np.arange(count) % 3
    images = rng.integers(0, 40, (count, 8, 8, 3))
    images[np.arange(count), :, :, label - 1] += 150
    ids = np.array([f"face-{k}" for k in range(count)])
    return FaceSet("tinted", images.astype(np.uint8), ids, distribution=np.eye(8)[label])


def colour_network():
    """Adds up each channel; the logit of an emotion is its channel's mean."""
    first = nn.Conv2d(3, 3, 1, bias=False)
    first.weight.data = torch.eye(3)[:, :, None, None]
    last = nn.Linear(192, 8, bias=False)
    last.weight.data.zero_()
    for channel in range(3):
        last.weight.data[channel + 1, 64 * channel : 64 * (channel + 1)] = 1 / 64
    return nn.Sequential(first, nn.ReLU(), nn.Flatten(), last).eval()


def test_what_is_recorded_of_maps_comes_back(monkeypatch):
    faces = tinted(30)
    values = maps.measure(colour_network(), faces)
    assert values["correct"] == 30 and set(values["figures"]) == {"9", "10", "11", "12"}
    monkeypatch.setattr(maps.records, "values_of", lambda name: values)
    found = maps.recorded("synthetic")
    happy, sad, fear, contempt = found[9]
    assert (happy.emotion, sad.emotion) == ("happiness", "sadness") and fear is None and contempt is None
    place = [*faces.ids].index(happy.face)
    assert EMOTIONS[faces.distribution[place].argmax()] == "happiness"
    # The first channel alone carries the evidence, pixel by pixel, and all of it adds up to the logit.
    logit = faces.images[place, :, :, 0].mean() / 255
    assert happy.relevance.shape == (3, 8, 8) and happy.relevance.sum() == pytest.approx(logit, rel=1e-3)
    assert np.abs(happy.relevance[1:]).max() == 0

    monkeypatch.setattr(maps, "synthetic", lambda which, count: faces)
    assert np.array_equal(maps.faces_of("synthetic", [happy]), faces.images[[place]])
    with pytest.raises(DataError, match="no face 'gone'"):
        maps.faces_of("synthetic", [replace(happy, face="gone")])


def test_a_network_that_names_nothing_has_no_maps():
    faces = tinted(6)
    shifted = replace(faces, distribution=np.roll(faces.distribution, 3, axis=1))
    with pytest.raises(FerbookError, match="no emotional face right"):
        maps.measure(colour_network(), shifted)


def test_three_equal_channels_give_what_one_gave():
    network = networks.in_a_row(models.build("vgg16_48", num_classes=8, in_channels=1, seed=0)).double().eval()
    coloured = maps.in_colour(network).eval()
    grey = torch.rand(2, 1, 48, 48).double()
    with torch.inference_mode():
        torch.testing.assert_close(coloured(grey.expand(-1, 3, -1, -1)), network(grey))
    assert network[0].weight.shape[1] == 1, "the network itself is left alone"


def test_training_on_lowers_the_loss_and_repeats():
    images = torch.from_numpy(tinted(48).images).permute(0, 3, 1, 2).float() / 255
    labels = torch.from_numpy(tinted(48).distribution.argmax(axis=1))

    def trained():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 8))
        before = nn.functional.cross_entropy(network(images), labels).item()
        maps.train_on(network, images, labels, epochs=20, seed=1)
        return before, network

    (before, first), (_, second) = trained(), trained()
    assert nn.functional.cross_entropy(first(images), labels).item() < before
    assert torch.equal(first[0].weight, second[0].weight)


@pytest.mark.parametrize("name", maps.RECORDS)
def test_the_recorded_maps_are_of_what_the_figures_name(name):
    found = maps.recorded(name)
    for number, wanted in maps.FIGURES.items():
        for (emotion, _), one in zip(wanted, found[number], strict=True):
            if one is not None:
                assert emotion in (None, one.emotion) and one.relevance.shape[-2:] == (48, 48)
                assert one.relevance.shape[0] == (1 if name == "ferplus" else 3)
    shown = sum(one is not None for places in found.values() for one in places)
    assert shown >= (19 if name == "synthetic" else 10), "VGG16 names no fear and no contempt on FER+"


# --- drawings ---


def test_a_row_per_face_and_a_column_per_channel():
    figure = heatmaps.by_channel(tinted(2).images, np.random.default_rng(0).normal(size=(2, 3, 8, 8)), ["a", "b"])
    assert len(figure.axes) == 2 * 4 + 1
    assert [axis.get_title() for axis in figure.axes[:4]] == ["picture", "red", "green", "blue"]


def test_the_layers_of_the_drawing_are_the_networks():
    network = models.build("vgg16_48", num_classes=7, seed=0).eval()
    found = drawings.layers_with_weights(network, torch.zeros(1, 3, 48, 48))
    assert [name for name, *_ in found].count("conv") == 13
    assert found[0][1:3] == (48, 64) and found[-1][1:3] == (1, 7)
    assert f"{len(found)} layers" in drawings.stack(network, found).axes[0].get_title()


def test_the_neurons_and_the_steps_are_drawn_with_their_numbers():
    layers, x = by_hand.EXAMPLE, by_hand.EXAMPLE_INPUT
    figure = drawings.neurons(layers, by_hand.forward(layers, x), by_hand.propagate(layers, x, 0))
    told = [text.get_text() for text in figure.axes[1].texts]
    assert "+3.50" in told and "+0.00" in told
    relevance = np.zeros((1, 10, 10))
    relevance[0, 0, 0], relevance[0, 0, 1] = 9.0, -1.0
    # Zero lies at a tenth of the range, so all but one value are in the second group: minimal.
    steps = drawings.ranking(np.zeros((10, 10), dtype=np.uint8), relevance)
    assert "minimal" in steps.axes[3].get_title()
    assert [bar.get_height() for bar in steps.axes[2].patches][1] == 98


# --- tables 6 to 9 ---


def test_faces_are_drawn_without_putting_back():
    counts = {"anger": np.full((3, 3), 2), "fear": np.diag([5, 0, 1])}
    few = rank_scores.drawn(counts, 7, seed=1)
    assert sum(int(matrix.sum()) for matrix in few.values()) == 7
    assert all((few[name] <= counts[name]).all() for name in counts)
    everyone = rank_scores.drawn(counts, 24)
    assert all((everyone[name] == counts[name]).all() for name in counts)


@pytest.mark.parametrize("table", tables.SCORE_TABLES)
def test_each_printed_table_stands_beside_ours(table):
    counts = {name: np.diag([3, 2, 1]) for name in ("anger", "contempt")}
    both = rank_scores.beside(table, counts)
    assert len(both) == 18 and both.loc[("anger", "strong"), "f1_ours"] == 1
    printed = tables.scores(table).set_index("class").loc["anger-strong", "recall"]
    assert both.loc[("anger", "strong"), "recall"] == printed
    assert both["f1_ours"].notna().sum() == 3
    assert len(rank_scores.bars(both, "t").axes) == 2
