"""What a finished film says of its origin, for programs to read: an XMP packet always, and a C2PA manifest if signed.

Only the render process loads the library that signs, and the server once when it starts, to try the certificate.
"""

import base64
import binascii
import hashlib
import logging
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID
from xml.sax.saxutils import escape

from understudy.core.content import Modality
from understudy.core.errors import TaskFailed, Violation
from understudy.core.render import RenderJob

log = logging.getLogger(__name__)

SOFTWARE = "Understudy"
ENGINE = "Understudy diffusion"

MEDIA_TYPES = {".mp4": "video/mp4", ".mov": "video/quicktime"}

XMP_BOX = UUID("be7acfcb-97a9-42e8-9c71-999491e3afac")
"""Of the box that holds an XMP packet. Source: Adobe XMP Specification, Part 3, "MPEG-4"."""

XMP_PACKET_ID = "W5M0MpCehiHzreSzNTczkc9d"
"""The same in every XMP packet. Source: ISO 16684-1, 7.3.2."""

NAMESPACES = {
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}

PEM_BLOCK = re.compile(r"-----BEGIN (?P<what>[A-Z0-9 ]+)-----(?P<base64>[A-Za-z0-9+/=\s]+)-----END (?P=what)-----")
"""Source: RFC 7468. What stands between blocks is for people."""

PEM_CERTIFICATE, PEM_KEY = "CERTIFICATE", "PRIVATE KEY"

SETTINGS_LIBRARY = {
    # Nothing is asked of the network, and no picture of the film is put into the manifest.
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": True},
}

ALGORITHMS = {
    "2a8648ce3d030107": "es256",
    "2b81040022": "es384",
    "2b81040023": "es512",
    "2a864886f70d010101": "ps256",
    "2b6570": "ed25519",
}
"""By the object identifier in a key: the curves P-256, P-384 and P-521, RSA, Ed25519. Source: RFC 5480, 8017, 8410."""

IDENTIFIERS_WITHIN_BYTES = 40
"""Where a key of PKCS #8 names its kind: before the key itself, which might hold the same bytes by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A medium that the film was made from. name: "image 1", never that of a file. sha256: of its bytes, in hex."""

    name: str
    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is said of a film.

    model: its name, for people. source_type: an address of IPTC's list of digital source types. attribution: what the
    model's licence wants to be told, or "".
    """

    model: str
    source_type: str
    attribution: str = ""
    given: Sequence[Given] = ()

    @property
    def agent(self) -> str:
        """Say which program made the film, with its version and the model."""
        return f"{ENGINE} {version('understudy')}, {self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs: a chain of certificates, the signer's own first, and the private key to it, both PEM."""

    algorithm: str
    certificates: str
    private_key: str = field(repr=False)


def claim_of(job: RenderJob, *, model: str, source_type: str, attribution: str = "") -> Claim:
    """Say of the job's film what it was made from, by the numbers that its request counts media with."""
    given: dict[str, Given] = {}
    for modality in (Modality.IMAGE, Modality.VIDEO, Modality.AUDIO):
        for number, item in enumerate(job.request.of(modality), start=1):
            if item.medium is None:
                continue
            digest, name = item.medium.sha256, f"{modality.value} {number}"
            # What is given twice is one medium with two names.
            name = f"{given[digest].name}, {name}" if digest in given else name
            given[digest] = Given(name=name, media_type=item.medium.facts.media_type, sha256=digest)
    return Claim(model=model, source_type=source_type, attribution=attribution, given=tuple(given.values()))


def signer_of(certificate_file: str, key_file: str) -> Signer | None:
    """Read the operator's certificate and key, and sign a film of a few bytes with them; None where neither is set.

    Raises: ValueError with a sentence for the operator.
    """
    if not certificate_file and not key_file:
        return None
    if not certificate_file or not key_file:
        message = "diffusion_certificate and diffusion_private_key go together: films are signed with both."
        raise ValueError(f"The settings {message}")
    certificates = _blocks_in(Path(certificate_file), PEM_CERTIFICATE)
    if not certificates:
        raise ValueError(f"The file {certificate_file} holds no certificate as PEM has it (BEGIN {PEM_CERTIFICATE}).")
    keys = _blocks_in(Path(key_file), PEM_KEY)
    if not keys:
        message = f"as PEM has it, without a password (BEGIN {PEM_KEY}); `openssl pkcs8 -topk8 -nocrypt` makes one"
        raise ValueError(f"The file {key_file} holds no private key {message}.")
    algorithm = _algorithm_of(keys[0], key_file)
    signer = Signer(algorithm=algorithm, certificates="".join(certificates), private_key=keys[0])
    try:
        _sign(BytesIO(_smallest_film()), BytesIO(), _manifest(TRIAL, "trial", ".mp4"), signer=signer)
    except ImportError as error:
        raise ValueError('Films are signed by a package of the extra: pip install "understudy[diffusion]".') from error
    except _c2pa().C2paError as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"Films cannot be signed with {certificate_file} and {key_file}: {reason}.") from error
    return signer


def check_signer(certificate_file: str, key_file: str) -> None:
    """Refuse settings that films could not be signed with.

    Raises: ValueError with a sentence for the operator.
    """
    signer_of(certificate_file, key_file)


def seal_film(film: Path, claim: Claim, signer: Signer | None) -> None:
    """Write the claim into a finished film, in place, and sign it where there is a signer.

    Pictures, sound and metadata stay as they are. What is signed has other bytes each time; what is not is the same for
    equal films and claims.

    Raises: TaskFailed: the film cannot be written or signed.
    """
    try:
        mark_film(film, claim)
        if signer is not None:
            sign_film(film, claim, signer)
    except (OSError, SigningFailed) as error:
        log.exception("the film's origin could not be written or signed")
        message = "The film could not be marked with its origin by the render process."
        raise TaskFailed(Violation("InternalServiceError", "", message), is_retryable=True) from error


class SigningFailed(Exception):
    """The library refused to sign: the certificate may have run out since the server started."""


def mark_film(film: Path, claim: Claim) -> None:
    """Append the claim to an MP4 or QuickTime film as XMP has it; all that stands in the file stays where it is.

    Raises: OSError.
    """
    packet = XMP_BOX.bytes + _xmp(claim).encode()
    with film.open("ab") as file:
        file.write(_box(b"uuid", packet))


def sign_film(film: Path, claim: Claim, signer: Signer) -> None:
    """Put a signed manifest into a film as C2PA has it. A change of any byte that matters is found out afterwards.

    Raises: SigningFailed; OSError.
    """
    signed = film.with_name(f"{film.name}.signed")
    try:
        with film.open("rb") as source, signed.open("w+b") as target:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            source.seek(0)
            _sign(source, target, _manifest(claim, digest, film.suffix), signer=signer)
        signed.replace(film)
    except _c2pa().C2paError as error:
        raise SigningFailed(str(error)) from error
    finally:
        signed.unlink(missing_ok=True)


def _sign(source: BinaryIO, target: BinaryIO, manifest: Mapping[str, Any], *, signer: Signer) -> None:
    """Have the library write the film with its manifest and read it again. Raises: C2paError."""
    c2pa = _c2pa()
    info = c2pa.C2paSignerInfo(signer.algorithm, signer.certificates.encode(), signer.private_key.encode(), None)
    context = c2pa.Context(settings=c2pa.Settings.from_dict(SETTINGS_LIBRARY))
    with c2pa.Signer.from_info(info) as signs, c2pa.Builder(dict(manifest), context) as builder:
        builder.sign(signs, manifest["format"], source, target)


def _manifest(claim: Claim, digest: str, ending: str) -> Mapping[str, Any]:
    """Return the manifest as the library wants it. Its names follow from the film: equal films, equal names."""
    name = UUID(bytes=hashlib.sha256(f"{digest} {claim!r}".encode()).digest()[:16], version=4)
    ingredients = [
        {
            "title": each.name,
            "format": each.media_type,
            "relationship": "inputTo",
            # A digest as a name: RFC 6920.
            "instance_id": f"nih:sha-256;{each.sha256}",
        }
        for each in claim.given
    ]
    created = {
        "action": "c2pa.created",
        "digitalSourceType": claim.source_type,
        "softwareAgent": {"name": claim.agent},
        "parameters": {"ingredientIds": [each["instance_id"] for each in ingredients]},
    }
    assertions: list[Mapping[str, Any]] = [
        {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [created], "allActionsIncluded": True}},
    ]
    if claim.attribution:
        credit = {"@context": {"photoshop": NAMESPACES["photoshop"]}, "photoshop:Credit": claim.attribution}
        assertions.append({"label": "cawg.metadata", "data": credit})
    return {
        "claim_version": 2,
        "claim_generator_info": [{"name": SOFTWARE, "version": version("understudy")}],
        "format": MEDIA_TYPES[ending],
        "instance_id": f"xmp:iid:{name}",
        "label": f"urn:c2pa:{name}",
        "ingredients": ingredients,
        "assertions": assertions,
    }


def _xmp(claim: Claim) -> str:
    """Return the XMP packet. Source of the names: IPTC Photo Metadata Standard 2025.1 and Video Metadata Hub."""
    said = {
        "Iptc4xmpExt:DigitalSourceType": claim.source_type,
        "Iptc4xmpExt:AISystemUsed": claim.model,
        "xmp:CreatorTool": claim.agent,
        "photoshop:Credit": claim.attribution,
    }
    lines = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in said.items() if value)
    spaces = "".join(f' xmlns:{prefix}="{address}"' for prefix, address in NAMESPACES.items())
    return (
        f'<?xpacket begin="\ufeff" id="{XMP_PACKET_ID}"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{spaces}>{lines}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )


def _box(name: bytes, content: bytes) -> bytes:
    """Return a box of an ISO base media file."""
    return struct.pack(">I", 8 + len(content)) + name + content


def _smallest_film() -> bytes:
    """Return what can be signed as a film: the boxes that one has, with nothing in them."""
    kinds = _box(b"ftyp", b"isom" + bytes(4) + b"isom")
    return kinds + _box(b"moov", _box(b"mvhd", bytes(100))) + _box(b"mdat", b"")


def _blocks_in(file: Path, what: str) -> Sequence[str]:
    """Return the blocks of a PEM file that hold what is wanted, one string each.

    Raises: ValueError.
    """
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ValueError(f"The file {file} cannot be read: {error.strerror or error}.") from error
    return [f"{found[0]}\n" for found in PEM_BLOCK.finditer(text) if found["what"] == what]


def _algorithm_of(private_key: str, file: str) -> str:
    """Return the library's name of the algorithm that the key signs with.

    Raises: ValueError.
    """
    found = PEM_BLOCK.match(private_key)
    assert found is not None
    try:
        start = base64.b64decode(found["base64"])[:IDENTIFIERS_WITHIN_BYTES]
    except binascii.Error as error:
        raise ValueError(f"The private key {file} is damaged.") from error
    for identifier, algorithm in ALGORITHMS.items():
        # 6 and a length: how DER begins an object identifier.
        encoded = bytes.fromhex(identifier)
        if b"\x06" + bytes([len(encoded)]) + encoded in start:
            return algorithm
    raise ValueError(f"The private key {file} is of a kind that C2PA does not know: EC, RSA and Ed25519 serve.")


def _c2pa() -> Any:
    """Load the library, a native one, only where something is signed."""
    import c2pa

    return c2pa


TRIAL = Claim(model="trial", source_type="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia")
