"""The pages: drawn on the server for people, on the same readings and under the same policy as REST."""

from fastapi import APIRouter

from api.pages import (
    audit,
    batches,
    correcting,
    corrections,
    differences,
    doors,
    enterprises,
    history,
    imports,
    manifests,
    start,
    traces,
)
from api.pages.reading import missing_page
from api.pages.statics import mount_static

__all__ = ["missing_page", "mount_static", "router"]

router = APIRouter(include_in_schema=False)
for _part in (
    corrections,
    correcting,
    history,
    doors,
    start,
    traces,
    batches,
    manifests,
    enterprises,
    imports,
    audit,
    differences,
):
    router.include_router(_part.router)
