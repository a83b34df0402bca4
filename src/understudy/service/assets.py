"""The library of assets: registering groups and assets, showing them, and putting them into requests by id.

An asset is registered at once and taken in afterwards, by `asset_intake`. A request that names it carries its medium
from then on, so that a task means the same however the library changes while it waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar
from weakref import WeakValueDictionary

from understudy.core.assets import (
    ASSET_PREFIX,
    GROUP_PREFIX,
    Asset,
    AssetFilter,
    AssetGroup,
    AssetLimits,
    AssetPage,
    AssetStatus,
    AssetStore,
    GroupFilter,
    GroupPage,
    NewAsset,
    NewGroup,
    Paging,
    asset_cannot_be_used,
    broken_by_asset,
    broken_by_group,
    not_registered,
    referenced_assets,
    too_long,
    too_many_assets,
)
from understudy.core.case import invalid, missing
from understudy.core.errors import NotFound, RateLimited, Rejected, Unavailable, Violation
from understudy.core.media import Origin
from understudy.core.ports import Clock, IdTaken, Randomness
from understudy.dialects.naming import renamed
from understudy.service.judge import Judged

ID_TRIES_MAX = 8
PROCESSING_MOST = 1000
"""Assets of one owner that may be processed at a time: hours of work, and more than any script registers in a burst."""

T = TypeVar("T")


def _nobody_waits() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetLibrary:
    """Groups and assets of all owners.

    unknown_pass: whether requests may name assets that are not registered here, because an upstream may know them.
    wake: tells whoever takes assets in of new ones. naming: held by owner while a group's name is looked for.
    """

    store: AssetStore
    clock: Clock
    randomness: Randomness
    limits: AssetLimits
    unknown_pass: bool
    wake: Callable[[], None] = _nobody_waits
    naming: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def create_group(self, owner: str, new: NewGroup) -> AssetGroup:
        """Store a new group and return it.

        Raises: Rejected (all violations).
        """
        _refuse(broken_by_group(new, self.limits))

        async def add(stem: str, now: datetime) -> AssetGroup:
            group = AssetGroup(
                id=GROUP_PREFIX + stem,
                owner=owner,
                name=new.name,
                description=new.description,
                created_at=now,
                updated_at=now,
            )
            await self.store.add_group(group)
            return group

        return await self._with_new_id(add)

    async def create_asset(self, owner: str, new: NewAsset) -> Asset:
        """Store a new asset, which is taken in soon after, and return it.

        Raises: Rejected (all violations); NotFound for a group that the owner does not have; RateLimited.
        """
        self.check(new)
        waiting = AssetFilter(paging=Paging(most=0), statuses=frozenset({AssetStatus.PROCESSING}))
        if (await self.store.list_assets(owner, waiting)).total >= PROCESSING_MOST:
            message = f"At most {PROCESSING_MOST} assets can be processed at a time, please wait for some of them."
            raise RateLimited(Violation("QuotaExceeded", "", message))

        async def add(stem: str, now: datetime) -> Asset:
            asset = Asset(
                id=new.chosen_id or ASSET_PREFIX + stem,
                owner=owner,
                group_id=new.group_id,
                name=new.name,
                modality=new.modality,
                url=new.url,
                status=AssetStatus.PROCESSING,
                created_at=now,
                updated_at=now,
                upload=new.upload,
                batch=new.batch,
            )
            try:
                if not await self.store.add_asset(asset):
                    raise NotFound(not_registered("GroupId", "asset group", new.group_id))
            except IdTaken:
                if not new.chosen_id:
                    raise
                raise Rejected(invalid("id", f"another asset has the id {new.chosen_id}.")) from None
            return asset

        asset = await self._with_new_id(add)
        self.wake()
        return asset

    def check(self, new: NewAsset) -> None:
        """Refuse an asset that cannot be.

        Raises: Rejected (all violations).
        """
        _refuse(broken_by_asset(new, self.limits))

    async def get(self, owner: str, asset_id: str) -> Asset:
        """Return the owner's asset.

        Raises: NotFound, whether there is none or it is another owner's.
        """
        found = await self.store.assets(owner, (asset_id,))
        if not found:
            raise _no_asset(asset_id)
        return found[0]

    async def list_assets(self, owner: str, wanted: AssetFilter) -> AssetPage:
        """Return a page of the owner's assets."""
        return await self.store.list_assets(owner, wanted)

    async def rename(self, owner: str, asset_id: str, name: str) -> Asset:
        """Give the owner's asset another name.

        Raises: Rejected, NotFound.
        """
        _refuse(too_long("Name", name, self.limits.name_chars_max) if name else (missing("Name"),))
        changed = await self.store.change_asset(owner, asset_id, name=name, now=self.clock.now())
        if changed is None:
            raise _no_asset(asset_id)
        return changed

    async def remove(self, owner: str, asset_id: str) -> None:
        """Remove the owner's asset; tasks that named it keep its medium.

        Raises: NotFound.
        """
        if not await self.store.remove_asset(owner, asset_id):
            raise _no_asset(asset_id)

    async def group(self, owner: str, group_id: str) -> AssetGroup:
        """Return the owner's group.

        Raises: NotFound.
        """
        wanted = GroupFilter(paging=Paging(most=1), group_ids=frozenset({group_id}))
        found = (await self.store.list_groups(owner, wanted)).groups if group_id else ()
        if not found:
            raise _no_group(group_id)
        return found[0]

    async def list_groups(self, owner: str, wanted: GroupFilter) -> GroupPage:
        """Return a page of the owner's groups."""
        return await self.store.list_groups(owner, wanted)

    async def change_group(self, owner: str, group_id: str, *, name: str | None, description: str | None) -> AssetGroup:
        """Give the owner's group another name or description; None leaves it as it is.

        Raises: Rejected, NotFound.
        """
        group = await self.group(owner, group_id)
        said = NewGroup(
            name=group.name if name is None else name,
            description=group.description if description is None else description,
        )
        _refuse(broken_by_group(said, self.limits))
        changed = replace(group, name=said.name, description=said.description, updated_at=self.clock.now())
        if not await self.store.change_group(changed):
            raise _no_group(group_id)
        return changed

    async def remove_group(self, owner: str, group_id: str) -> None:
        """Remove the owner's group with all its assets.

        Raises: NotFound.
        """
        if not await self.store.remove_group(owner, group_id):
            raise _no_group(group_id)

    async def group_named(self, owner: str, name: str) -> AssetGroup:
        """Return the owner's group of just this name or id, the oldest where several have it; made where none has.

        Raises: Rejected for a name that no group can have.
        """
        if name.startswith(GROUP_PREFIX):
            return await self.group(owner, name)
        # One after the other: two requests of the same moment would make two groups.
        async with self.naming.setdefault(owner, asyncio.Lock()):
            return await self._group_named(owner, name)

    async def _group_named(self, owner: str, name: str) -> AssetGroup:
        wanted = GroupFilter(paging=Paging(most=self.limits.page_size_max, is_ascending=True), name=name)
        found = (await self.store.list_groups(owner, wanted)).groups
        same = next((group for group in found if group.name == name), None)
        return same or await self.create_group(owner, NewGroup(name=name, description=""))

    async def batch(self, owner: str, batch: str) -> Sequence[Asset]:
        """Return the assets that the owner registered together."""
        return await self.store.batch(owner, batch)

    async def with_assets(self, owner: str, judged: Judged, names: Mapping[str, str]) -> Judged:
        """Give ``asset://ID`` items the media of the owner's assets; what cannot be used is a violation.

        names: of the parameters, as the request's dialect spells them.
        """
        wanted = referenced_assets(judged.request)
        if not wanted:
            return judged
        ids = tuple(dict.fromkeys(wanted.values()))
        if len(ids) > self.limits.references_max:
            return _also_broken(judged, [too_many_assets(self.limits.references_max)], names)
        known = {asset.id: asset for asset in await self.store.assets(owner, ids)}
        content = list(judged.request.content)
        broken: list[Violation] = []
        for index, asset_id in wanted.items():
            asset = known.get(asset_id)
            if asset is None and self.unknown_pass:
                continue
            violation = asset_cannot_be_used(index, content[index].modality, asset_id, asset=asset)
            if violation is not None:
                broken.append(violation)
            elif asset is not None and asset.medium is not None:
                content[index] = replace(content[index], medium=replace(asset.medium, origin=Origin.ASSET))
        replaced = replace(judged, request=replace(judged.request, content=tuple(content)))
        return _also_broken(replaced, broken, names)

    def new_id(self) -> str:
        """Return an id for an asset of this moment; whether it is free, the store says."""
        return ASSET_PREFIX + self._stem(self.clock.now())

    def _stem(self, now: datetime) -> str:
        return f"{now.astimezone(UTC):%Y%m%d%H%M%S}-{self.randomness.task_suffix()}"

    async def _with_new_id(self, add: Callable[[str, datetime], Awaitable[T]]) -> T:
        """Call ``add`` with the present moment and what follows an id's prefix, until the id is free."""
        now = self.clock.now()
        for _ in range(ID_TRIES_MAX):
            try:
                return await add(self._stem(now), now)
            except IdTaken:
                continue
        raise Unavailable(Violation("ServiceUnavailable", "", "No free asset id was found, please try again."))


def _no_asset(asset_id: str) -> NotFound:
    return NotFound(not_registered("Id", "asset", asset_id))


def _no_group(group_id: str) -> NotFound:
    return NotFound(not_registered("Id", "asset group", group_id))


def _refuse(broken: Iterable[Violation]) -> None:
    violations = tuple(broken)
    if violations:
        raise Rejected(*violations)


def _also_broken(judged: Judged, broken: Iterable[Violation], names: Mapping[str, str]) -> Judged:
    return replace(judged, violations=judged.violations + tuple(renamed(each, names) for each in broken))
