"""What paper 002's trainings cost in time (section 5.1.1, tables 1, 4 and 5), on its machines and on a laptop.

Times of the paper are the printed ones; speeds of this book are recorded; what a network costs that was not timed
follows from its multiply-adds. Minutes, hours and days are those of one machine at work all day.

Nothing here imports torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from ferbook.claims import dataset_summary, printed
from ferbook.claims.report import NOTHING
from ferbook.core import operations, records
from ferbook.learning import sweeps
from ferbook.learning.runs import RunResult
from ferbook.measures import figures
from ferbook.papers.nhot.checks import minutes

#: Size of the augmented training set by the original one (section 5.1.1).
COPIES = 4
#: The network of table 4, as the record of networks and that of speeds call it.
TIMED = "vgg16_48"
#: Names of the records of networks' sizes, of speeds and of what a training step keeps in memory, named here because
#: their modules import torch.
SIZES, SPEEDS, NEEDS = "002/architectures", "runtime/training/avx2", "002/memory"
#: Share of a card that is counted on: gradients of maps, room for the convolutions' own work and the driver take more.
USABLE = 0.5


@dataclass(frozen=True)
class Card:
    """One machine of tables 1, 4 and 5 of the paper.

    Parameters
    ----------
    platform, card, memory: as printed.
    minutes: an epoch of VGG16 on the augmented training set takes (table 4).
    images_per_s: that implies.
    """

    platform: str
    card: str
    memory: str
    minutes: float
    images_per_s: float


@dataclass(frozen=True)
class Experiment:
    """Trainings that the paper reports or draws.

    Parameters
    ----------
    what: with the place.
    runs: trainings by network, named as in the record of sizes.
    sets: of the original training set's size: how many pictures an epoch shows.
    """

    what: str
    runs: Mapping[str, int]
    sets: int = 1


#: Epochs of a run (section 4.1): 40, and 60 for DAN.
EPOCHS = {TIMED: 40, "ran": 40, "dan": 60, "mten": 40}
#: Experiments whose number of trainings the text fixes. Those of figures 22 and 24, and pre-training, are left out.
EXPERIMENTS = (
    Experiment("five sets of turned copies (table 2)", {TIMED: 5}, COPIES),
    Experiment("advanced networks on augmented faces (table 3)", {"ran": 1, "mten": 1}, COPIES),
    Experiment("ten losses (figure 26)", {TIMED: 10}),
    Experiment("four starts (figure 27), without the pre-training", {TIMED: 4}),
    Experiment("eight N, ordinary test set (figure 28)", dict.fromkeys(EPOCHS, 8)),
    Experiment("eight N, complex test set (figure 29)", dict.fromkeys(EPOCHS, 8)),
)


def images_per_second(pictures: int, minutes: float) -> float:
    """Pictures a second that an epoch of so many pictures and minutes implies."""
    return pictures / (60 * minutes)


def epoch_minutes(pictures: int, images_per_s: float) -> float:
    """Minutes that an epoch of so many pictures takes at a speed."""
    return pictures / images_per_s / 60


def training_faces() -> int:
    """Faces of FER+ that are left to train on beside the ordinary test set (section 3.3.2), without copies."""
    return int(dataset_summary.recorded().values["ordinary_train"])


def cards() -> list[Card]:
    """The paper's machines, in its order."""
    pictures = COPIES * training_faces()
    found = []
    for _, line in printed.table("002-table4").iterrows():
        took = minutes(line["time per epoch"])
        memory = printed.cell("002-table5", line["platform"], "memory (MB)")
        found.append(Card(line["platform"], line["GPU card"], memory, took, images_per_second(pictures, took)))
    return found


def speeds() -> dict[str, float]:
    """Pictures a second that this library trains at on a processor, by network, as recorded."""
    networks = records.read(SPEEDS)["values"]["networks"]
    return {name: float(entry["engine"]["images_per_s"]) for name, entry in networks.items()}


def speed_of(network: str) -> float:
    """Pictures a second of a network on that processor: as recorded, else VGG16's by the ratio of multiply-adds."""
    known = speeds()
    if network in known:
        return known[network]
    adds = records.read(SIZES)["values"]["multiply_adds"]
    return known[TIMED] * adds[TIMED] / adds[network]


def pictures_at_once(need: Mapping[str, float], memory: float) -> int:
    """How many pictures a training step can take at once on a card.

    Parameters
    ----------
    need: an entry of the record ``NEEDS``: MiB for the ``weights`` and for each ``picture``.
    memory: of the card in MiB, of which ``USABLE`` is counted on.
    """
    return max(0, int((USABLE * memory - need["weights"]) // need["picture"]))


def memory_rows() -> list[dict[str, str]]:
    """One line per network and size of picture: what a training step keeps, and how many pictures half a card holds."""
    found = []
    for name, need in records.read(NEEDS)["values"].items():
        held = {f"at once on {card.memory} MB": f"{pictures_at_once(need, int(card.memory)):,}" for card in cards()}
        found.append(
            {
                "network": name,
                "side (pixels)": str(need["side"]),
                "weights (MiB)": f"{need['weights']:,.0f}",
                "a picture (MiB)": f"{need['picture']:.1f}",
                **held,
            }
        )
    return found


def card_rows() -> list[dict[str, str]]:
    """One line per machine of the paper, and one per recorded network here: an epoch of the augmented set, and speed.

    What a speed costs in arithmetic is counted as in :mod:`ferbook.core.operations`.
    """
    adds = records.read(SIZES)["values"]["multiply_adds"]
    pictures = COPIES * training_faces()
    lines = [
        _card_line(f"{one.card} ({one.platform})", "VGG16", one.minutes, one.images_per_s, adds[TIMED])
        for one in cards()
    ]
    machine = records.read(SPEEDS)["values"]["machine"]
    where = f"{machine['cores']} cores of an {machine['processor']}, {machine['instructions']} (this book)"
    lines += [
        _card_line(where, name, epoch_minutes(pictures, speeds()[key]), speeds()[key], adds[key])
        for key, name in ((TIMED, "VGG16"), ("compact", "compact"))
    ]
    return lines


def _card_line(where: str, network: str, minutes: float, speed: float, adds: int) -> dict[str, str]:
    return {
        "machine": where,
        "network": network,
        "minutes an epoch": f"{minutes:,.1f}",
        "pictures a second": f"{speed:,.0f}",
        "billion operations a second": f"{operations.of_training(adds) * speed / 1e9:,.0f}",
    }


def days(experiment: Experiment) -> float:
    """Days that an experiment takes on the processor whose speeds are recorded, once per setting."""
    pictures = experiment.sets * training_faces()
    total = sum(runs * EPOCHS[name] * epoch_minutes(pictures, speed_of(name)) for name, runs in experiment.runs.items())
    return total / (60 * 24)


def card_hours(experiment: Experiment) -> float | None:
    """Hours on all machines of the paper together; None where another network than that of table 4 is trained."""
    if set(experiment.runs) != {TIMED}:
        return None
    pictures = experiment.sets * training_faces()
    together = sum(one.images_per_s for one in cards())
    return experiment.runs[TIMED] * EPOCHS[TIMED] * epoch_minutes(pictures, together) / 60


def plan_rows() -> list[dict[str, str]]:
    """One line per experiment of the paper and one for all, as ``report.table`` takes it."""
    trainings = {one.what: sum(one.runs.values()) for one in EXPERIMENTS}
    lines = [(one.what, trainings[one.what], card_hours(one), f"{days(one):,.1f}") for one in EXPERIMENTS]
    lines.append(("all of these, once", sum(trainings.values()), None, f"{sum(map(days, EXPERIMENTS)):,.0f}"))
    return [
        {
            "experiment": what,
            "trainings": str(count),
            "the paper's three machines (hours)": NOTHING if hours is None else f"{hours:.1f}",
            "this processor (days)": own,
        }
        for what, count, hours, own in lines
    ]


@dataclass(frozen=True)
class Grid:
    """One group of this book's runs.

    Parameters
    ----------
    described, recorded: how many runs there are to be, and are.
    cpu_hours: of all threads, of the recorded runs that say so.
    timed: how many say so.
    """

    described: int
    recorded: int
    cpu_hours: float
    timed: int

    @property
    def whole(self) -> float | None:
        """CPU hours of the whole grid at the mean of the recorded runs; None without one."""
        return self.cpu_hours / self.timed * self.described if self.timed else None


def grids(paper: str = "002") -> dict[str, Grid]:
    """Every group of a paper's runs, in the order of its description; a run that two groups share is in the first."""
    described = sweeps.runs(sweeps.description(paper))
    first: dict[str, str] = {}
    for name, config in described.items():
        first.setdefault(config.hash, name)
    found = {}
    for group in dict.fromkeys(name.partition("/")[0] for name in described):
        own = {name.partition("/")[2] for name in first.values() if name.startswith(f"{group}/")}
        runs = {name: run for name, run in sweeps.load(paper, group).items() if name in own}
        found[group] = grid_of(runs, len(own))
    return found


def grid_of(runs: Mapping[str, RunResult], described: int) -> Grid:
    """What the recorded runs of a group cost."""
    costs = [run.provenance["cpu_seconds"] for run in runs.values() if run.provenance.get("cpu_seconds") is not None]
    return Grid(described, len(runs), sum(costs) / 3600, len(costs))


def grid_rows(found: Mapping[str, Grid]) -> list[dict[str, str]]:
    """One line per group and one for all, as ``report.table`` takes it."""
    wholes = [grid.whole for grid in found.values()]
    sums = (sum(getattr(grid, field.name) for grid in found.values()) for field in fields(Grid))
    every = {**found, "all": Grid(*sums)}
    return [
        {
            "group": name,
            "runs": str(grid.described),
            "recorded": str(grid.recorded),
            "CPU hours recorded": f"{grid.cpu_hours:.1f}" if grid.timed else NOTHING,
            "CPU hours of the whole grid, expected": NOTHING if whole is None else f"{whole:.1f}",
        }
        for (name, grid), whole in zip(every.items(), [*wholes, None if None in wholes else sum(wholes)], strict=True)
    ]


def figure() -> Figure:
    """Minutes an epoch of VGG16 on the augmented faces takes on each machine, and of the book's small network."""
    pictures = COPIES * training_faces()
    shown = {one.card.replace("NVIDIA GeForce ", "").replace(" (Overclock)", ""): one.minutes for one in cards()}
    colours = [figures.SOURCE_COLOURS["paper"]] * len(shown)
    for key, name in ((TIMED, "2 cores, VGG16"), ("compact", "2 cores, compact")):
        shown[name] = epoch_minutes(pictures, speeds()[key])
        colours.append(figures.SOURCE_COLOURS["recorded"])
    drawing, axis = plt.subplots(figsize=(figures.WIDTH, 2.9))
    # Points, not bars: a logarithmic axis has no zero to begin at.
    places = range(len(shown))
    axis.scatter(list(shown.values()), places, s=70, c=colours)
    for place, value in zip(places, shown.values(), strict=True):
        axis.annotate(f"{value:.1f}", (value, place), xytext=(8, 0), textcoords="offset points", va="center")
    axis.set_yticks(places, list(shown))
    axis.set_ylim(len(shown) - 0.5, -0.5)
    axis.set_xscale("log")
    axis.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
    axis.set_xticks([], minor=True)
    axis.set_xlim(min(1, *shown.values()), max(150, *shown.values()))
    axis.set_xlabel("minutes an epoch (logarithmic)")
    figures.sideways(axis)
    return drawing
