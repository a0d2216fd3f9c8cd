"""What Schemathesis has to know beside the OpenAPI document: `expiresAt` is in the future, which no JSON schema can say."""

from datetime import UTC, datetime, timedelta

import schemathesis
from hypothesis import strategies as st

TO_COME = st.integers(1, 300_000).map(lambda days: (datetime.now(UTC) + timedelta(days=days)).isoformat())

schemathesis.openapi.format("date-time", TO_COME)
