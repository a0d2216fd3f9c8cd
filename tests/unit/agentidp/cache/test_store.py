"""Store: what its index has after a list and a watch, and what it tells of changes."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, cast

from hypothesis import given
from hypothesis import strategies as st

from agentidp.cache.store import IndexedStore, KeyedIndex
from agentidp.domain.resources import ObjectRef
from agentidp.kube.pager import Pager


class Item(NamedTuple):
    """A thing with a name."""

    name: str
    value: int


class ItemIndex(KeyedIndex[str, Item]):
    """Things by their names."""

    def key(self, item: Item, /) -> str:
        """The name."""
        return item.name

    def key_of(self, reference: ObjectRef) -> str:
        """The name of an object."""
        return reference.name


class Pages:
    """A list in pages."""

    def __init__(self, *pages: Sequence[Item]) -> None:
        self._pages = pages

    async def __aiter__(self) -> AsyncIterator[Sequence[Item]]:
        for page in self._pages:
            yield page


def store_of(*items: Item) -> tuple[IndexedStore[Item, ItemIndex], list[Item]]:
    """A store with these items, and the changes that it tells from now on."""
    changes: list[Item] = []
    store = IndexedStore(ItemIndex(), changes.append)
    for item in items:
        store.put(item)
    changes.clear()
    return store, changes


async def test_store_has_after_a_list_what_is_on_it() -> None:
    """It tells what is new, changed or gone, and keeps the very object of what is unchanged."""
    same, gone = Item("a", 1), Item("c", 1)
    store, changes = store_of(same, Item("b", 1), gone)
    await store.replace(cast("Pager[Item]", Pages([Item("a", 1), Item("b", 2)], [Item("d", 1)])))
    assert set(store.table) == {Item("a", 1), Item("b", 2), Item("d", 1)}
    assert store.table.get("a") is same
    assert changes == [Item("b", 2), Item("d", 1), gone]


async def test_store_keeps_what_comes_while_it_takes_over_a_list() -> None:
    """An answer to the program's own write may be newer than the list."""
    store, _ = store_of()

    class PagesWithWrite(Pages):
        async def __aiter__(self) -> AsyncIterator[Sequence[Item]]:
            yield [Item("a", 1)]
            store.put(Item("written", 1))

    await store.replace(cast("Pager[Item]", PagesWithWrite()))
    assert set(store.table) == {Item("a", 1), Item("written", 1)}


@given(st.lists(st.tuples(st.sampled_from(["put", "remove"]), st.sampled_from("abc"), st.integers(1, 2)), max_size=30))
def test_store_tells_each_change_once(operations: list[tuple[str, str, int]]) -> None:
    """Against a dict: an equal item is no change, nor is the removal of what is not there."""
    store, changes = store_of()
    expected, told = dict[str, Item](), list[Item]()
    for operation, name, value in operations:
        item = Item(name, value)
        if operation == "put":
            store.put(item)
            told += [item] if expected.get(name) != item else []
            expected[name] = item
        else:
            store.remove(ObjectRef(name=name))
            told += [expected.pop(name)] if name in expected else []
    assert store.table.by_key() == expected
    assert len(store.table) == len(expected)
    assert changes == told
