"""Whose a document is: a pure function of its key and the settings, asked by everything that writes or compares."""

from dataclasses import dataclass
from typing import Self

from bucketwise.callers import MOST_TENANT_CHARACTERS, is_tenant
from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from bucketwise.settings import Settings


@dataclass(frozen=True, slots=True)
class Owner:
    """``refused``: the key's folder cannot be a tenant. Its document fails, and ``tenant`` is who is shown why."""

    tenant: str
    refused: bool = False

    def fingerprint(self, code: str) -> str:
        """Another one for what is refused: so it is looked at again when folders are asked no more."""
        return f"{code}, no tenant" if self.refused else code


@dataclass(frozen=True, slots=True)
class Tenancy:
    """How the documents of a bucket are divided among tenants.

    With ``folders`` a document is of the tenant that the first folder of its key below ``prefix`` names, and one in no
    folder is of ``default``, as all are without.
    """

    default: str
    prefix: str = ""
    folders: bool = False

    @classmethod
    def of(cls, given: Settings) -> Self:
        return cls(given.tenant, given.prefix, given.tenant_folders)

    def owner(self, key: str) -> Owner:
        """Of the document ``key``; a sidecar lies in the folder of its document.

        A folder's name is taken to the letter, as S3 takes it: names that differ in case, or in the form in which
        Unicode composes a letter, are different tenants.
        """
        if not self.folders or not key.startswith(self.prefix):
            return Owner(self.default)
        folder, slash, _ = key[len(self.prefix) :].partition("/")
        if not slash:
            return Owner(self.default)
        return Owner(folder) if is_tenant(folder) else Owner(self.default, refused=True)


def bad_folder() -> UnreadableDocument:
    """Why the document of a key is refused."""
    return UnreadableDocument(
        FailureReason.BAD_FOLDER,
        f"Its folder cannot be a tenant: the name is empty, has more than {MOST_TENANT_CHARACTERS} characters or one "
        "that is not printable, or begins or ends with a space. Store the object in another folder.",
    )
