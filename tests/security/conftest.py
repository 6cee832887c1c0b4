"""A PostgreSQL for what needs one here, as the integration tests have it."""

from tests.integration.conftest import postgres

__all__ = ["postgres"]
