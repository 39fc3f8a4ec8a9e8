"""A mapping that keeps its past, over another: the draft that a refusal throws away, the book as it stood once."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast

from flows.versions import Ended, Kept, Past, Unlisted, Versions

Key = TypeVar("Key")
Value = TypeVar("Value")


def _always(_: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Written(Generic[Value]):
    """What one entry wrote under a key: a value, or that nothing stands there any more."""

    value: Value | None


class Layer(Generic[Key, Value]):
    """A mapping over another. Each value is set by an entry, and what stood before it is kept.

    What is set here hides what is below, and nothing below changes until `fold`. `listed` says which values `items` and
    `values` list: the others are closed, and found by their key only.
    """

    def __init__(self, below: "Layer[Key, Value] | None" = None, *, listed: Callable[[Value], bool] = _always) -> None:
        self._below: Final = below
        self._listed: Final = listed
        self._own: dict[Key, Versions[Value]] = {}
        self._ended: dict[Key, list[Ended[Value]]] = {}
        self._shown: dict[Key, Value] = {}
        self._bound: int | None = None
        self._known: int | None = None
        self._kept: Kept[Key, Value] | None = None
        self._unlisted: Unlisted[Key, Value] | None = None

    def stand_on(self, kept: Kept[Key, Value]) -> None:
        """Begin with what was kept."""
        assert self._below is None, "a draft stands on a layer"
        assert not self._own, "it has begun"
        self._kept, self._unlisted = kept, Unlisted(kept)

    # looking up -------------------------------------------------------------------------------------------------

    def get(self, key: Key) -> Value | None:
        """The value under `key`, from here or from below."""
        layer: Layer[Key, Value] | None = self
        bound: int | None = None
        while layer is not None:
            if layer._known is not None:
                return layer._as_known(key, bound)
            versions = layer._own.get(key)
            if versions is None and layer._kept is not None:
                versions = layer._kept_past(key)
            if versions is not None:
                number = versions.number(bound)
                if number:
                    return versions.values[number - 1]
                if versions.whole:
                    return None
            if layer._bound is not None:
                bound = layer._bound if bound is None else min(bound, layer._bound)
            layer = layer._below
        return None

    def _find(self, key: Key) -> Versions[Value] | None:
        """What was written under a key in this layer itself."""
        versions = self._own.get(key)
        return self._kept_past(key) if versions is None and self._kept is not None else versions

    def _kept_past(self, key: Key) -> Versions[Value] | None:
        """What was kept of a key; from now on it stands in memory."""
        past = self._kept.find(key) if self._kept is not None else None
        if past is None:
            return None
        if past.ended:
            self._ended.setdefault(key, past.ended)
        return self._own.setdefault(key, past.versions)

    def _as_known(self, key: Key, bound: int | None) -> Value | None:
        """The value as it was known at a position: no correction that came later has touched it."""
        known, below = self._known, self._below
        assert known is not None
        assert below is not None, "a view stands on what it views"
        bound = known + 1 if bound is None else min(bound, known + 1)
        versions = below.past(key, known)
        number = versions.number(bound)
        return versions.values[number - 1] if number else None

    def past(self, key: Key, known: int | None = None) -> Versions[Value]:
        """All versions of a key, as read now or as they were read at a position; through a view, what it knows of them."""
        if self._known is not None:
            known = self._known if known is None else min(known, self._known)
        own = self._find(key)
        if known is not None:
            for until, versions in self._ended.get(key, ()):
                if until > known:
                    return versions
        if self._below is None or (own is not None and own.whole):
            return Versions(whole=True) if own is None else own
        below = self._below.past(key, known)
        if self._known is not None:
            below = below.until(self._known)
        if own is None:
            return below
        return Versions(below.positions + own.positions, below.values + own.values, whole=True)

    def rewritten(self, key: Key) -> list[int]:
        """The positions of the corrections that wrote the past of a key anew, as far as they are known here, in order."""
        _ = self._find(key)
        found = {until for until, _ in self._ended.get(key, ())}
        if self._below is not None:
            found.update(self._below.rewritten(key))
        return sorted(each for each in found if self._known is None or each <= self._known)

    def own_written(self, key: Key) -> Written[Value] | None:
        """What was written last under a key in this draft itself."""
        versions = self._own.get(key)
        return Written(versions.values[-1]) if versions is not None and versions.values else None

    def next_written(self, key: Key, position: int) -> int | None:
        """The next entry behind a position that wrote under a key."""
        positions = self.past(key).positions
        number = bisect_right(positions, position)
        return positions[number] if number < len(positions) else None

    def changes(self, after: int, until: int) -> dict[Key, list[int]]:
        """The keys that entries behind one position and up to another wrote, or had earlier ones write otherwise: with
        those entries, in order.
        """
        found: dict[Key, list[int]] = {}
        for key in self._kept.behind(after) if self._kept is not None else ():
            _ = self._find(key)
        for key, versions in list(self._own.items()):
            ended = self._ended.get(key, ())
            if not ended and (not versions.positions or versions.positions[-1] <= after):
                continue
            positions = self.past(key, until).positions
            written = positions[bisect_right(positions, after) : bisect_right(positions, until)]
            told = sorted({*written, *(position for position, _ in ended if after < position <= until)})
            if told:
                found[key] = told
        return found

    def items(self) -> Iterator[tuple[Key, Value]]:
        """All that shows and is listed, in the order in which keys first came."""
        if self._known is not None or self._bound is not None:
            keys = self.keys()
            pairs = ((key, self.get(key)) for key in keys)
            return ((key, value) for key, value in pairs if value is not None and self._listed(value))
        if self._below is None:
            if self._unlisted is not None:
                self._list(self._unlisted)
            return iter(list(self._shown.items()))
        merged = dict(self._below.items())
        for key, versions in self._own.items():
            value = versions.values[-1] if versions.values else None
            if value is None or not self._listed(value):
                merged.pop(key, None)
            else:
                merged[key] = value
        return iter(merged.items())

    def values(self) -> Iterator[Value]:
        """All values that show and are listed."""
        return (value for _, value in self.items())

    def every(self) -> Iterator[Value]:
        """All values that show, also those that are not listed."""
        return (value for key in self.keys() if (value := self.get(key)) is not None)

    def keys(self) -> list[Key]:
        """Every key that was ever written, here or below."""
        merged: dict[Key, None] = {}
        layers: list[Layer[Key, Value]] = []
        layer: Layer[Key, Value] | None = self
        while layer is not None:
            layers.append(layer)
            layer = layer._below
        for each in reversed(layers):
            if each._kept is not None:
                merged.update(dict.fromkeys(each._kept.keys()))
            merged.update(dict.fromkeys(each._own))
        return list(merged)

    def __eq__(self, other: object) -> bool:
        """Two layers are equal when they show and list the same, whatever lies below."""
        if not isinstance(other, Layer):
            return NotImplemented
        theirs = cast("Layer[object, object]", other)
        return dict(self.items()) == dict(theirs.items())

    __hash__ = None  # pyright: ignore[reportAssignmentType] - it changes

    # writing ----------------------------------------------------------------------------------------------------

    def set(self, key: Key, value: Value, position: int) -> None:
        """What an entry puts under a key."""
        self._put(key, value, position)

    def drop(self, key: Key, position: int) -> None:
        """From an entry on nothing stands under a key."""
        self._put(key, None, position)

    def _put(self, key: Key, value: Value | None, position: int) -> None:
        versions = self._find(key)
        if versions is None:
            versions = self._own[key] = Versions()
        versions.put(position, value)
        self._show(key, versions)

    def _show(self, key: Key, versions: Versions[Value]) -> None:
        """Only the ground keeps a list: a draft is read through."""
        if self._below is not None:
            return
        value = versions.values[-1] if versions.values else None
        if value is not None and not self._listed(value):
            value = None
        unlisted = self._unlisted
        if unlisted is None or not unlisted.note(key, value):
            if value is None:
                self._shown.pop(key, None)
            else:
                self._shown[key] = value

    def _list(self, unlisted: "Unlisted[Key, Value]") -> None:
        """Look up what was listed when the layer was kept. Whoever writes meanwhile goes on."""
        found = {key: value for key in unlisted.kept.shown() if (value := self.get(key)) is not None}
        with unlisted.lock:
            if self._unlisted is not None:
                self._shown = unlisted.over(found)
                self._unlisted = None

    def rewrite(self, key: Key, position: int, written: Written[Value] | None, *, until: int) -> None:
        """Read an earlier entry as having written this, or nothing; the correction at `until` says so.

        What stood before stays known to whoever asks as of a position before the correction.
        """
        old = self.past(key)
        ended = self._ended.setdefault(key, [])
        if not ended or ended[-1][0] != until:
            ended.append((until, old.copy()))
            versions = old.copy()
            versions.whole = True
            self._own[key] = versions
        versions = self._own[key]
        if written is None:
            number = bisect_left(versions.positions, position)
            del versions.positions[number], versions.values[number]
        else:
            versions.put(position, written.value)
        self._show(key, versions)

    # drafts and views -------------------------------------------------------------------------------------------

    def own(self) -> Iterator[Key]:
        """The keys that were touched here."""
        return iter(self._own)

    def own_pasts(self) -> Iterator[tuple[Key, Past[Value]]]:
        """What stands in memory: all of it, or what was looked up or written since this layer was kept."""
        return ((key, Past(versions, self._ended.get(key, []))) for key, versions in list(self._own.items()))

    def own_past(self, key: Key) -> Past[Value] | None:
        """What was written under a key in this layer itself."""
        versions = self._find(key)
        return None if versions is None else Past(versions, self._ended.get(key, []))

    @property
    def kept(self) -> Kept[Key, Value] | None:
        """What this layer began with."""
        return self._kept

    def listed(self) -> list[Key]:
        """The keys of `items`, without looking their values up."""
        if self._unlisted is None:
            return [key for key, _ in self.items()]
        return self._unlisted.listed()

    def over(self) -> "Layer[Key, Value]":
        """A new layer on top of this one."""
        return type(self)(self, listed=self._listed)

    def before(self, position: int) -> "Layer[Key, Value]":
        """A new layer on this one as the entries before a position had left it, as they are read now."""
        layer = self.over()
        layer._bound = position
        return layer

    def as_of(self, position: int) -> "Layer[Key, Value]":
        """This layer as it was known at a position: later entries have not come, later corrections change nothing."""
        layer = self.over()
        layer._known = position
        return layer

    def fold(self) -> None:
        """Write what stands here into the layer below."""
        below = self._below
        assert below is not None, "nothing below to fold into"
        for key, ended in self._ended.items():
            _ = below._find(key)
            below._ended.setdefault(key, []).extend(ended)
        for key, versions in self._own.items():
            known = below._find(key)
            if versions.whole or known is None:
                kept = below._own[key] = versions
                kept.whole = versions.whole or below._below is None
            else:
                kept = known
                kept.values += versions.values
                kept.positions += versions.positions
            below._show(key, kept)
        self._own, self._ended = {}, {}
