"""Every codec by its name: the one list that a new dialect is added to."""

from collections.abc import Mapping

from understudy.dialects.apimart import APIMART
from understudy.dialects.ark import AMUX_NATIVE, APIYI, ARK
from understudy.dialects.codec import Codec
from understudy.dialects.octopus import OCTOPUS
from understudy.dialects.openai_videos import OPENAI
from understudy.dialects.universal import AMUX, NEWAPI

CODECS: Mapping[str, Codec] = {
    codec.name: codec for codec in (ARK, AMUX, AMUX_NATIVE, NEWAPI, OCTOPUS, APIMART, APIYI, OPENAI)
}
