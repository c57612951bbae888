"""
The twin: a local Bigin by Zoho CRM for bulk write, built from Bigin's documentation alone.

It shares no code with the importer, so that a mistake of the client shows here as it would
there. `model.Bigin` is the whole behaviour, pure and with all time passed in; `app` puts HTTP
over it; `deliveries` posts the callbacks.

    python -m tests.bigin_twin --port 8080 --setting row_seconds=0.0001

It answers, under one base URL that stands for all of Zoho's hosts:

    POST /oauth/v2/token                  refresh: 10 in 10 minutes, 15 live tokens, expiry
    POST /bigin/v2/upload                 headers, size and zip checked; errors as 200 or 4xx
    POST /bigin/bulk/v2/write             every documented refusal; 500 credits
    GET  /bigin/bulk/v2/write/{id}        ADDED, INPROGRESS, COMPLETED or FAILED, by the clock
    GET  /bigin/v2/{zgid}/bulk-write/...  result zip: three mapped columns, STATUS, ERRORS
    GET  /bigin/v2/settings/fields, /bigin/v2/settings/modules, /bigin/v2/org

Rows are really written: mandatory and unique fields, types and lengths, lookups, picklists that
grow, insert, update and upsert by `find_by`, `ignore_empty`, default values.

For tests, and no part of Bigin:

    GET  /_twin/health, /_twin/records?module=, /_twin/jobs, /_twin/requests, /_twin/callbacks
    GET, POST /_twin/settings             `settings.Settings`: oddities, limits, latencies
    GET, POST, DELETE /_twin/faults       `faults.Fault`: {"name": "job_stuck", "times": 1}
    POST /_twin/revoke-tokens, /_twin/reset

Choices where nothing is documented: `Id` and `callBack` are understood; a BOM stays in the first
header; too many rows, columns or files in the zip are refused at create; an upsert with an
empty key inserts; a key that is not unique finds the oldest record; credits go only for jobs
that were made; callbacks are sent once, whatever the receiver answers.

Known limits: one organisation, one client, one refresh token, no grant codes; one data centre
and one host, so a call to the wrong host cannot be noticed; the user's profile is never in the
way unless a fault says so; layouts exist only as a list of mandatory fields; `data_type`s are
judged by shape, not by Zoho's own parsers; nothing survives the process.
"""
