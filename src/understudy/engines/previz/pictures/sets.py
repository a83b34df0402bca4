"""One builder per kind of setting."""

from collections.abc import Callable

from understudy.engines.previz.pictures import (
    sets_aloft,
    sets_inside,
    sets_lit,
    sets_open,
    sets_places,
    sets_rooms,
    sets_town,
    sets_water,
    sets_worlds,
)
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.plan import SettingKind

BUILDERS: dict[SettingKind, Callable[[Stagehand], SceneSet]] = {
    SettingKind.MEADOW: sets_open.meadow,
    SettingKind.GARDEN: sets_open.garden,
    SettingKind.COURTYARD: sets_town.courtyard,
    SettingKind.FOREST: sets_open.forest,
    SettingKind.MOUNTAINS: sets_worlds.mountains,
    SettingKind.DESERT: sets_open.desert,
    SettingKind.BEACH: sets_water.beach,
    SettingKind.SEA: sets_water.sea,
    SettingKind.UNDERWATER: sets_water.underwater,
    SettingKind.HARBOR: sets_water.harbor,
    SettingKind.RIVER: sets_water.river,
    SettingKind.CITY: sets_town.city,
    SettingKind.STREET: sets_town.street,
    SettingKind.ROAD: sets_open.road,
    SettingKind.FARM: sets_open.farm,
    SettingKind.SNOWFIELD: sets_open.snowfield,
    SettingKind.ROOM: sets_inside.room,
    SettingKind.KITCHEN: sets_inside.kitchen,
    SettingKind.OFFICE: sets_inside.office,
    SettingKind.STAGE: sets_lit.stage_set,
    SettingKind.STUDIO: sets_lit.studio,
    SettingKind.SKY: sets_aloft.sky_set,
    SettingKind.SPACE: sets_aloft.space,
    SettingKind.CANYON: sets_worlds.canyon,
    SettingKind.VOLCANO: sets_worlds.volcano,
    SettingKind.ISLAND: sets_worlds.island,
    SettingKind.JUNGLE: sets_worlds.jungle,
    SettingKind.MARS: sets_worlds.mars,
    SettingKind.MOON: sets_worlds.moon,
    SettingKind.CAVE: sets_worlds.cave,
    SettingKind.TEMPLE: sets_places.temple,
    SettingKind.CASTLE: sets_places.castle,
    SettingKind.MARKET: sets_places.market,
    SettingKind.ROOFTOP: sets_places.rooftop,
    SettingKind.STADIUM: sets_places.stadium,
    SettingKind.RESTAURANT: sets_rooms.restaurant,
    SettingKind.CLASSROOM: sets_rooms.classroom,
    SettingKind.LIBRARY: sets_rooms.library,
    SettingKind.BEDROOM: sets_rooms.bedroom,
    SettingKind.TRAIN: sets_rooms.train,
    SettingKind.SPACESHIP: sets_rooms.spaceship,
}


def build_set(stagehand: Stagehand) -> SceneSet:
    """Build the film's setting."""
    return BUILDERS[stagehand.setting](stagehand)
