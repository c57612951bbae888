"""Words that people use in headers for Bigin's own fields; only suggestions are made from it."""

from __future__ import annotations

_ADDRESS = {
    "Street": "street, address, straße, strasse, adresse",
    "City": "city, town, stadt, ort, ville",
    "State": "state, province, region, bundesland",
    "Code": "zip, zip code, postcode, postal code, plz, code postal",
    "Country": "country, land, pays",
}


def _address(prefix: str) -> dict[str, str]:
    return {f"{prefix}_{part}": words for part, words in _ADDRESS.items()}


_WORDS = {
    "Contacts": {
        "id": "record id, contact id",
        "Email": "email, email address, mail, e-mail-adresse, courriel, correo",
        "First_Name": "first name, given name, forename, vorname, prénom, nombre",
        "Last_Name": "last name, surname, family name, nachname, familienname, nom, apellido",
        "Account_Name": "company, company name, organisation, organization, firma, unternehmen",
        "Phone": "phone, phone number, telephone, tel, telefon, téléphone",
        "Mobile": "mobile, mobile phone, cell, cell phone, handy, mobil",
        "Title": "title, job title, position",
        "Date_of_Birth": "birthday, birth date, date of birth, dob, geburtstag, geburtsdatum",
        "Email_Opt_Out": "email opt out, unsubscribed",
        "Description": "description, notes, comment, bemerkung, notiz",
        **_address("Mailing"),
    },
    "Accounts": {
        "id": "record id, company id",
        "Account_Name": "company, company name, account, name, organisation, firma, unternehmen",
        "Phone": "phone, phone number, telephone, tel, telefon",
        "Website": "website, web site, url, homepage, webseite",
        "Description": "description, notes, comment, bemerkung",
        **_address("Billing"),
    },
    "Pipelines": {
        "id": "record id, deal id",
        "Deal_Name": "deal, deal name, opportunity, opportunity name",
        "Stage": "stage, deal stage, phase",
        "Sub_Pipeline": "sub pipeline, pipeline",
        "Amount": "amount, deal value, betrag",
        "Closing_Date": "closing date, close date, expected close",
        "Account_Name": "company, company name, firma",
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
