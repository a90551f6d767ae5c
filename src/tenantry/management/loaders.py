"""Loads for many objects what each of them asks for: one unit of work per batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from tenantry.core.credentials import CredentialFacts
from tenantry.core.facts import (
    ApplicationFacts,
    ClientGrantFacts,
    ConnectionFacts,
    ConsentFacts,
    ResourceServerFacts,
    RoleFacts,
    SessionFacts,
    UserFacts,
)
from tenantry.core.organizations import (
    OrganizationConnectionFacts,
    OrganizationFacts,
    OrganizationInvitationFacts,
    OrganizationMemberFacts,
)
from tenantry.core.readiness import ReadinessDismissalFacts
from tenantry.store import (
    applications,
    client_grants,
    connections,
    consents,
    credentials,
    organization_grants,
    organization_invitations,
    organization_members,
    organizations,
    readiness_dismissals,
    resource_servers,
    roles,
    session_clients,
    sessions,
    users,
)
from tenantry.store.pages import EMPTY_PAGE, Page, PageRequest
from tenantry.store.roles import Permission
from tenantry.store.unit_of_work import TenantSession

T = TypeVar("T")
Read = Callable[..., Awaitable[Any]]
PageKey = tuple[str, PageRequest]
_MAX_BATCH = 5_000
"""Below the number of parameters that either database allows in a statement."""


class Loaders:
    """The loaders of one request. What they remember ends with each mutation."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.application: DataLoader[str, ApplicationFacts | None] = self._by_key(
            applications.find_by_client_ids
        )
        self.resource_server: DataLoader[str, ResourceServerFacts | None] = self._by_key(
            resource_servers.find_by_identifiers
        )
        self.connection: DataLoader[str, ConnectionFacts | None] = self._by_key(
            connections.find_by_ids
        )
        self.role_permissions: DataLoader[str, tuple[Permission, ...]] = self._by_key(
            roles.permissions_of_each, ()
        )
        self.role_users: DataLoader[PageKey, Page[UserFacts]] = self._pages(roles.users_of_each)
        self.role_user_count: DataLoader[str, int] = self._by_key(roles.count_users_of_each, 0)
        self.user_roles: DataLoader[str, tuple[RoleFacts, ...]] = self._by_key(
            roles.of_each_user, ()
        )
        self.user_permissions: DataLoader[str, tuple[Permission, ...]] = self._by_key(
            users.permissions_of_each, ()
        )
        self.client_grants: DataLoader[PageKey, Page[ClientGrantFacts]] = self._pages(
            client_grants.first_of_each_client
        )
        self.client_grant_count: DataLoader[str, int] = self._by_key(
            client_grants.count_of_each_client, 0
        )
        self.connections: DataLoader[PageKey, Page[ConnectionFacts]] = self._pages(
            connections.first_of_each_application
        )
        self.connection_count: DataLoader[str, int] = self._by_key(
            connections.count_of_each_application, 0
        )
        self.credentials: DataLoader[PageKey, Page[CredentialFacts]] = self._pages(
            credentials.first_of_each_application
        )
        self.credential_count: DataLoader[str, int] = self._by_key(
            credentials.count_of_each_application, 0
        )
        self.every_credential: DataLoader[str, tuple[CredentialFacts, ...]] = self._by_key(
            credentials.of_each_application, ()
        )
        self.readiness_dismissals: DataLoader[str, tuple[ReadinessDismissalFacts, ...]] = (
            self._by_key(readiness_dismissals.of_each, ())
        )
        self.user: DataLoader[str, UserFacts | None] = self._by_key(users.find_by_ids)
        self.sessions: DataLoader[PageKey, Page[SessionFacts]] = self._pages(
            sessions.first_of_each_user
        )
        self.session_count: DataLoader[str, int] = self._by_key(sessions.count_of_each_user, 0)
        self.grants: DataLoader[PageKey, Page[ConsentFacts]] = self._pages(
            consents.first_of_each_user
        )
        self.grant_count: DataLoader[str, int] = self._by_key(consents.count_of_each_user, 0)
        self.role: DataLoader[str, RoleFacts | None] = self._by_key(roles.find_by_ids)
        self._load_organizations()
        self.session_clients: DataLoader[str, tuple[str, ...]] = self._by_key(
            session_clients.of_each, ()
        )

    def _load_organizations(self) -> None:
        self.organization: DataLoader[str, OrganizationFacts | None] = self._by_key(
            organizations.find_by_ids
        )
        self.organization_connections: DataLoader[str, tuple[OrganizationConnectionFacts, ...]] = (
            self._by_key(organizations.connections_of_each, ())
        )
        self.organization_members: DataLoader[PageKey, Page[OrganizationMemberFacts]] = self._pages(
            organization_members.first_of_each_organization
        )
        self.organization_member_count: DataLoader[str, int] = self._by_key(
            organization_members.count_of_each_organization, 0
        )
        self.member_roles: DataLoader[str, tuple[RoleFacts, ...]] = self._by_key(
            organization_members.roles_of_each, ()
        )
        self.organization_invitations: DataLoader[PageKey, Page[OrganizationInvitationFacts]] = (
            self._pages(organization_invitations.first_of_each_organization)
        )
        self.organization_invitation_count: DataLoader[str, int] = self._by_key(
            organization_invitations.count_of_each_organization, 0
        )
        self.user_organizations: DataLoader[PageKey, Page[OrganizationFacts]] = self._pages(
            organizations.first_of_each_user
        )
        self.user_organization_count: DataLoader[str, int] = self._by_key(
            organizations.count_of_each_user, 0
        )
        self.covered_organizations: DataLoader[PageKey, Page[OrganizationFacts]] = self._pages(
            organization_grants.first_of_each
        )
        self.covered_organization_count: DataLoader[str, int] = self._by_key(
            organization_grants.count_of_each, 0
        )

    def clear(self) -> None:
        """After a write: what was read before may be old."""
        for loader in vars(self).values():
            if isinstance(loader, DataLoader):
                loader.clear_all()

    def _by_key(
        self,
        find: Callable[[TenantSession, Sequence[str]], Mapping[str, Any]],
        missing: Any = None,
    ) -> DataLoader[str, Any]:
        async def load(keys: list[str]) -> list[Any]:
            found = await self._read(find, keys)
            return [found.get(key, missing) for key in keys]

        return DataLoader(load, max_batch_size=_MAX_BATCH)

    def _pages(
        self,
        find: Callable[[TenantSession, Sequence[str], PageRequest], Mapping[str, Page[T]]],
    ) -> DataLoader[PageKey, Page[T]]:
        """Pages below many parents; those that ask alike are read by one statement."""

        def read_all(
            db: TenantSession, keys: Sequence[PageKey]
        ) -> dict[PageRequest, Mapping[str, Page[T]]]:
            parents: dict[PageRequest, list[str]] = {}
            for parent, request in keys:
                parents.setdefault(request, []).append(parent)
            return {request: find(db, names, request) for request, names in parents.items()}

        async def load(keys: list[PageKey]) -> list[Page[T]]:
            found = await self._read(read_all, keys)
            return [found[request].get(parent, EMPTY_PAGE) for parent, request in keys]

        return DataLoader(load, max_batch_size=_MAX_BATCH)
