"""The databases of the integration tests."""

from tests.integration.conftest import index_database, postgres, shared_index, template

__all__ = ["index_database", "postgres", "shared_index", "template"]
