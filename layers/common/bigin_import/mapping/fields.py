"""The fields of a module as a mapping sees them, with or without Bigin's metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bigin_import.domain.job_request import Field
from bigin_import.mapping.keys import DATE_TYPES
from bigin_import.mapping.model import MappedField
from bigin_import.mapping.names import (
    ALWAYS_KNOWN,
    STANDARD_DATES,
    STANDARD_LOOKUPS,
    STANDARD_MANDATORY,
    SYSTEM_KEYS,
    loose_form,
    nearest,
)
from bigin_import.reading.dialect import matching_form

# What Bigin is told, whatever the drop has.
SENT_DATE = "yyyy-MM-dd"
SENT_DATETIME = "yyyy-MM-dd HH:mm:ss"

# The first words are the surest: of two columns for one field, the one with the earlier word is it.
_ADDRESS = {
    "Street": "street, address, street address, straße, strasse, adresse, business street, "
    "address 1 - street, default address address1, bill address, home street",
    "City": "city, town, stadt, ort, ville, business city, address 1 - city, "
    "default address city, home city",
    "State": "state, province, region, bundesland, state/province, business state, "
    "mailing state/province, billing state/province, address 1 - region, "
    "default address province code, home state",
    "Code": "zip, zip code, postcode, postal code, plz, postleitzahl, code postal, "
    "zip/postal code, mailing zip/postal code, billing zip/postal code, business postal code, "
    "address 1 - postal code, default address zip, home postal code",
    "Country": "country, land, pays, country/region, business country/region, "
    "address 1 - country, default address country code, home country/region",
}


def _address(prefix: str, code: str) -> dict[str, str]:
    parts = _ADDRESS | {code: _ADDRESS["Code"]}
    return {
        f"{prefix}_{part}": parts[part] for part in ("Street", "City", "State", code, "Country")
    }


_WORDS = {
    "Contacts": {
        "id": "record id, contact id",
        "Email": "email, email address, e-mail address, mail, e-mail-adresse, courriel, correo, "
        "e-mail 1 - value, work email, main email, person - email - work",
        "First_Name": "first name, given name, forename, vorname, prénom, nombre",
        "Last_Name": "last name, surname, family name, nachname, familienname, nom, apellido",
        "Account_Name": "company, company name, organisation, organization, firma, unternehmen, "
        "account name, organization name, associated company, default address company, employer, "
        "person - organization",
        "Phone": "phone, phone number, telephone, tel, telefon, téléphone, business phone, "
        "work phone, main phone, phone 1 - value, person - phone - work, default address phone",
        "Mobile": "mobile, mobile phone, mobile number, cell, cell phone, handy, mobil, "
        "person - phone - mobile",
        "Title": "job title, position, organization title, title",
        "Date_of_Birth": "birthday, birth date, date of birth, dob, geburtstag, geburtsdatum",
        "Email_Opt_Out": "email opt out, unsubscribed",
        "Description": "description, notes, note, comment, bemerkung, notiz",
        **_address("Mailing", "Zip"),
    },
    "Accounts": {
        "id": "record id, company id",
        "Account_Name": "company, company name, account, account name, name, organisation, firma, "
        "unternehmen, name 1",
        "Phone": "phone, phone number, telephone, tel, telefon",
        "Website": "website, web site, url, homepage, webseite",
        "Description": "description, notes, comment, bemerkung",
        **_address("Billing", "Code"),
    },
    "Pipelines": {
        "id": "record id, deal id",
        "Deal_Name": "deal, deal name, opportunity, opportunity name",
        "Stage": "stage, deal stage, phase",
        "Sub_Pipeline": "sub pipeline, pipeline",
        "Amount": "amount, deal value, betrag",
        "Closing_Date": "closing date, close date, expected close",
        "Account_Name": "company, company name, firma, account name",
        "Contact_Name": "contact, contact name, kontakt",
    },
    "Products": {
        "id": "record id, product id",
        "Product_Name": "product, product name, name, produkt, artikel",
        "Product_Code": "product code, sku, article number, artikelnummer",
        "Unit_Price": "unit price, price, preis",
        "Description": "description, notes, beschreibung",
    },
}

# Module -> field -> words.
VOCABULARY: dict[str, dict[str, tuple[str, ...]]] = {
    module: {field: tuple(words.split(", ")) for field, words in fields.items()}
    for module, fields in _WORDS.items()
}


_BIRTH = re.compile(
    r"birth|\bdob\b|geburt|naissance|nacimiento|nascita|nascimento|geboorte|f\u00f6delse|urodzenia",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ModuleFields:
    """
    What is known about the fields of *module*.

    Attributes:
        by_name: Empty if the metadata could not be had.
        are_known: False if it could not be had: then nothing is refused for its name or type.
    """

    module: str
    by_name: dict[str, Field]
    are_known: bool

    @classmethod
    def of(cls, module: str, fields: tuple[Field, ...] | None) -> ModuleFields:
        by_name = {field.api_name: field for field in fields or ()}
        return cls(module, by_name, fields is not None)

    def is_known(self, api_name: str) -> bool:
        return not self.are_known or api_name in self.by_name or api_name in ALWAYS_KNOWN

    def data_type(self, api_name: str) -> str | None:
        """Return Bigin's word for the type of a field, or None if it is not known."""
        field = self.by_name.get(api_name)
        if field is not None:
            return field.data_type
        return "date" if not self.are_known and api_name in STANDARD_DATES else None

    def is_date(self, api_name: str) -> bool:
        """Return whether a field holds dates, with or without a time."""
        return self.data_type(api_name) in DATE_TYPES

    def is_birth(self, api_name: str, header: str) -> bool:
        """Return whether a date field, or the column that fills it, is called one of birth."""
        field = self.by_name.get(api_name)
        return _BIRTH.search(f"{api_name} {field.label if field else ''} {header}") is not None

    def is_unique(self, api_name: str) -> bool:
        """Return whether no two records can share a value of this field."""
        field = self.by_name.get(api_name)
        is_key = api_name in ("id", SYSTEM_KEYS.get(self.module))
        return is_key or (field is not None and field.unique)

    def parent_module(self, api_name: str) -> str | None:
        """Return the module that a lookup points to, or None if the field is no lookup."""
        field = self.by_name.get(api_name)
        if field is None:
            return STANDARD_LOOKUPS.get((self.module, api_name))
        return field.lookup_module if field.data_type == "lookup" else None

    def parent_key(self, mapped: MappedField) -> str | None:
        """Return the field of its parent by which a lookup is found; None if it is no lookup."""
        parent = self.parent_module(mapped.api_name)
        return mapped.find_by or (SYSTEM_KEYS.get(parent) if parent else None)

    def mandatory(self) -> Iterator[Field]:
        """Yield the fields that a new record needs and that only the import can fill."""
        for field in self.by_name.values():
            if field.mandatory and field.writable and field.api_name not in ALWAYS_KNOWN:
                yield field

    def needed(self) -> Iterator[str]:
        """Yield the API names that a new record needs, also if the metadata could not be had."""
        if self.are_known:
            yield from (field.api_name for field in self.mandatory())
        else:
            yield from STANDARD_MANDATORY.get(self.module, ())

    def spelled(self, name: str) -> str | None:
        """Return the API name that *name* spells in any case; *name* itself if none is known."""
        if not self.are_known or name in ALWAYS_KNOWN:
            return name
        folded = {known.casefold(): known for known in (*self.by_name, *ALWAYS_KNOWN)}
        return folded.get(name.casefold())

    def labelled(self, name: str) -> tuple[Field, ...]:
        """Return the fields whose label in Bigin is *name*: several may have one label."""
        form = matching_form(name)
        fields = self.by_name.values()
        return tuple(field for field in fields if matching_form(field.label) == form)

    def only_labelled(self, name: str) -> Field | None:
        """Return the one field whose label *name* is; None if it is an API name, or of several."""
        if self.spelled(name) is not None or not self.are_known:
            return None
        found = self.labelled(name)
        return found[0] if len(found) == 1 and found[0].writable else None

    def meant(self, name: str, *, similarity: float = 0.6) -> str | None:
        """
        Return the API name of the field that *name* was most likely meant to be; None if it is
        the label of several.

        Args:
            similarity: 1.0 if it is certain: *name* is its label, its name but for marks
                and spaces, or what people usually call it.
        """
        if found := self.labelled(name):
            return found[0].api_name if len(found) == 1 else None
        labels = {field.label: field.api_name for field in self.by_name.values()}
        words = VOCABULARY.get(self.module, {})
        names = (*(self.by_name or words), *ALWAYS_KNOWN, *labels)
        near = nearest(name, names, similarity=1.0) or self._usually(name)
        near = near or nearest(name, names, similarity=similarity)
        return labels.get(near, near) if near else None

    def _usually(self, name: str) -> str | None:
        """Return the field that people usually call *name*."""
        for api_name, words in VOCABULARY.get(self.module, {}).items():
            if self.is_known(api_name) and loose_form(name) in map(loose_form, words):
                return api_name
        return None


def named(field: Field) -> str:
    """Return the name of a field with the label that people see in Bigin."""
    return (
        field.api_name if field.label == field.api_name else f'{field.api_name} ("{field.label}")'
    )
