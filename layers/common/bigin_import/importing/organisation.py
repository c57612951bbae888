"""
Whether Bigin is asked in the organisation of an import: the Zoho secret may be made another's.

A module of its own, for job_callback asks it too and would start slower by all that finds mappings.
"""

from __future__ import annotations

from bigin_import.domain.import_record import Import
from bigin_import.errors import OtherOrganisationError
from bigin_import.ports import Bigin, Ledger


def check_organisation(ledger: Ledger, bigin: Bigin, import_id: str) -> None:
    """
    Check, where Bigin refuses to tell of an import's job, that it is asked in the right place.

    Raises:
        OtherOrganisationError: The access token is for another organisation than the import.
        BiginError: Bigin did not say whose it is.
    """
    record = ledger.load(Import.at(import_id))
    if record is None or record.zgid is None:
        return
    found = bigin.get_zgid()
    if found != record.zgid:
        raise OtherOrganisationError(wanted=record.zgid, found=found)
