"""Pages of lists."""

from typing import Annotated

from fastapi import Query

MAX_LIMIT = 100

PageNumber = Annotated[int, Query(ge=1, le=1_000_000, description="From 1.")]
PageLimit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many on a page.")]
