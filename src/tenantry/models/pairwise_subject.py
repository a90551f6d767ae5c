from __future__ import annotations

from sqlmodel import Field, Index, SQLModel


class PairwiseSubject(SQLModel, table=True):
    """Whom a pairwise name means; it cannot be told from the name itself."""

    __tablename__ = "pairwise_subjects"
    __table_args__ = (Index("pairwise_subjects_user", "tenant_id", "user_id"),)
    tenant_id: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    user_id: str
