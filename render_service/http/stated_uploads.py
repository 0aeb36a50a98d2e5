"""What is stated of the routes of uploads."""

from collections.abc import Mapping
from typing import Final

from render_service.auth.scopes import Scope
from render_service.http.stated import Operation, Stated
from render_service.http.upload_schemas import UploadIn

_UPLOAD: Final = "/v1/assets/uploads/{upload}"
_MINE: Final = Scope.ASSET_WRITE

UPLOADS: Final[Mapping[Operation, Stated]] = {
    ("/v1/assets/uploads", "post"): Stated(
        problems=(400, 413, 415, 429, 503),
        body=UploadIn,
        scope=_MINE,
        words={429: "The caller has as many uploads open as anybody may"},
    ),
    (f"{_UPLOAD}/complete", "post"): Stated(
        problems=(400, 404, 409, 410, 503),
        scope=_MINE,
        words={409: "The file has not arrived", 410: "It did not arrive in time"},
    ),
    (_UPLOAD, "get"): Stated(problems=(400, 404, 503), scope=_MINE),
    ("/v1/assets/{sha256}", "get"): Stated(problems=(400, 404, 503), scope=_MINE),
}
