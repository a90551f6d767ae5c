"""The profiles of OpenID's FAPI working group that an application can be held to."""

from __future__ import annotations

from enum import StrEnum


class ComplianceLevel(StrEnum):
    """Standard, way of authentication, way of binding tokens."""

    FAPI1_ADV_PKJ_PAR = "fapi1_adv_pkj_par"
    FAPI1_ADV_MTLS_PAR = "fapi1_adv_mtls_par"
    FAPI2_SP_PKJ_MTLS = "fapi2_sp_pkj_mtls"
    FAPI2_SP_MTLS_MTLS = "fapi2_sp_mtls_mtls"
    FAPI2_SP_PKJ_DPOP = "fapi2_sp_pkj_dpop"
    FAPI2_SP_MTLS_DPOP = "fapi2_sp_mtls_dpop"
    FAPI2_MS_PKJ_MTLS = "fapi2_ms_pkj_mtls"
    FAPI2_MS_MTLS_MTLS = "fapi2_ms_mtls_mtls"
    FAPI2_MS_PKJ_DPOP = "fapi2_ms_pkj_dpop"
    FAPI2_MS_MTLS_DPOP = "fapi2_ms_mtls_dpop"
