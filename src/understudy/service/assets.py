"""The library of assets: registering groups and assets, showing them, and putting them into requests by id.

An asset is replaced by its address before the task is stored, so that a task means the same however the library changes
while it waits.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from understudy.core.assets import (
    ASSET_PREFIX,
    GROUP_PREFIX,
    Asset,
    AssetGroup,
    AssetLimits,
    AssetStatus,
    AssetStore,
    NewAsset,
    NewGroup,
    asset_cannot_be_used,
    broken_by_asset,
    broken_by_group,
    not_registered,
    referenced_assets,
    too_many_assets,
)
from understudy.core.errors import NotFound, Rejected, Unavailable, Violation
from understudy.core.ports import Clock, IdTaken, Randomness
from understudy.core.task import Warned
from understudy.dialects.naming import renamed
from understudy.service.judge import Judged

ID_TRIES_MAX = 8
UNCHECKED = Warned(
    param="Status", message="The asset is registered as given: this server has neither fetched nor checked its URL."
)
"""What a client must know of every asset, as long as nothing is probed when it is registered."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetLibrary:
    """Groups and assets of all owners.

    unknown_pass: whether requests may name assets that are not registered here, because an upstream may know them.
    """

    store: AssetStore
    clock: Clock
    randomness: Randomness
    limits: AssetLimits
    unknown_pass: bool

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
        """Store a new asset, active at once, and return it.

        Raises: Rejected (all violations), NotFound for a group that the owner does not have.
        """
        _refuse(broken_by_asset(new, self.limits))

        async def add(stem: str, now: datetime) -> Asset:
            asset = Asset(
                id=ASSET_PREFIX + stem,
                owner=owner,
                group_id=new.group_id,
                name=new.name,
                modality=new.modality,
                url=new.url,
                status=AssetStatus.ACTIVE,
                created_at=now,
                updated_at=now,
            )
            if not await self.store.add_asset(asset):
                raise NotFound(not_registered("GroupId", "asset group", new.group_id))
            return asset

        return await self._with_new_id(add)

    async def get(self, owner: str, asset_id: str) -> Asset:
        """Return the owner's asset.

        Raises: NotFound, whether there is none or it is another owner's.
        """
        found = await self.store.assets(owner, (asset_id,))
        if not found:
            raise NotFound(not_registered("Id", "asset", asset_id))
        return found[0]

    async def with_assets(self, owner: str, judged: Judged, names: Mapping[str, str]) -> Judged:
        """Replace ``asset://ID`` items by the addresses of the owner's assets; what cannot be used is a violation.

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
            elif asset is not None:
                content[index] = replace(content[index], value=asset.url)
        replaced = replace(judged, request=replace(judged.request, content=tuple(content)))
        return _also_broken(replaced, broken, names)

    async def _with_new_id(self, add: Callable[[str, datetime], Awaitable[T]]) -> T:
        """Call ``add`` with the present moment and what follows an id's prefix, until the id is free."""
        now = self.clock.now()
        for _ in range(ID_TRIES_MAX):
            try:
                return await add(f"{now.astimezone(UTC):%Y%m%d%H%M%S}-{self.randomness.task_suffix()}", now)
            except IdTaken:
                continue
        raise Unavailable(Violation("ServiceUnavailable", "", "No free asset id was found, please try again."))


def _refuse(broken: Iterable[Violation]) -> None:
    violations = tuple(broken)
    if violations:
        raise Rejected(*violations)


def _also_broken(judged: Judged, broken: Iterable[Violation], names: Mapping[str, str]) -> Judged:
    return replace(judged, violations=judged.violations + tuple(renamed(each, names) for each in broken))
