"""Props: the art that dresses a setting, placed by seed at depths, out of the main subject's way."""

from dataclasses import replace

import cv2
import numpy as np

from understudy.engines.previz.pictures.ground import cast_shadow
from understudy.engines.previz.pictures.layers import Layer, Panel
from understudy.engines.previz.pictures.rigs import rig_of
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.seasons import in_season, is_snowy, season_of, snowed
from understudy.engines.previz.pictures.sprites import has_art, lit, sprite, tinted, without_foot

_MOST_PROPS = 9
# Things lower than this, against a person, belong on a table where there is one.
_SMALL = 0.6
# Props are a little out of focus, and drawing them larger would be most of the set-up time.
_SOFT_PX = 384
# How thick snow lies on a prop, as a share of its height.
_SNOW_SHARE = 0.035
_PLANTS = (
    "tree",
    "flower",
    "blossom",
    "tulip",
    "rose",
    "herb",
    "seedling",
    "rice",
    "plant",
    "cactus",
    "hibiscus",
    "hyacinth",
    "corn",
    "leafy",
    "shamrock",
    "clover",
    "lotus",
)


def _size(stagehand: Stagehand, art_id: str, hero_tall: float) -> float:
    """A prop's height in units: true to size, but drawn together so that the largest still fit the picture."""
    # Small subjects do not make giants of pebbles and flowers.
    ratio = rig_of(art_id).height / max(hero_tall, 0.75)
    return float(np.clip(ratio**0.66, 0.12, 3.4))


def place_props(stagehand: Stagehand, scene: SceneSet, *, hero_tall: float, hero_half: float) -> list[Layer]:
    """Place the shot's props.

    hero_height: the main subject's height against a person's. hero_half: half the subjects' width in units.
    """
    standing = in_season(stagehand.shot, stagehand.shot.props)
    wanted = [art_id for art_id in standing if has_art(art_id) and not rig_of(art_id).is_scenery]
    if not wanted:
        return []
    rng = stagehand.rng
    sizes = {art_id: _size(stagehand, art_id, hero_tall) for art_id in wanted}
    copies: list[str] = []
    for art_id in wanted:
        size = sizes[art_id]
        copies.extend([art_id] * (1 if size > 0.95 and size < 2.2 else 2 if size > 0.5 else 3))
    copies = [copies[i] for i in np.sort(rng.permutation(len(copies))[:_MOST_PROPS])]
    slots = rng.permutation(max(len(copies), 1))
    layers: list[Layer] = []
    for index, art_id in enumerate(copies):
        rig = rig_of(art_id)
        if rig.is_puppet or sizes[art_id] > scene.largest or (rig.floats and not (scene.is_water or scene.water_from)):
            continue
        if rig.is_on_wall and not scene.wall_depth:
            continue
        if rig.is_on_wall or rig.hangs:
            layers.append(_hung(stagehand, scene, art_id, slot=(slots[index] + 0.5) / len(copies)))
            continue
        if rig.height < _SMALL and scene.table[1] > 0:
            layers.append(_on_table(stagehand, scene, art_id, slot=slots[index] / len(copies)))
            continue
        place = _place(
            stagehand,
            scene,
            tall=sizes[art_id],
            slot=(slots[index] + rng.uniform(0.2, 0.8)) / len(copies),
            hero_half=hero_half,
            is_boat=rig.floats and scene.water_from > 0,
        )
        if place is not None:
            prop = _prop(stagehand, scene, art_id, tall=sizes[art_id], place=place)
            layers.extend(_repeated(stagehand, prop) if stagehand.repeat else [prop])
    return layers


def _place(
    stagehand: Stagehand, scene: SceneSet, *, tall: float, slot: float, hero_half: float, is_boat: bool = False
) -> tuple[float, float] | None:
    """A prop's (x, depth): large things farther back, nothing across the subject."""
    rng, d = stagehand.rng, stagehand.distance
    near, far = scene.prop_depths
    if is_boat:
        near, far = scene.water_from, scene.water_from + 2.6
    # Small things stand near, where they can be seen; large ones behind.
    lean = np.clip(tall / 2.4, 0.06, 1.0)
    factor = near + (far - near) * float(np.clip(lean * rng.uniform(0.55, 1.1), 0.02, 1.0))
    if tall < 0.5 and not is_boat and rng.random() < 0.35:
        factor = rng.uniform(0.72, 0.92)
    depth = factor * d
    low, high = stagehand.reach.x_range(depth)
    if not stagehand.repeat:
        lead = stagehand.reach.views[len(stagehand.reach.views) // 2]
        half = lead.width_px / 2 / lead.scale(depth)
        low, high = max(low, lead.x - half * 1.25), min(high, lead.x + half * 1.25)
    x = low + (high - low) * slot
    if stagehand.repeat:
        return slot * stagehand.repeat, max(depth, d * 1.3)
    # What would hide behind the subject, or cover it, steps aside; so do two things in the middle.
    clear = max(hero_half * min(factor, 1.6), scene.prop_side * 0.6) + tall * 0.30
    if abs(x) < clear:
        side = 1.0 if x >= 0 else -1.0
        x = side * (clear + rng.uniform(0.0, 0.5) * tall)
        if not low - tall < x < high + tall:
            return None
    return x, depth


def _prop(stagehand: Stagehand, scene: SceneSet, art_id: str, *, tall: float, place: tuple[float, float]) -> Panel:
    look, rng = stagehand.look, stagehand.rng
    x, depth = place
    tall *= rng.uniform(0.86, 1.12)
    density = min(stagehand.reach.finest_scale(depth), 1400 / tall)
    bitmap = sprite(art_id, tall * density, largest_px=_SOFT_PX)
    season = season_of(stagehand.shot)
    if art_id == "deciduous-tree" and season in ("spring", "autumn"):
        bitmap = tinted(bitmap, "pink" if season == "spring" else "orange")
    if rng.random() < 0.5 and rig_of(art_id).faces == 0 and "house" not in art_id:
        bitmap = np.ascontiguousarray(bitmap[:, ::-1])
    if rig_of(art_id).floats and (scene.is_water or scene.water_from):
        bitmap = without_foot(bitmap)
    if is_snowy(stagehand.shot):
        bitmap = snowed(bitmap, ambient=(1.0, 1.0, 1.0), thick_px=_SNOW_SHARE * bitmap.shape[0])
    haze = look.haze_at(depth, stagehand.distance)
    lit_bitmap = lit(bitmap, look, haze=haze, gain=look.ambient)
    wide = bitmap.shape[1] / bitmap.shape[0] * tall
    if scene.ground is not None and not scene.is_water:
        small = cv2.resize(bitmap[..., 3], (64, 64), interpolation=cv2.INTER_AREA)
        cast_shadow(scene.ground, look, small, x=x, z=depth, extent=(wide, tall))
        _settle(scene, x=x, depth=depth, wide=wide)
    is_plant = any(word in art_id for word in _PLANTS)
    sway = 0.010 * tall * min(stagehand.wind, 2.2) if is_plant else 0.0
    lift = 0.0 if scene.ground is not None or scene.is_water else rng.uniform(-0.4, 1.1)
    return Panel(
        bitmap=lit_bitmap,
        left=x - wide / 2,
        top=scene.floor + tall + lift - 0.015 * tall,
        depth=depth,
        density=density,
        sway=sway,
        sway_phase=float(rng.uniform(0, 6.28)),
    )


def _hung(stagehand: Stagehand, scene: SceneSet, art_id: str, *, slot: float) -> Panel:
    """A lantern above the set, or a picture on its wall."""
    on_wall = rig_of(art_id).is_on_wall
    depth = scene.wall_depth * 0.995 if on_wall else stagehand.rng.uniform(1.25, 2.4) * stagehand.distance
    size = 0.5 if on_wall else 0.42
    density = stagehand.reach.finest_scale(depth)
    bitmap = lit(sprite(art_id, size * density), stagehand.look, gain=stagehand.look.key)
    low, high = stagehand.reach.x_range(depth)
    top_seen = stagehand.reach.y_range(depth)[1]
    wide = bitmap.shape[1] / bitmap.shape[0] * size
    x = low + (high - low) * (0.12 + 0.76 * slot)
    top = 1.75 if on_wall else min(top_seen * 0.98, stagehand.rng.uniform(1.55, 1.9))
    return Panel(
        bitmap=bitmap,
        left=x - wide / 2,
        top=top,
        depth=depth,
        density=density,
        sway=0.0 if on_wall else 0.006 * stagehand.wind,
    )


def _on_table(stagehand: Stagehand, scene: SceneSet, art_id: str, *, slot: float) -> Panel:
    """A small thing on the set's table or counter."""
    depth = scene.table[0] * stagehand.distance
    size = float(np.clip(rig_of(art_id).height * 0.85, 0.16, 0.42))
    density = stagehand.reach.finest_scale(depth)
    # Between the side walls, which stand a little outside the frame at the subject's depth.
    room = 1.3 * stagehand.staging.half_width
    low, high = stagehand.reach.x_range(depth)
    low, high = max(low, -room), min(high, room)
    bitmap = sprite(art_id, size * density)
    wide = bitmap.shape[1] / bitmap.shape[0] * size
    x = low + (high - low) * (slot + stagehand.rng.uniform(0.01, 0.06))
    lit_bitmap = lit(bitmap, stagehand.look, gain=stagehand.look.ambient, haze=0.03)
    return Panel(bitmap=lit_bitmap, left=x - wide / 2, top=scene.table[1] + size, depth=depth, density=density)


def _repeated(stagehand: Stagehand, prop: Panel) -> list[Layer]:
    """A prop again and again along the way, with the ground's period."""
    low, high = stagehand.reach.x_range(prop.depth)
    wide = prop.bitmap.shape[1] / prop.density
    first = int(np.floor((low - wide - prop.left) / stagehand.repeat))
    last = int(np.ceil((high - prop.left) / stagehand.repeat))
    return [replace(prop, left=prop.left + k * stagehand.repeat) for k in range(first, last + 1)]


def _settle(scene: SceneSet, *, x: float, depth: float, wide: float) -> None:
    """Darken the ground right under a thing, so that it stands instead of hovering."""
    baked = scene.ground
    if baked is None:
        return
    u, v, scale = baked.place(x, depth)
    flat = abs(baked.view.y) / max(depth - baked.view.z, 0.2)
    half_w, half_h = wide * scale * 0.5, max(wide * scale * flat * 0.36, 2.0)
    left, right = max(int(u - half_w), 0), min(int(u + half_w), baked.bitmap.shape[1])
    top, bottom = max(int(v - half_h), 0), min(int(v + half_h), baked.bitmap.shape[0])
    if right - left < 2 or bottom - top < 2:
        return
    xs = ((np.arange(left, right) + 0.5 - u) / half_w)[None, :]
    ys = ((np.arange(top, bottom) + 0.5 - v) / half_h)[:, None]
    dark = np.clip(1 - (xs * xs + ys * ys), 0, 1) ** 0.8 * 0.5
    area = baked.bitmap[top:bottom, left:right, :3]
    area[:] = (area * (1 - dark[..., None])).astype(np.uint8)
