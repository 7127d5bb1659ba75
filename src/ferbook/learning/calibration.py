"""What a network's confidence is worth: temperature scaling, and when to expect that a crowd would not agree.

A network that learned the crowd's shares answers with shares: 0.6 for happiness says that six of ten people would call
the face happy. How likely happiness *leads* is another question, and its answer is more certain, since six of ten
lead. Dividing the logits by a temperature fitted on validation faces (Guo et al. 2017) turns the one into the other,
and leaves the order of the emotions as it is. Both are useful, so both are kept: the shares are at temperature 1.

The temperature of a released network lies beside its weights, as ``NAME.temperature.json`` with a card.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ferbook.core import bounded_files, paths, records
from ferbook.core.errors import DataError
from ferbook.faces.faceset import FaceSet
from ferbook.faces.labels import clean_votes, complexity
from ferbook.measures import metrics

#: Whose votes a distribution stands for: FER+ asked ten people per face.
PEOPLE = 10
#: A crowd disagrees where it votes for at least this many emotions.
DISAGREE_FROM = 3
#: Temperatures that are tried.
RANGE = (0.1, 10.0)


@dataclass(frozen=True)
class Calibration:
    """What belongs to a network's logits.

    Parameters
    ----------
    temperature: logits are divided by it; their softmax then says how likely each emotion leads.
    disagree_above: from this expected complexity on, a crowd is expected to disagree.
    """

    temperature: float
    disagree_above: float


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """(N, C) probabilities, float64, of (N, C) logits."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def lead_loss(logits: np.ndarray, distribution: np.ndarray, temperature: float = 1.0) -> float:
    """Mean of minus the log probability that was given to the crowd's leading emotion; tied ones are added up.

    Parameters
    ----------
    logits, distribution: (N, C).
    """
    leading = distribution == distribution.max(axis=1, keepdims=True)
    given = (softmax(logits, temperature) * leading).sum(axis=1)
    return float(-np.log(np.maximum(given, 1e-12)).mean())


def fit_temperature(logits: np.ndarray, distribution: np.ndarray) -> float:
    """The temperature in ``RANGE`` with the least :func:`lead_loss`; (N, C) each, of faces that nothing was trained on.

    Raises
    ------
    ValueError: if there is no face, or the shapes differ.
    """
    logits, distribution = np.asarray(logits), np.asarray(distribution)
    if logits.shape != distribution.shape or not len(logits):
        raise ValueError(f"logits {logits.shape} and distributions {distribution.shape} must be as many, and some")
    # Imported where it is needed: only fitting does, and an answer about one photograph need not wait for it.
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda power: lead_loss(logits, distribution, np.exp(power)), bounds=np.log(RANGE), method="bounded"
    )
    return float(np.exp(found.x))


def expected_complexity(shares: np.ndarray, people: int = PEOPLE) -> np.ndarray:
    """How many emotions would get a vote if `people` voted independently by these shares: (N, C) -> (N,).

    The predicted counterpart of paper 002's complexity (section 3.2): an emotion of share p is named by somebody with
    probability 1 - (1 - p)^people, and the expected number is their sum.
    """
    return (1 - (1 - np.asarray(shares, dtype=np.float64)) ** people).sum(axis=1)


def fit_disagreement(expected: np.ndarray, disagrees: np.ndarray) -> float:
    """The threshold on expected complexity with the largest sum of sensitivity and specificity (Youden 1950).

    Parameters
    ----------
    expected: (N,) expected complexity.
    disagrees: (N,) bool, what the crowd did.

    Raises
    ------
    ValueError: if all crowds did the same.
    """
    if disagrees.all() or not disagrees.any():
        raise ValueError("a threshold needs crowds that agree and crowds that do not")
    steps = np.arange(100, 800, 5) / 100
    gains = [(expected >= t)[disagrees].mean() + (expected < t)[~disagrees].mean() for t in steps]
    return float(steps[int(np.argmax(gains))])


def note_rates(flagged: np.ndarray, disagrees: np.ndarray) -> dict[str, float | int]:
    """How often the note is right: (N,) bool each.

    Returns
    -------
    ``faces``; ``disagree``, the share of faces whose crowd does; ``flagged``; ``right``, over all faces;
    ``precision``, among the flagged; ``sensitivity``, the share of disagreeing crowds that is flagged;
    ``missed``, the share of disagreeing crowds among faces without a note.
    """
    return {
        "faces": len(flagged),
        "disagree": float(disagrees.mean()),
        "flagged": float(flagged.mean()),
        "right": float((flagged == disagrees).mean()),
        "precision": float(disagrees[flagged].mean()),
        "sensitivity": float(flagged[disagrees].mean()),
        "missed": float(disagrees[~flagged].mean()),
    }


def measure(logits: Mapping[str, np.ndarray], distribution: Mapping[str, np.ndarray]) -> dict[str, object]:
    """Fit on ``valid``, then say what it does on ``valid`` and ``test``.

    Parameters
    ----------
    logits, distribution: per part (N, 8).

    Returns
    -------
    ``temperature``; ``ece_before`` and ``ece_after`` on the test part; ``disagree_above``; per part ``parts``: faces,
    accuracy, and before and after scaling the calibration error, the loss and the divergence from the crowd's shares;
    ``note``: per part :func:`note_rates`.
    """
    temperature = fit_temperature(logits["valid"], distribution["valid"])
    disagrees = {part: complexity(given) >= DISAGREE_FROM for part, given in distribution.items()}
    expected = {part: expected_complexity(softmax(found)) for part, found in logits.items()}
    above = fit_disagreement(expected["valid"], disagrees["valid"])
    parts: dict[str, dict[str, float]] = {}
    for part, found in logits.items():
        parts[part] = {"faces": len(found)}
        for when, scale in (("before", 1.0), ("after", temperature)):
            scores = metrics.crowd_measures(softmax(found, scale), distribution[part])
            parts[part] |= {
                "accuracy": scores["accuracy"],
                f"ece_{when}": scores["calibration_error"],
                f"loss_{when}": lead_loss(found, distribution[part], scale),
                f"kl_{when}": scores["kl"],
            }
    return {
        "temperature": temperature,
        "ece_before": parts["test"]["ece_before"],
        "ece_after": parts["test"]["ece_after"],
        "disagree_above": above,
        "parts": parts,
        "note": {part: note_rates(expected[part] >= above, disagrees[part]) for part in logits},
    }


def part_logits(name: str, faces: FaceSet) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Logits of a released network, and the crowd's distributions, of FER+'s ``valid`` and ``test``: (N, 8) per part.

    Faces are cleaned as for training. Logits are those of face and mirror image, averaged, where the card says so.
    """
    from ferbook.learning import trained

    network, mirror = trained.released(name), trained.config_of(name).mirror
    logits, distribution = {}, {}
    for part in ("valid", "test"):
        chosen = faces.part(part)
        cleaned = clean_votes(chosen.votes)
        logits[part] = trained.logits(network, chosen.images[cleaned.keep], mirror=mirror).double().numpy()
        distribution[part] = cleaned.distribution
    return logits, distribution


def place(name: str, folder: Path | None = None) -> Path:
    """Where the temperature of a released network lies; its card lies beside it, as Markdown."""
    return (folder or paths.project_root() / "data" / "weights") / f"{name}.temperature.json"


def weights_mark(name: str, folder: Path | None = None) -> str:
    """First 16 hex digits of the sha256 of a released network's weights: a temperature belongs to one network."""
    path = place(name, folder).with_name(f"{name}.safetensors")
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def record(name: str, faces: FaceSet) -> Path:
    """Fit on FER+'s validation part, measure on both parts, and write file and card beside the weights.

    Parameters
    ----------
    name: of a released network.
    faces: the complete FER+.
    """
    found = measure(*part_logits(name, faces))
    target = place(name)
    values = {
        "model": name,
        "weights": weights_mark(name),
        "fitted_on": f"FER+, official validation part, {found['parts']['valid']['faces']:,} faces after cleaning",
        "measured_on": f"FER+, official test part, {found['parts']['test']['faces']:,} faces after cleaning",
        **found,
        "provenance": records.provenance(faces, Path(__file__)),
    }
    records.write_json(target, values)
    with paths.replacing(target.with_suffix(".md")) as staging:
        staging.write_text(card(values), encoding="utf-8")
    return target


def read(name: str, folder: Path | None = None) -> dict[str, object]:
    """What :func:`record` wrote.

    Raises
    ------
    DataError: if it is missing, unreadable, or belongs to other weights.
    """
    path = place(name, folder)
    hint = "`ferbook record calibration` writes it."
    try:
        values = bounded_files.read_json(path)
        fits = values["weights"] == weights_mark(name, folder)
        temperature, above = values["temperature"], values["disagree_above"]
    except FileNotFoundError:
        raise DataError("there is no such file", path, hint=hint) from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"it is no temperature of a network ({error!r})", path, hint=hint) from None
    if not (isinstance(temperature, float) and RANGE[0] <= temperature <= RANGE[1] and isinstance(above, float)):
        raise DataError(f"temperature {temperature!r}, threshold {above!r} cannot be", path, hint=hint)
    if not fits:
        raise DataError("it belongs to other weights than those beside it", path, hint=hint)
    return values


def of(name: str, folder: Path | None = None) -> Calibration:
    """The calibration of a released network. Raises DataError as :func:`read`."""
    values = read(name, folder)
    return Calibration(values["temperature"], values["disagree_above"])


def card(values: Mapping[str, object]) -> str:
    """The card, Markdown; every number is read off the file's values."""
    lines = []
    for part, label in (("valid", "validation (fitted here)"), ("test", "test")):
        one = values["parts"][part]
        shown = (f"{one[f'{kind}_before']:.3f} | {one[f'{kind}_after']:.3f}" for kind in ("ece", "loss", "kl"))
        lines.append(f"| {label} | {one['faces']:,} | {' | '.join(shown)} |")
    notes = [
        f"| {part} | {rate['faces']:,} | {rate['disagree']:.1%} | {rate['flagged']:.1%} | {rate['right']:.1%} "
        f"| {rate['precision']:.1%} | {rate['sensitivity']:.1%} | {rate['missed']:.1%} |"
        for part, rate in values["note"].items()
    ]
    heads = ("part", "faces", "crowds that disagree", "noted", "note right, all faces", "right where noted")
    heads += ("disagreements noted", "without a note, yet disagreeing")
    return f"""# Temperature of {values["model"]}

One number, **{values["temperature"]:.3f}**: divide the logits of `{values["model"]}` (weights `{values["weights"]}`) by
it, and their softmax says how likely each emotion is the one that most of ten people name. At temperature 1 it says
what share of them names each. `ferbook record calibration` wrote this card; no number was typed.

* Fitted on: {values["fitted_on"]}, by the least negative log-likelihood of the leading emotion.
* The test part took no part in the fit. Which emotion leads does not change, so accuracy does not either.

| part | faces | calibration error, before | after | loss, before | after | KL from the votes, before | after |
|---|---|---|---|---|---|---|---|
{chr(10).join(lines)}

The last two columns show the price: scaled probabilities are no longer the crowd's shares.

## When the crowd would disagree

Ten people who vote independently by the predicted shares name an expected number of emotions. From
**{values["disagree_above"]:.2f}** on, the note is made. It claims that ten people would name at least {DISAGREE_FROM}
emotions. The threshold has the largest sum of sensitivity and specificity on the validation part.

| {" | ".join(heads)} |
|{"---|" * len(heads)}
{chr(10).join(notes)}
"""
