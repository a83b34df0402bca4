"""The stores on PostgreSQL pass the public suites."""

from contextlib import asynccontextmanager

import pytest

from understudy.storage.postgres_opening import open_postgres
from understudy.testing import asset_stores, media_stores
from understudy.testing.asset_stores import AssetStoreConformance
from understudy.testing.media_stores import MediaStoreConformance
from understudy.testing.stores import StoreConformance


class OnPostgres:
    @pytest.fixture(autouse=True)
    def database(self, emptied_postgres_url):
        self.url = emptied_postgres_url

    async def make(self, folder):
        return await open_postgres(self.url, is_clock_ours=True)


class TestPostgresTaskStore(OnPostgres, StoreConformance):
    pass


class TestPostgresMediaStore(OnPostgres, MediaStoreConformance):
    @asynccontextmanager
    async def opened(self, folder):
        tasks = await self.make(folder)
        yield media_stores.Stores(media=tasks.media, tasks=tasks)
        await tasks.close()


class TestPostgresAssetStore(OnPostgres, AssetStoreConformance):
    @asynccontextmanager
    async def opened(self, folder):
        tasks = await self.make(folder)
        yield asset_stores.Stores(tasks.assets, tasks.media)
        await tasks.close()
