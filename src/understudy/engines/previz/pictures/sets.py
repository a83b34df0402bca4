"""One builder per kind of setting."""

from collections.abc import Callable

from understudy.engines.previz.pictures import sets_aloft, sets_inside, sets_lit, sets_open, sets_town, sets_water
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.plan import SettingKind

BUILDERS: dict[SettingKind, Callable[[Stagehand], SceneSet]] = {
    SettingKind.MEADOW: sets_open.meadow,
    SettingKind.GARDEN: sets_open.garden,
    SettingKind.COURTYARD: sets_town.courtyard,
    SettingKind.FOREST: sets_open.forest,
    SettingKind.MOUNTAINS: sets_open.peaks,
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
    SettingKind.CANYON: sets_open.desert,
    SettingKind.VOLCANO: sets_open.peaks,
    SettingKind.ISLAND: sets_water.beach,
    SettingKind.JUNGLE: sets_open.forest,
    SettingKind.MARS: sets_open.desert,
    SettingKind.MOON: sets_open.desert,
    SettingKind.CAVE: sets_open.desert,
    SettingKind.TEMPLE: sets_town.courtyard,
    SettingKind.CASTLE: sets_town.courtyard,
    SettingKind.MARKET: sets_town.street,
    SettingKind.ROOFTOP: sets_town.city,
    SettingKind.STADIUM: sets_lit.stage_set,
    SettingKind.RESTAURANT: sets_inside.kitchen,
    SettingKind.CLASSROOM: sets_inside.office,
    SettingKind.LIBRARY: sets_inside.office,
    SettingKind.BEDROOM: sets_inside.room,
    SettingKind.TRAIN: sets_inside.room,
    SettingKind.SPACESHIP: sets_inside.office,
}


def build_set(stagehand: Stagehand) -> SceneSet:
    """Build the film's setting."""
    return BUILDERS[stagehand.setting](stagehand)
