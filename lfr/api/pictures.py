"""Pictures leave as JPEG and are kept by nobody on the way."""

from __future__ import annotations

from litestar import Response

JPEG = "image/jpeg"


def picture(jpeg: bytes) -> Response[bytes]:
    """One sealed picture, opened for this answer only (`no-store` is set on every response)."""
    return Response(jpeg, media_type=JPEG, headers={"content-disposition": "inline"})
