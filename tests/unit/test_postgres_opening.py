"""Opening a PostgreSQL database that cannot be opened: what the operator is told, and what is never told."""

import logging
import sys

import pytest

from understudy.storage import postgres_migrations
from understudy.storage.cannot_open import CannotOpen
from understudy.storage.postgres_link import Address
from understudy.storage.postgres_opening import open_postgres

AWAY = "postgresql://user:{0}@127.0.0.1:1/understudy"


async def refusal_of(url, **how):
    with pytest.raises(CannotOpen) as refused:
        await open_postgres(url, **how)
    assert refused.value.__cause__ is None or "asyncpg" in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        AWAY.format("s3cret"),
        AWAY.format("s3cret%40x"),
        "postgresql://user:s3cret@127.0.0.1:port/understudy",
        "postgresql://user:s3cret@127.0.0.1:99999/understudy",
        "postgresql://user:s3cret@[::1/understudy",
        "postgresql://user@127.0.0.1:1/understudy?password=s3cret",
        "postgresql://user:s3cret@127.0.0.1:1/understudy?sslmode=s3cret",
        "postgresql://user:s3cret@nowhere.invalid/understudy",
        "mysql://user:s3cret@127.0.0.1/understudy",
    ],
)
async def test_a_password_is_never_told(url, caplog):
    caplog.set_level(logging.DEBUG)
    told = await refusal_of(url)
    assert "s3cret" not in told + caplog.text + repr(Address(url)) + Address(url).shown


async def test_a_server_that_is_away_is_named():
    told = await refusal_of(AWAY.format("x"))
    assert told.startswith("cannot open the database postgresql://user@127.0.0.1:1/understudy: ")


async def test_a_database_that_is_not_there_is_named(postgres):
    assert "does not exist" in await refusal_of(postgres.url("unknown"))


async def test_a_user_who_is_not_known_is_told(postgres):
    assert "nobody" in await refusal_of(postgres.url().replace("postgres@", "nobody@"))


async def test_a_server_that_is_too_old_is_told(postgres, monkeypatch):
    monkeypatch.setattr(postgres_migrations, "POSTGRES_LEAST", 99)
    assert "the oldest that serves is 99" in await refusal_of(postgres.url())


async def test_a_database_of_another_encoding_is_told(postgres):
    postgres.sql("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
    assert "prompts need UTF8" in await refusal_of(postgres.url("ascii"))
    postgres.drop("ascii")


async def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    assert "understudy[postgres]" in await refusal_of(AWAY.format("x"))


async def test_empty_tables_that_may_not_be_made_are_told(postgres):
    assert "let it migrate them" in await refusal_of(postgres.url("template1"), migrates=False)
