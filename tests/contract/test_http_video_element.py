"""A real browser's video element plays a 4k film from its link and seeks in it, which it does by ranges."""

import json
import os
import shutil
import signal
import subprocess
from concurrent.futures import Future
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest

from running_server import running_server
from understudy.media.encode import FilmEncoder, FilmFormat, Sound

WIDTH_PX, HEIGHT_PX, FPS, DURATION_S = 3840, 2160, 24, 4
KEY = "20261121120000-abcde-1/video.mp4"

PAGE = """<!DOCTYPE html>
<video id="film" muted preload="metadata"></video>
<script>
const film = document.getElementById("film"), seen = {};
const tell = () => fetch("/told", {method: "POST", body: JSON.stringify(seen)});
const shown = () => { seen.shown_s = film.currentTime; seen.is_ended = film.ended; };
film.onerror = () => { seen.error = film.error.message || String(film.error.code); tell(); };
film.onloadedmetadata = () => {
  Object.assign(seen, {duration_s: film.duration, width_px: film.videoWidth, height_px: film.videoHeight});
  film.play().catch(error => { seen.error = String(error); tell(); });
};
film.ontimeupdate = () => {
  if (film.currentTime === 0 || seen.played_s !== undefined) return;
  seen.played_s = film.currentTime;
  film.pause();
  film.onseeked = () => {
    seen.sought_s = film.currentTime;
    film.onseeked = null;
    film.onended = () => { shown(); tell(); };
    film.play();
  };
  film.currentTime = film.duration - 0.25;
};
film.src = "FILM";
</script>
"""


def browser():
    """Return the path of a Chromium that is installed."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def film_bytes(folder):
    """Make a film of a moving edge over noise: large enough that a browser does not simply load all of it."""
    drawn = np.random.default_rng(1).integers(0, 256, (HEIGHT_PX, WIDTH_PX, 4), np.uint8)
    path = folder / "film.mp4"
    film = FilmFormat(width_px=WIDTH_PX, height_px=HEIGHT_PX, fps=FPS, preset="ultrafast", crf=30)
    sound = Sound(samples=np.zeros((48_000 * DURATION_S, 2), np.float32), sample_rate_hz=48_000)
    with FilmEncoder(path, film, sound=sound) as encoder:
        for number in range(FPS * DURATION_S):
            encoder.add_frame(np.roll(drawn, 40 * number, axis=1))
    return path.read_bytes()


@contextmanager
def page_over(link):
    """Serve the page on loopback; yields its address and what it will tell."""
    told = Future()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            is_page = self.path == "/"
            self.send_response(200 if is_page else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.replace("FILM", link).encode() if is_page else b"")

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()
            if not told.done():
                told.set_result(json.loads(body))

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def showing(url, profile):
    """Show a page in a browser without a window, an empty profile and no business of its own on the network."""
    quiet = ("background-networking", "component-update", "sync", "gpu", "default-apps", "extensions", "dev-shm-usage")
    process = subprocess.Popen(
        [
            browser(),
            "--headless",
            "--no-sandbox",
            "--no-first-run",
            "--autoplay-policy=no-user-gesture-required",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            f"--user-data-dir={profile}",
            *(f"--disable-{each}" for each in quiet),
            url,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.full
@pytest.mark.skipif(browser() is None, reason="no Chromium is installed")
def test_a_video_element_plays_a_4k_film_and_seeks_to_its_end(tmp_path):
    content = film_bytes(tmp_path)
    with running_server(tmp_path) as running:
        made = tmp_path / "made"
        made.write_bytes(content)
        running.do(running.house.blobs.put(made, KEY))
        link = running.house.links.url(running.url, KEY, running.clock.now().timestamp())
        with page_over(link) as (url, told), showing(url, tmp_path / "profile"):
            seen = told.result(timeout=120)
        statuses = [status for _, path, status in running.requests if path.startswith("/files/")]
    assert "error" not in seen, seen
    assert (seen["width_px"], seen["height_px"]) == (WIDTH_PX, HEIGHT_PX)
    assert seen["duration_s"] == pytest.approx(DURATION_S, abs=0.1)
    assert 0 < seen["played_s"] < DURATION_S
    assert seen["sought_s"] == pytest.approx(DURATION_S - 0.25, abs=0.1)
    assert seen["is_ended"] is True
    assert seen["shown_s"] == pytest.approx(DURATION_S, abs=0.1)
    assert set(statuses) == {206}
    assert len(statuses) > 1, "it loaded the whole film rather than seek"
