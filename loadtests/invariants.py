"""What must hold of all answers of a run together, whoever asked and however many did.

The rule: each invariant has a name and a sentence in `INVARIANTS`, and what breaks it is a sentence
that names the URL. Nothing here knows Locust or asks the service anything; `after.py` does.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from loadtests.answers import (
    Answer,
    Decode,
    picture_url,
    wrong_answered,
    wrong_decoded,
    wrong_expected,
    wrong_honest,
    wrong_immutable,
    wrong_json,
    wrong_problem,
    wrong_revalidated,
)

SAMPLE: Final = 200
"""Bodies decoded after a run: with 200 of them, a fault of one picture in 50 is missed in 2 % of
runs (0.98 to the power of 200); some 20 MB of memory."""

SHOWN_MAX: Final = 10
"""Sentences kept of each invariant: the eleventh says nothing new, and is counted."""

INVARIANTS: Final[Mapping[str, str]] = {
    "answered": "Every request is answered.",
    "honest": "No 5xx but a 503 that says when to come again, and why.",
    "problem": "Every error is a problem document that no cache keeps for ever.",
    "expected": "What is asked wrongly is refused, in the way that is documented.",
    "json": "What says it is JSON is.",
    "immutable": "A picture is of its type and length, immutable, and varies with nothing.",
    "revalidated": "304 is for who sent an ETag, and has that ETag.",
    "same": "A URL has one ETag and one body, whoever asks.",
    "decodes": "Every picture decodes, is of its format, and as wide as its URL says (sampled).",
    "keys": "Pictures of one key have one ETag (sampled).",
    "nothing drawn": "Attackers have nothing drawn.",
    "log": "The service logs no error (where the load test started it).",
    "visitors": "No visitor stumbles over an answer: that would be a fault of ours.",
}
"""What is held, in the order it is reported."""


class Checker:
    """Sees every answer of a run and remembers what was wrong.

    Attributes:
        breaches: Invariant → how often it was broken.
        seen: Answers by status.
    """

    def __init__(self, *, seed: int = 0, sample: int = SAMPLE) -> None:
        self.breaches: Counter[str] = Counter()
        self.seen: Counter[int] = Counter()
        self._sentences: dict[str, list[str]] = {}
        # Picture → ETag and digest of its bytes.
        self._known: dict[str, tuple[str, bytes]] = {}
        self._chance = random.Random(seed)  # noqa: S311  # which bodies are decoded; no secret
        self._sample_size, self._sample = sample, list[tuple[Answer, str]]()
        self._offered = 0

    @property
    def sentences(self) -> list[str]:
        """What was wrong, at most `SHOWN_MAX` sentences of each invariant."""
        lines = []
        for name, sentences in self._sentences.items():
            lines += sentences
            if (more := self.breaches[name] - len(sentences)) > 0:
                lines.append(f"… and {more} more: {INVARIANTS[name]}")
        return lines

    @property
    def pictures(self) -> Mapping[str, str]:
        """URL of each picture that was answered with 200 → its ETag."""
        return {url: etag for url, (etag, _) in self._known.items()}

    def see(self, answer: Answer) -> str | None:
        """Hold `answer` against every invariant; return the name of the first it breaks, or None.

        Args:
            answer: Any answer of the service, of any route.
        """
        self.seen[answer.status] += 1
        checks: tuple[tuple[str, Iterator[str]], ...] = (
            ("answered", wrong_answered(answer)),
            ("honest", wrong_honest(answer)),
            ("problem", wrong_problem(answer)),
            ("expected", wrong_expected(answer)),
            ("json", wrong_json(answer)),
            ("immutable", wrong_immutable(answer)),
            ("revalidated", wrong_revalidated(answer)),
        )
        found = [(name, said) for name, sentences in checks for said in sentences]
        # What is wrong in itself is no measure for others.
        if not found:
            found = [("same", said) for said in self._same(answer)]
        for name, said in found:
            self.breach(name, said)
        return found[0][0] if found else None

    def breach(self, name: str, sentence: str) -> None:
        """Remember that the invariant `name`, one of `INVARIANTS`, was broken."""
        self.breaches[name] += 1
        kept = self._sentences.setdefault(name, [])
        if len(kept) < SHOWN_MAX:
            kept.append(sentence)

    def check_bodies(self, decode: Decode) -> int:
        """Decode the sample of bodies; return how many there were."""
        for answer, url in self._sample:
            for said in wrong_decoded(answer, url, decode):
                self.breach("decodes", said)
        return len(self._sample)

    def check_keys(self, keys: Iterable[tuple[str, str]]) -> int:
        """Hold the ETags of pictures that have one key against each other.

        Args:
            keys: (URL, key) of pictures that were seen.

        Returns:
            How many there were.
        """
        first: dict[str, str] = {}
        count = 0
        for url, key in keys:
            count += 1
            other = first.setdefault(key, url)
            etag, etag_of_other = self._known[url][0], self._known[other][0]
            if etag != etag_of_other:
                self.breach(
                    "keys",
                    f"{url} has the ETag {etag} and {other} has {etag_of_other}, "
                    f"though both have the key {key}.",
                )
        return count

    def check_renders(self, before: int, after: int) -> None:
        """Hold that nothing was drawn between two readings of the service's own count."""
        if after != before:
            self.breach(
                "nothing drawn",
                "While nobody but attackers asked, render_service_renders_total of /metrics "
                f"went from {before} to {after}.",
            )

    def _same(self, answer: Answer) -> Iterator[str]:
        """Who asks for a picture again, under whatever address of it, gets the same bytes."""
        url = answer.picture or picture_url(answer.url)
        if answer.status != 200 or not url or answer.method != "GET":
            return
        etag, digest = answer.headers.get("etag", ""), hashlib.sha256(answer.body).digest()
        known = self._known.setdefault(url, (etag, digest))
        if known[0] != etag:
            yield f"{answer.name} has the ETag {etag}, and had {known[0]} before."
        if known[1] != digest:
            yield f"{answer.name} answered other bytes than before."
        if known == (etag, digest):
            self._keep(answer, url)

    def _keep(self, answer: Answer, url: str) -> None:
        """Keep some of the bodies, each equally likely (Vitter's algorithm R, 1985)."""
        self._offered += 1
        if len(self._sample) < self._sample_size:
            self._sample.append((answer, url))
        elif (at := self._chance.randrange(self._offered)) < self._sample_size:
            self._sample[at] = (answer, url)
