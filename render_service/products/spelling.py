"""How ids, tags, codes and keys are spelt: one pattern each, for the schema and for the check.

The patterns stand in the JSON schema only, as those of compositions do, and `check.py` holds
products to them: a Meta(pattern=…) makes msgspec 0.22 crash now and then at exit (its issue 717).
"""

import re
from typing import Annotated, Final

from msgspec import Meta

from render_service.composition.definition import ID_PATTERN

# Language, script, region and variants of BCP 47 (RFC 5646 section 2.1), cased as section 2.1.1
# recommends. Extensions and private use name no language that a text is written in.
TAG_PATTERN: Final = (
    r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*$"
)
CODE_PATTERN: Final = r"^[A-Z0-9]{1,16}$"
TEMPLATE_PATTERN: Final = r"^([A-Z0-9_-]|\{[a-z0-9-]+\})+$"
MEDIA_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}$"
_KEY_PART = r"[a-z0-9]+([.-][a-z0-9]+)*"
RATE_KEY_PATTERN: Final = rf"^{_KEY_PART}(/{_KEY_PART})*$"
RATE_TEMPLATE_PATTERN: Final = r"^([a-z0-9./-]|\{[a-z0-9-]+\})+$"

KEY_LENGTH_MAX: Final = 200

SKU_LENGTH_MAX: Final = 64
"""Characters of a SKU: what a Code 128 label of 100 mm still prints legibly, and room."""

# 35 characters hold any tag in use (RFC 5646 section 4.4.1).
LanguageTag = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=35,
        extra_json_schema={"pattern": TAG_PATTERN},
        description="A language by BCP 47, cased as usual: de, de-CH, zh-Hant-TW.",
    ),
]
SkuCode = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=16,
        extra_json_schema={"pattern": CODE_PATTERN},
        description="Capital letters and digits.",
    ),
]
SkuTemplate = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        extra_json_schema={"pattern": TEMPLATE_PATTERN},
        description="Capital letters, digits, hyphens and underscores; {option} stands for the "
        "code of that option's value, {size} for the ring size.",
    ),
]
MediaId = Annotated[
    str, Meta(min_length=1, max_length=64, extra_json_schema={"pattern": MEDIA_PATTERN})
]
RateKey = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=KEY_LENGTH_MAX,
        extra_json_schema={"pattern": RATE_KEY_PATTERN},
        description="Lower-case letters, digits, hyphens and points, in parts joined by slashes.",
    ),
]
RateTemplate = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=KEY_LENGTH_MAX,
        extra_json_schema={"pattern": RATE_TEMPLATE_PATTERN},
        description="The key of a rate; {option} stands for that option's value.",
    ),
]
Short = Annotated[str, Meta(min_length=1, max_length=100)]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=10_000)]

_FIELD = re.compile(r"\{([^{}]*)\}")
_PATTERNS: Final = {
    "id": (re.compile(ID_PATTERN, re.ASCII), "lower-case letters, digits and single hyphens"),
    "tag": (re.compile(TAG_PATTERN, re.ASCII), "a BCP 47 tag, cased as de, de-CH or zh-Hant-TW"),
    "code": (re.compile(CODE_PATTERN, re.ASCII), "at most 16 capital letters and digits"),
    "template": (
        re.compile(TEMPLATE_PATTERN, re.ASCII),
        "capital letters, digits, - and _, with {option} and {size} for what differs",
    ),
    "media": (re.compile(MEDIA_PATTERN, re.ASCII), "letters, digits, - and _"),
    "key": (
        re.compile(RATE_KEY_PATTERN, re.ASCII),
        "lower-case letters, digits, - and . in parts joined by /",
    ),
}


def misspelt(kind: str, text: str) -> str | None:
    """Return how `text` would be spelt right, or None where it is.

    Args:
        kind: One of id, tag, code, template, media, key.
        text: What is spelt.
    """
    pattern, right = _PATTERNS[kind]
    return None if pattern.fullmatch(text) else f"is misspelt; it takes {right}"


def fields_in(template: str) -> tuple[str, ...]:
    """Return the names in braces in `template`, in order."""
    return tuple(_FIELD.findall(template))


def fill(template: str, values: dict[str, str]) -> str:
    """Return `template` with every name in braces replaced by its value.

    Raises:
        KeyError: A name has no value.
    """
    return _FIELD.sub(lambda found: values[found[1]], template)
