"""A mapping over another: the draft that a refusal throws away."""

from collections.abc import Iterator
from typing import Final, Generic, TypeVar, cast

Key = TypeVar("Key")
Value = TypeVar("Value")

_GONE: Final = object()


class Layer(Generic[Key, Value]):
    """A mapping over another: what is set here hides what is below, and nothing below changes until `fold`."""

    def __init__(self, below: "Layer[Key, Value] | None" = None) -> None:
        self._below = below
        self._own: dict[Key, Value | object] = {}

    def get(self, key: Key) -> Value | None:
        """The value under `key`, from here or from below."""
        layer: Layer[Key, Value] | None = self
        while layer is not None:
            if key in layer._own:
                found = layer._own[key]
                return None if found is _GONE else cast("Value", found)
            layer = layer._below
        return None

    def set(self, key: Key, value: Value) -> None:
        """Put a value here."""
        self._own[key] = value

    def drop(self, key: Key) -> None:
        """Take a key away, here and from what shows of below."""
        if self._below is None:
            self._own.pop(key, None)
        else:
            self._own[key] = _GONE

    def items(self) -> Iterator[tuple[Key, Value]]:
        """All that shows, in the order in which keys first came."""
        merged: dict[Key, Value | object] = {}
        layers: list[Layer[Key, Value]] = []
        layer: Layer[Key, Value] | None = self
        while layer is not None:
            layers.append(layer)
            layer = layer._below
        for each in reversed(layers):
            merged.update(each._own)
        return ((key, cast("Value", value)) for key, value in merged.items() if value is not _GONE)

    def values(self) -> Iterator[Value]:
        """All values that show."""
        return (value for _, value in self.items())

    def __eq__(self, other: object) -> bool:
        """Two layers are equal when they show the same, whatever lies below."""
        if not isinstance(other, Layer):
            return NotImplemented
        theirs = cast("Layer[object, object]", other)
        return dict(self.items()) == dict(theirs.items())

    __hash__ = None  # pyright: ignore[reportAssignmentType] - it changes

    def own(self) -> Iterator[Key]:
        """The keys that were touched here."""
        return iter(self._own)

    def over(self) -> "Layer[Key, Value]":
        """A new layer on top of this one."""
        return Layer(self)

    def fold(self) -> None:
        """Write what stands here into the layer below."""
        below = self._below
        assert below is not None, "nothing below to fold into"
        for key, value in self._own.items():
            if value is _GONE:
                below.drop(key)
            else:
                below.set(key, cast("Value", value))
        self._own.clear()
