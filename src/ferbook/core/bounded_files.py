"""Plain data in files: YAML and JSON that hold nothing but values, read within bounds.

A file from elsewhere may try to run code, to unfold into gigabytes, or to nest until the reader falls over. None of
this is data, so it is refused before anything is built from it.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

#: Bytes of the largest file that is read; the longest of this book's own has a hundredth of them.
LARGEST = 32 * 2**20
#: Levels of lists and mappings within each other; this book's own files have nine.
DEEPEST = 40
#: Values in a YAML file once its references (``*name``) are written out.
MOST_NODES = 1_000_000


class _Unique(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Safe YAML that refuses the same key twice, of which only the last would count."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for key, times in Counter(map(str, keys)).items():
        if times > 1:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands {times} times", node.start_mark)
    return dict(zip(keys, (loader.construct_object(value, deep=True) for _, value in node.value), strict=True))


_Unique.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> Any:
    """What a YAML file holds: lists, mappings, texts and numbers.

    Raises
    ------
    FileNotFoundError: if there is no such file.
    ValueError: if it is not YAML, is too large or too deep, repeats a key, holds references that unfold without bound,
        or names a type of its own; says where.
    """
    text = _text(path)
    try:
        _check_events(text)
        return yaml.load(text, Loader=_Unique)
    except (yaml.YAMLError, TypeError) as error:
        # A list as a key is a TypeError.
        raise ValueError(" ".join(str(error).split())) from None


def _check_events(text: str) -> None:
    """Refuse what must not be built. Events come one by one and are not nested, however deep what they describe is."""
    # Nodes below each open collection, a reference counting as much as what it refers to; outermost first.
    counts, anchors = [0], {}
    names: list[str | None] = []
    for event in yaml.parse(text, Loader=_Unique):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.CollectionStartEvent):
            counts.append(0)
            names.append(event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            counts[-2] += 1 + counts[-1]
            anchors[names.pop()] = 1 + counts.pop()
        elif isinstance(event, yaml.AliasEvent):
            counts[-1] += anchors.get(event.anchor, 1)
        elif isinstance(event, yaml.ScalarEvent):
            counts[-1] += 1
        if len(names) > DEEPEST:
            raise ValueError(f"line {line} is nested more than {DEEPEST} levels deep")
        if counts[-1] > MOST_NODES:
            raise ValueError(f"line {line}: written out it would hold more than {MOST_NODES:,} values")


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises
    ------
    FileNotFoundError: if there is no such file.
    ValueError: if it is not JSON, or too large or too deep; says where.
    """
    return parse_json(_text(path))


def parse_json(text: str) -> Any:
    """What a JSON text says. Raises ValueError as :func:`read_json`."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if not path.is_file():
            # Opening a pipe would wait for ever.
            raise ValueError("it is no file")
        if size > LARGEST:
            raise ValueError(f"{size:,} bytes are more than any such file has")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}") from None
