"""Where films say that they come from: read back by a parser of XML and by the reference reader of C2PA."""

import io
import json
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import TaskFailed
from understudy.core.media import MediaFacts, Medium, Origin
from understudy.core.recipe import RECIPE_TAG
from understudy.core.render import RenderJob
from understudy.core.request import GenerationRequest
from understudy.engines.diffusion.finishing import GENERATED
from understudy.engines.diffusion.provenance import (
    MEDIA_TYPES,
    NAMESPACES,
    XMP_BOX,
    Claim,
    Given,
    Signer,
    check_signer,
    claim_of,
    mark_film,
    seal_film,
    signer_of,
)
from understudy.media.encode import FilmEncoder, FilmFormat, Sound
from understudy.media.inspect_file import inspect, prepare
from understudy.media.probe import probe_film
from understudy.media.recipe import recipe_in

RECIPE = '{"recipe":1}'
CLAIM = Claim(model="MiniMax H3", source_type=GENERATED, attribution="Made with MiniMax H3")
FORMATS = {"film.mp4": ("mp4", "h264"), "hevc.mp4": ("mp4", "hevc"), "film.mov": ("mov", "h264")}

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey


def film_in(folder: Path, name: str = "film.mp4") -> Path:
    container, codec = FORMATS[name]
    wanted = FilmFormat(
        width_px=64, height_px=64, fps=24, container=container, video_codec=codec, tags={RECIPE_TAG: RECIPE}
    )
    folder.mkdir(exist_ok=True)
    tone = np.sin(np.arange(48_000, dtype=np.float32) / 20)[:, None]
    with FilmEncoder(folder / name, wanted, sound=Sound(samples=tone, sample_rate_hz=48_000)) as film:
        for index in range(24):
            film.add_frame(np.full((64, 64, 4), 9 * index, np.uint8))
    return folder / name


def boxes_in(film: Path) -> list[tuple[bytes, bytes]]:
    content, boxes, place = film.read_bytes(), [], 0
    while place < len(content):
        size, name = struct.unpack_from(">I4s", content, place)
        boxes.append((name, content[place + 8 : place + size]))
        place += size
    return boxes


def xmp_in(film: Path) -> dict[str, str]:
    """Everything that the film's XMP packet says, by its prefixed name."""
    packets = [content[16:] for name, content in boxes_in(film) if name == b"uuid" and content[:16] == XMP_BOX.bytes]
    assert len(packets) == 1
    root = ET.fromstring(packets[0].decode())
    prefixes = {address: prefix for prefix, address in NAMESPACES.items()}
    found = {}
    for said in root.find(".//{*}Description") or ():
        address, _, name = said.tag[1:].partition("}")
        found[f"{prefixes[address]}:{name}"] = said.text or ""
    return found


def packets_of(film: Path) -> list[bytes]:
    with av.open(str(film)) as container:
        return [bytes(packet) for packet in container.demux() if packet.size]


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority of the test's own, and who it vouches for."""

    folder: Path
    key: Key
    root: x509.Certificate

    @property
    def pem(self) -> str:
        return self.root.public_bytes(serialization.Encoding.PEM).decode()

    def vouches_for(self, key: Key, *, valid_from_days: int = -1, valid_days: int = 30) -> tuple[str, str]:
        """Return the files of a chain and of its key."""
        leaf = certificate("Operator", self.root.subject, key, self.key, valid_from_days, valid_days)
        chain = leaf.public_bytes(serialization.Encoding.PEM).decode() + self.pem
        certificates = self.folder / f"chain-{leaf.serial_number}.pem"
        certificates.write_text(chain)
        private = self.folder / f"key-{leaf.serial_number}.pem"
        private.write_bytes(private_pem(key))
        return str(certificates), str(private)


def private_pem(key: Key, password: bytes = b"", *, is_old: bool = False) -> bytes:
    shut: Any = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    how = serialization.PrivateFormat.TraditionalOpenSSL if is_old else serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, how, shut)


def certificate(
    name: str, issuer: x509.Name | None, key: Key, signing: Key, valid_from_days: int, valid_days: int
) -> x509.Certificate:
    """A certificate as C2PA wants it; issuer: None = an authority's own."""
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")]
    )
    begins_at = datetime.now(UTC) + timedelta(days=valid_from_days)
    uses = {
        "digital_signature": issuer is not None,
        "key_cert_sign": issuer is None,
        "crl_sign": issuer is None,
        "content_commitment": False,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "encipher_only": False,
        "decipher_only": False,
    }
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins_at)
        .not_valid_after(begins_at + timedelta(days=valid_days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**uses), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
    )
    if issuer is not None:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(signing, hashes.SHA256())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    root = certificate("Authority", None, key, key, -1, 3650)
    return Authority(folder=tmp_path_factory.mktemp("authority"), key=key, root=root)


@pytest.fixture(scope="module")
def signer(authority: Authority) -> Signer:
    pytest.importorskip("c2pa")
    found = signer_of(*authority.vouches_for(ec.generate_private_key(ec.SECP256R1())))
    assert found is not None
    return found


@pytest.fixture
def read(authority: Authority) -> Iterator[Callable[..., tuple[str, dict[str, Any], list[str]]]]:
    c2pa = pytest.importorskip("c2pa")
    trust = {"trust": {"trust_anchors": authority.pem}, "verify": {"verify_trust": True}}

    def read(content: bytes, media_type: str) -> tuple[str, dict[str, Any], list[str]]:
        """Return what is thought of the film, what its manifest says, and what is wrong."""
        context = c2pa.Context(settings=c2pa.Settings.from_dict(trust))
        with c2pa.Reader(media_type, io.BytesIO(content), context=context) as reader:
            told = json.loads(reader.json())
            wrong = told["validation_results"]["activeManifest"]["failure"]
            manifest = told["manifests"][told["active_manifest"]]
            return told["validation_state"], manifest, [each["code"] for each in wrong]

    return read


def action_in(manifest: dict[str, Any]) -> dict[str, Any]:
    found = [each["data"] for each in manifest["assertions"] if each["label"].startswith("c2pa.actions")]
    assert len(found) == len(found[0]["actions"]) == 1
    return found[0]["actions"][0]


@pytest.mark.parametrize("name", FORMATS)
def test_every_film_says_for_programs_that_a_model_made_it(name: str, tmp_path: Path) -> None:
    film = film_in(tmp_path, name)
    seal_film(film, CLAIM, None)
    said = xmp_in(film)
    assert said["Iptc4xmpExt:DigitalSourceType"] == GENERATED
    assert said["Iptc4xmpExt:AISystemUsed"] == "MiniMax H3"
    assert said["photoshop:Credit"] == "Made with MiniMax H3"
    assert said["xmp:CreatorTool"] == CLAIM.agent


@pytest.mark.parametrize("name", FORMATS)
def test_other_programs_find_the_mark(name: str, tmp_path: Path) -> None:
    film = film_in(tmp_path, name)
    mark_film(film, CLAIM)
    with av.open(str(film), options={"export_xmp": "1"}) as container:
        assert GENERATED in container.metadata["xmp"]


def test_what_the_licence_does_not_ask_for_is_not_said(tmp_path: Path) -> None:
    film = film_in(tmp_path)
    mark_film(film, replace(CLAIM, attribution=""))
    assert "photoshop:Credit" not in xmp_in(film)


def test_a_model_may_have_any_name(tmp_path: Path) -> None:
    film = film_in(tmp_path)
    mark_film(film, replace(CLAIM, model='Films & <more> "2"'))
    assert xmp_in(film)["Iptc4xmpExt:AISystemUsed"] == 'Films & <more> "2"'


def test_a_mark_leaves_all_of_the_film_as_it_was(tmp_path: Path) -> None:
    film = film_in(tmp_path)
    before, facts = film.read_bytes(), probe_film(film)
    mark_film(film, CLAIM)
    assert film.read_bytes()[: len(before)] == before
    assert probe_film(film) == facts


def test_equal_films_are_marked_equally(tmp_path: Path) -> None:
    films = [film_in(tmp_path / name) for name in "ab"]
    for film in films:
        seal_film(film, CLAIM, None)
    assert films[0].read_bytes() == films[1].read_bytes()


def test_media_are_named_by_what_they_are_and_not_by_their_files() -> None:
    def item(modality: Modality, digest: str, media_type: str) -> ContentItem:
        facts = MediaFacts(modality=modality, container="any", media_type=media_type, size_bytes=1)
        medium = Medium(key="media/secret", sha256=digest, origin=Origin.WEB, facts=facts)
        return ContentItem(modality=modality, value="https://example.com/secret.png", role=None, medium=medium)

    content = (
        ContentItem(modality=Modality.TEXT, value="A fox."),
        item(Modality.IMAGE, "a" * 64, "image/png"),
        item(Modality.VIDEO, "b" * 64, "video/mp4"),
        item(Modality.IMAGE, "c" * 64, "image/webp"),
        replace(item(Modality.IMAGE, "a" * 64, "image/png"), role=Role.LAST_FRAME),
    )
    job = RenderJob(
        request=GenerationRequest(model="any", content=content),
        seed=1,
        sizes={},
        duration_range_s=(4, 15),
        fps=24,
        audio_channels=2,
        output_dir="",
    )
    assert claim_of(job, model="m", source_type=GENERATED).given == (
        Given(name="image 1, image 3", media_type="image/png", sha256="a" * 64),
        Given(name="image 2", media_type="image/webp", sha256="c" * 64),
        Given(name="video 1", media_type="video/mp4", sha256="b" * 64),
    )


def test_without_settings_nothing_is_signed_and_the_library_stays_away() -> None:
    code = (
        "import sys; from understudy.engines.diffusion.provenance import check_signer; check_signer('', ''); "
        "print(sorted({'c2pa', 'torch', 'av', 'cv2'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_a_certificate_needs_its_key_and_a_key_its_certificate() -> None:
    for files in (("chain.pem", ""), ("", "key.pem")):
        with pytest.raises(ValueError, match="diffusion_certificate and diffusion_private_key go together"):
            check_signer(*files)


def test_files_that_are_no_certificate_or_no_key_are_refused(authority: Authority, tmp_path: Path) -> None:
    chain, key = authority.vouches_for(ec.generate_private_key(ec.SECP256R1()))
    words = tmp_path / "words.pem"
    words.write_text("hello")
    for files, wrong in (
        ((str(words), key), "holds no certificate"),
        ((chain, str(words)), "holds no private key"),
        ((key, chain), "holds no certificate"),
        ((str(tmp_path / "none.pem"), key), "cannot be read: No such file"),
    ):
        with pytest.raises(ValueError, match=wrong):
            check_signer(*files)


@pytest.mark.parametrize("wrong", [{"password": b"secret"}, {"is_old": True}])
def test_a_key_that_is_locked_or_of_an_older_form_is_refused_with_what_helps(
    authority: Authority, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    chain, _ = authority.vouches_for(private)
    key = tmp_path / "key.pem"
    key.write_bytes(private_pem(private, **wrong))
    with pytest.raises(ValueError, match="openssl pkcs8 -topk8 -nocrypt"):
        check_signer(chain, str(key))


def test_a_key_that_cannot_sign_films_is_refused(authority: Authority, tmp_path: Path) -> None:
    chain, _ = authority.vouches_for(ec.generate_private_key(ec.SECP256R1()))
    key = tmp_path / "key.pem"
    key.write_bytes(private_pem(dsa.generate_private_key(1024)))
    with pytest.raises(ValueError, match="EC, RSA and Ed25519 serve"):
        check_signer(chain, str(key))


@pytest.mark.full
@pytest.mark.parametrize(
    "make",
    [
        lambda: ec.generate_private_key(ec.SECP256R1()),
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate,
    ],
    ids=["es256", "es384", "ps256", "ed25519"],
)
def test_keys_of_all_common_kinds_sign(
    request: pytest.FixtureRequest, make: Callable[[], Key], authority: Authority, tmp_path: Path, read: Any
) -> None:
    signer = signer_of(*authority.vouches_for(make()))
    assert signer is not None
    assert signer.algorithm == request.node.callspec.id
    film = film_in(tmp_path)
    seal_film(film, CLAIM, signer)
    assert read(film.read_bytes(), "video/mp4")[0] == "Trusted"


@pytest.mark.full
@pytest.mark.parametrize("name", FORMATS)
def test_a_signed_film_is_trusted_by_who_trusts_its_authority(
    name: str, signer: Signer, read: Any, tmp_path: Path
) -> None:
    film = film_in(tmp_path, name)
    given = Given(name="image 1", media_type="image/png", sha256="ab" * 32)
    seal_film(film, replace(CLAIM, given=(given,)), signer)
    state, manifest, wrong = read(film.read_bytes(), MEDIA_TYPES[film.suffix])
    assert (state, wrong) == ("Trusted", [])
    created = action_in(manifest)
    assert created["action"] == "c2pa.created"
    assert created["digitalSourceType"] == GENERATED
    assert created["softwareAgent"]["name"] == CLAIM.agent
    assert manifest["claim_generator_info"][0]["name"] == "Understudy"
    assert manifest["signature_info"]["common_name"] == "Operator"
    assert [each["data"]["photoshop:Credit"] for each in manifest["assertions"] if "cawg" in each["label"]] == [
        CLAIM.attribution
    ]


@pytest.mark.full
def test_the_manifest_tells_given_media_by_their_digests_alone(signer: Signer, read: Any, tmp_path: Path) -> None:
    film = film_in(tmp_path)
    given = (
        Given(name="image 1", media_type="image/png", sha256="ab" * 32),
        Given(name="audio 1", media_type="audio/wav", sha256="cd" * 32),
    )
    seal_film(film, replace(CLAIM, given=given), signer)
    _, manifest, _ = read(film.read_bytes(), "video/mp4")
    told = [(each["title"], each["format"], each["instance_id"]) for each in manifest["ingredients"]]
    assert told == [
        ("image 1", "image/png", f"nih:sha-256;{'ab' * 32}"),
        ("audio 1", "audio/wav", f"nih:sha-256;{'cd' * 32}"),
    ]
    assert {each["relationship"] for each in manifest["ingredients"]} == {"inputTo"}
    assert len(action_in(manifest)["parameters"]["ingredients"]) == 2
    assert "thumbnail" not in json.dumps(manifest)


@pytest.mark.full
@pytest.mark.parametrize("name", FORMATS)
def test_a_changed_byte_of_a_signed_film_is_found(name: str, signer: Signer, read: Any, tmp_path: Path) -> None:
    film = film_in(tmp_path, name)
    seal_film(film, CLAIM, signer)
    content = film.read_bytes()
    of_pictures, of_mark = content.index(b"mdat") + 40, content.index(b"trainedAlgorithmicMedia</")
    for place in (of_pictures, of_mark):
        changed = bytearray(content)
        changed[place] ^= 1
        state, _, wrong = read(bytes(changed), MEDIA_TYPES[film.suffix])
        assert (state, wrong) == ("Invalid", ["assertion.bmffHash.mismatch"])


@pytest.mark.full
@pytest.mark.parametrize("name", FORMATS)
def test_signing_changes_neither_pictures_nor_sound_nor_the_recipe(name: str, signer: Signer, tmp_path: Path) -> None:
    film = film_in(tmp_path, name)
    packets, facts = packets_of(film), probe_film(film)
    seal_film(film, CLAIM, signer)
    assert packets_of(film) == packets
    assert probe_film(film) == facts
    assert recipe_in(film) == RECIPE
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.full
def test_a_signed_film_can_be_given_to_the_server_again(signer: Signer, tmp_path: Path) -> None:
    prepare()
    film = film_in(tmp_path)
    with film.open("rb") as file:
        before = inspect(file, Modality.VIDEO)
    seal_film(film, CLAIM, signer)
    with film.open("rb") as file:
        assert replace(inspect(file, Modality.VIDEO), size_bytes=0) == replace(before, size_bytes=0)


@pytest.mark.full
def test_equal_films_have_manifests_of_one_name_and_differ_in_nothing_but_the_signature(
    signer: Signer, read: Any, tmp_path: Path
) -> None:
    films = [film_in(tmp_path / name) for name in "ab"]
    told = []
    for film in films:
        seal_film(film, CLAIM, signer)
        told.append(read(film.read_bytes(), "video/mp4")[1])
    assert told[0]["label"] == told[1]["label"]
    assert told[0]["instance_id"] == told[1]["instance_id"]
    first, second = (film.read_bytes() for film in films)
    assert len(first) == len(second)
    assert first[first.index(b"moov") :] == second[second.index(b"moov") :]


@pytest.mark.full
def test_other_films_have_manifests_of_other_names(signer: Signer, read: Any, tmp_path: Path) -> None:
    given = (Given(name="image 1", media_type="image/png", sha256="ab" * 32),)
    labels = set()
    for name, claim in (
        ("a", CLAIM),
        ("b", replace(CLAIM, model="LTX-2.5")),
        ("c", replace(CLAIM, given=given)),
    ):
        film = film_in(tmp_path / name)
        seal_film(film, claim, signer)
        labels.add(read(film.read_bytes(), "video/mp4")[1]["label"])
    assert len(labels) == 3


@pytest.mark.full
def test_a_chain_with_words_between_its_certificates_serves(authority: Authority, tmp_path: Path) -> None:
    chain, key = (Path(file) for file in authority.vouches_for(ec.generate_private_key(ec.SECP256R1())))
    spoken = tmp_path / "chain.pem"
    spoken.write_text("Certificate: für Filme\n" + chain.read_text().replace("-----BEGIN", "subject=Test\n-----BEGIN"))
    key_spoken = tmp_path / "key.pem"
    key_spoken.write_text("Bag Attributes\n" + key.read_text())
    assert signer_of(str(spoken), str(key_spoken)) is not None


@pytest.mark.full
def test_a_key_of_another_certificate_is_refused_when_the_server_starts(authority: Authority) -> None:
    chain, _ = authority.vouches_for(ec.generate_private_key(ec.SECP256R1()))
    _, key = authority.vouches_for(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(ValueError, match="Films cannot be signed with"):
        check_signer(chain, key)


@pytest.mark.full
@pytest.mark.parametrize("valid_from_days", [-40, 5])
def test_a_certificate_that_is_not_valid_today_is_refused(authority: Authority, valid_from_days: int) -> None:
    files = authority.vouches_for(ec.generate_private_key(ec.SECP256R1()), valid_from_days=valid_from_days)
    with pytest.raises(ValueError, match="not valid at time of signing"):
        check_signer(*files)


@pytest.mark.full
def test_a_film_that_cannot_be_signed_is_none(authority: Authority, signer: Signer, tmp_path: Path) -> None:
    files = authority.vouches_for(ec.generate_private_key(ec.SECP256R1()), valid_from_days=-40)
    expired = replace(signer, certificates=Path(files[0]).read_text(), private_key=Path(files[1]).read_text())
    film = film_in(tmp_path)
    with pytest.raises(TaskFailed) as failed:
        seal_film(film, CLAIM, expired)
    assert failed.value.is_retryable
    assert [each.name for each in tmp_path.iterdir()] == ["film.mp4"]


@pytest.mark.full
def test_the_private_key_is_not_told_by_accident(signer: Signer) -> None:
    assert "PRIVATE" not in repr(signer)
    assert signer.private_key not in repr(signer)
