"""Sweeps of training runs: described in ``data/sweeps/NNN.yml``, recorded in ``data/recorded/NNN/runs``.

A description names base configs and groups of runs::

    short: {labels.n_hot: n}
    bases:
      compact: {model: {name: compact}, epochs: 6}
      longer: {extend: compact, epochs: 16}
    groups:
      nhot:
        base: compact
        vary:
          split.kind: [ordinary, complex]
          labels.n_hot: [1, 3]
          optimiser:
            adam: {optimiser: {name: adam}}
            gentle: {optimiser: {lr: 0.0001}}
          seed: [0, 1, 2]

A group is every combination of what varies: a field's path with its values, or the name of an axis with labelled parts
of a config. A run is named after its group and, in that order, its values: ``nhot/ordinary-n3-adam-seed0``. Numbers
follow the last part of their field's path, or what ``short`` calls it.

Whatever trains is passed in, so that a page which only shows records does not depend on the training engine.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ferbook.core import bounded_files, paths, records
from ferbook.core.errors import ConfigError, DataError
from ferbook.learning import configs
from ferbook.learning import runs as runs_store
from ferbook.learning.configs import Config
from ferbook.learning.runs import RunResult

#: Names that any file system keeps apart.
_SAFE = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_Part = Mapping[str, Any]


def description(paper: str) -> Path:
    """Where the sweeps of a paper are described."""
    return paths.project_root() / "data" / "sweeps" / f"{paper}.yml"


def runs(path: Path) -> dict[str, Config]:
    """All runs of a description, by name, in the order in which they should run.

    That is by seed first, so that of a sweep that was interrupted the runs that exist can be compared.

    Raises
    ------
    ConfigError: naming file, group and field, for whatever is unknown, invalid or ambiguous.
    """
    content = _mapping(read_description(path, "sweep", "a description of sweeps"), str(path))
    _check_keys(content, {"short", "bases", "groups"}, str(path))
    bases, short = _mapping(content.get("bases", {}), f"{path}: bases"), content.get("short", {})
    found: dict[str, Config] = {}
    for group, entry in _mapping(content.get("groups"), f"{path}: groups").items():
        where = f"{path}: {group}"
        _check_name(group, where)
        _check_keys(_mapping(entry, where), {"base", "vary"}, where)
        base = _base(entry.get("base", {}), bases, where)
        found |= _expand(group, base, _axes(entry.get("vary", {}), _mapping(short, f"{path}: short"), where), where)
    return dict(sorted(found.items(), key=lambda named: named[1].seed))


def chosen(found: Mapping[str, Config], group: str | None = None) -> dict[str, Config]:
    """The runs of one group, or all.

    Raises
    ------
    ConfigError: if there is no such group.
    """
    groups = sorted({_group(name) for name in found})
    if group is not None and group not in groups:
        raise ConfigError("group", f"there is no {group!r}", f"There are: {', '.join(groups)}.")
    return {name: config for name, config in found.items() if group in (None, _group(name))}


def record_path(paper: str, name: str) -> Path:
    """Where the run `name` of a paper is recorded."""
    return records.path_of(f"{paper}/runs/{name}")


def record(path: Path, config: Config, train: Callable[[Config], RunResult]) -> RunResult:
    """The run's result: what `path` holds, if that was made from the same config; otherwise trained and written there.

    Parameters
    ----------
    path: of the record, a JSON file that holds the fields of a ``RunResult``.
    config: the run.
    train: makes the result of a config; ``training.train``.

    Raises
    ------
    DataError: if `path` holds something else than a record.
    """
    if path.is_file():
        stored = read(path)
        if _made_from(stored, config):
            return stored
    result = train(config)
    records.write_json(path, asdict(result))
    return result


def is_recorded(path: Path, config: Config) -> bool:
    """Whether `path` holds the record of this very run. Raises DataError as :func:`read`."""
    return path.is_file() and _made_from(read(path), config)


def read(path: Path) -> RunResult:
    """A recorded run.

    Raises
    ------
    DataError: if the file is missing or is no record.
    """
    try:
        return RunResult(**bounded_files.read_json(path))
    except FileNotFoundError:
        raise DataError("no such run is recorded", path, hint="`ferbook sweep` makes it.") from None
    except (ValueError, TypeError) as error:
        raise DataError(f"is not a recorded run ({error})", path, hint="Restore it, or delete it and run it.") from None


def read_config(what: str) -> Config:
    """The config that `what` says.

    Parameters
    ----------
    what: a config as JSON text; the path of a ``.json`` file with a config or a record, from the project's folder
        where it is relative and not found; or a described run's name after its paper's, ``002/nhot/ordinary-n3-seed0``.

    Raises
    ------
    ConfigError: naming what is wrong.
    """
    if what.lstrip().startswith("{"):
        try:
            return configs.parse(bounded_files.parse_json(what))
        except ValueError as error:
            raise ConfigError("config", f"is not JSON ({error})") from None
    if what.endswith(".json"):
        path = _json_path(what)
        return configs.parse(read(path).config) if _is_record(path) else configs.read(path)
    paper, _, name = what.partition("/")
    described = runs(description(paper))
    if name not in described:
        raise ConfigError("config", f"{description(paper)} has no run {name!r}", "`ferbook sweep --list` names them.")
    return described[name]


def read_record(what: str) -> RunResult | None:
    """The record that `what` names as :func:`read_config` takes it; None where it is a mere config."""
    if what.lstrip().startswith("{"):
        return None
    path = _json_path(what) if what.endswith(".json") else record_path(*what.split("/", 1))
    return read(path) if _is_record(path) else None


def differences(one: RunResult, other: RunResult) -> list[str]:
    """Names of the metrics and curves that are not the same to the last digit."""
    pair = [json.loads(json.dumps(asdict(result))) for result in (one, other)]
    metrics, curves = ([result[part] for result in pair] for part in ("metrics", "history"))
    found = [name for name in metrics[0] | metrics[1] if metrics[0].get(name) != metrics[1].get(name)]
    return found + ["history"] * (curves[0] != curves[1])


def _json_path(what: str) -> Path:
    return Path(what) if Path(what).is_file() else paths.project_root() / what


def _is_record(path: Path) -> bool:
    try:
        content = bounded_files.read_json(path)
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and {"config", "metrics"} <= set(content)


def load(paper: str, group: str, *, orphans: bool = False) -> dict[str, RunResult]:
    """The recorded runs of a group, by the part of their names after the group, in the description's order.

    Runs that the description names and nobody has recorded yet are left out.

    Parameters
    ----------
    paper: as ``002``.
    group: of the paper's description.
    orphans: give also records that the description does not name (any more), or names with another config.

    Raises
    ------
    ConfigError: if there is no such group.
    DataError: if a record is unreadable, or an orphan and not asked for.
    """
    described = chosen(runs(description(paper)), group)
    kept = {}
    for name, config in described.items():
        path = record_path(paper, name)
        if path.is_file():
            kept[name.partition("/")[2]] = stored = read(path)
            if not orphans and not _made_from(stored, config):
                _refuse(path, f"was made from another config than {description(paper).name} describes")
    folder = record_path(paper, group).with_suffix("")
    for path in sorted(folder.glob("*.json")):
        if f"{group}/{path.stem}" not in described:
            if not orphans:
                _refuse(path, f"is a run that {description(paper).name} does not describe")
            kept[path.stem] = read(path)
    return kept


@cache
def loaded(paper: str, group: str) -> Mapping[str, RunResult]:
    """As :func:`load`, but read only once: for claims, many of which ask the same runs."""
    return load(paper, group)


def predictions(paper: str, group: str, store: Path | None = None) -> dict[str, dict[str, np.ndarray]]:
    """What each recorded run of a group said of its test faces (``Run.predictions``), by name as in :func:`load`.

    Parameters
    ----------
    store: the folder of runs in which they were made; default ``_build/runs``.

    Raises
    ------
    DataError: as :func:`load`; if a run's predictions are not in the store.
    """
    found = {}
    for name, result in load(paper, group).items():
        run = runs_store.run_of(configs.parse(result.config), store)
        if not (run.folder / "predictions.npz").is_file():
            hint = f"`ferbook train {paper}/{group}/{name} --store {run.folder.parent}` makes them again."
            raise DataError("the predictions of a recorded run are missing", run.folder, hint=hint)
        found[name] = run.predictions()
    return found


def _refuse(path: Path, problem: str) -> None:
    raise DataError(f"{problem} (an orphaned run)", path, hint="Delete it, or restore the description that made it.")


def _made_from(stored: RunResult, config: Config) -> bool:
    try:
        return configs.parse(stored.config).hash == config.hash
    except ConfigError:
        return False


def _group(name: str) -> str:
    return name.partition("/")[0]


def _expand(group: str, base: _Part, axes: Sequence[Mapping[str, _Part]], where: str) -> dict[str, Config]:
    found: dict[str, Config] = {}
    by_hash: dict[str, str] = {}
    for combination in itertools.product(*(axis.items() for axis in axes)):
        name = f"{group}/{'-'.join(label for label, _ in combination) or 'run'}"
        content = base
        for _, part in combination:
            content = merged(content, part)
        try:
            config = configs.parse(content)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error.field}", f"{error} Run {name}") from None
        if name in found:
            raise ConfigError(where, f"two runs are called {name}", "Label their values differently.")
        twin = by_hash.setdefault(config.hash, name)
        if twin != name:
            raise ConfigError(where, f"{twin} and {name} are the same run", "A later axis may undo an earlier one.")
        found[name] = config
    return found


def merged(base: _Part, part: _Part) -> dict[str, Any]:
    """`part` over `base`, mappings field by field, everything else as a whole.

    ``options`` belong to a ``name``: where `part` gives another one, those of `base` do not stay.
    """
    result = dict(base)
    if "name" in part and part["name"] != base.get("name"):
        result.pop("options", None)
    for key, value in part.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def _base(entry: object, bases: _Part, where: str, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """A base in full: by name, or written out, what it extends included."""
    if isinstance(entry, str):
        if entry not in bases:
            raise ConfigError(f"{where}: base", f"there is no {entry!r}", f"There are: {', '.join(bases) or 'none'}.")
        if entry in seen:
            raise ConfigError(f"{where}: base", f"{' extends '.join([*seen, entry])}", "That never ends.")
        return _base(_mapping(bases[entry], f"{where}: base {entry}"), bases, where, (*seen, entry))
    content = dict(_mapping(entry, f"{where}: base"))
    extended = content.pop("extend", None)
    return content if extended is None else merged(_base(extended, bases, where, seen), content)


def _axes(vary: object, short: _Part, where: str) -> Iterator[dict[str, _Part]]:
    """Each axis as label -> part of a config."""
    for path, values in _mapping(vary, f"{where}: vary").items():
        place = f"{where}: {path}"
        if isinstance(values, Mapping) and values:
            axis = [(str(label), _mapping(part, f"{place}: {label}")) for label, part in values.items()]
        elif isinstance(values, list) and values:
            axis = [(_label(path, value, short, place), _nested(path, value)) for value in values]
        else:
            raise ConfigError(place, "varies over nothing", "Give a list of values, or labels with parts of a config.")
        for label, times in Counter(label for label, _ in axis).items():
            _check_name(label, place)
            if times > 1:
                raise ConfigError(place, f"{label!r} stands {times} times")
        yield dict(axis)


def _label(path: str, value: object, short: _Part, place: str) -> str:
    """A value's part of a run's name."""
    field = str(short.get(path, path.rpartition(".")[2]))
    if isinstance(value, bool) or value is None:
        return f"{field}-{str(value).lower()}"
    if isinstance(value, int | float):
        return f"{field}{value:.10g}"
    if isinstance(value, str):
        return value
    raise ConfigError(place, f"{value!r} makes no name", "Vary labelled parts of a config instead.")


def _nested(path: str, value: object) -> dict[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value  # type: ignore[return-value]


def _mapping(content: object, where: str) -> _Part:
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        raise ConfigError(where, f"is {content!r} and should map names to values", "See ferbook.learning.sweeps.")
    return content


def _check_keys(content: _Part, known: set[str], where: str) -> None:
    if unknown := sorted(set(content) - known):
        raise ConfigError(where, f"{unknown[0]!r} is unknown", f"Known: {', '.join(sorted(known))}.")


def _check_name(name: str, where: str) -> None:
    if not _SAFE.fullmatch(name):
        problem = f"{name!r} cannot be part of a file's name here"
        raise ConfigError(where, problem, "Use small letters, digits, and _ . - after the first.")


def read_description(path: Path, kind: str, is_a: str) -> object:
    """The content of a YAML file that describes runs; `kind` and `is_a` name it in errors: "queue", "a queue".

    Raises
    ------
    ConfigError: if the file is missing or is no YAML.
    """
    try:
        return bounded_files.read_yaml(path)
    except FileNotFoundError:
        raise ConfigError(kind, f"there is no file {path}") from None
    except ValueError as error:
        raise ConfigError(str(path), f"is not {is_a} ({error})") from None
