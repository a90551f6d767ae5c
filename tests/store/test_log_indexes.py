"""The events about one user, and about one object, are found by an index of their own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, text

from tenantry.core.context import Caller
from tenantry.store import audit
from tenantry.store.audit import EventFilter
from tenantry.store.pages import PageRequest
from tenantry.store.unit_of_work import Store, TenantSession


@pytest.mark.parametrize(
    "criteria, index",
    [
        (EventFilter(user_id="user"), "log_events_user"),
        (EventFilter(target=("User", "user")), "log_events_target"),
        (EventFilter(types=("user.created",)), "log_events_type"),
    ],
)
def test_a_filter_has_its_index(store: Store, criteria: EventFilter, index: str) -> None:
    def explained(db: TenantSession) -> str:
        statements: list[Any] = []

        def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
            statements.append((statement, values))

        event.listen(db.connection, "before_cursor_execute", note)
        if not db.is_sqlite:
            # A small table is read through, whatever indexes it has.
            db.connection.execute(text("SET LOCAL enable_seqscan = off"))
        audit.page(db, criteria, PageRequest(50, descending=True))
        statement, values = statements[-1]
        explain = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
        return "\n".join(
            str(row) for row in db.connection.exec_driver_sql(explain + statement, values)
        )

    plan = store.write_now("tenant", Caller(), explained)
    assert index in plan, plan
    assert "Sort" not in plan, plan
    assert "B-TREE" not in plan, plan
