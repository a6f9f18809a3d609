-- Every column named `sealed` is ciphertext. No other column may tell a kind, day, author or size class.
-- Tables keyed by a random or hashed id are WITHOUT ROWID on purpose: a rowid would record the order of
-- arrival, and with it which encounter was saved together with which participant. That costs 9 bytes a body.

CREATE TABLE meta (
    name    TEXT NOT NULL PRIMARY KEY,
    sealed  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- `number` is drawn from the random page id. Records point at it, so that folding a page under a new id
-- rewrites the page alone and not up to 128 record rows scattered over the tree.
CREATE TABLE page (
    number  INTEGER NOT NULL PRIMARY KEY,
    page_id BLOB NOT NULL UNIQUE CHECK (length(page_id) = 16),
    sealed  BLOB NOT NULL
) STRICT;

CREATE TABLE record (
    record_id BLOB NOT NULL PRIMARY KEY CHECK (length(record_id) = 16),
    page      INTEGER NOT NULL REFERENCES page (number)
) STRICT, WITHOUT ROWID;

-- Newest items that are not yet folded into their page.
CREATE TABLE tail (
    page      INTEGER NOT NULL REFERENCES page (number),
    record_id BLOB NOT NULL CHECK (length(record_id) = 16),
    sealed    BLOB NOT NULL,
    PRIMARY KEY (page, record_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE body (
    record_id BLOB NOT NULL CHECK (length(record_id) = 16),
    body_id   BLOB NOT NULL CHECK (length(body_id) = 32),
    sealed    BLOB NOT NULL,
    PRIMARY KEY (record_id, body_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE draft (
    record_id BLOB NOT NULL CHECK (length(record_id) = 16),
    number    INTEGER NOT NULL,
    sealed    BLOB NOT NULL,
    PRIMARY KEY (record_id, number)
) STRICT, WITHOUT ROWID;

-- Snapshots of 1 to 4 KB fill pages a quarter better in a table of numbered rows; the numbers are drawn
-- from the random record ids.
CREATE TABLE document (
    number    INTEGER NOT NULL PRIMARY KEY,
    record_id BLOB NOT NULL UNIQUE CHECK (length(record_id) = 16),
    sealed    BLOB NOT NULL
) STRICT;

CREATE TABLE ledger (
    segment INTEGER NOT NULL PRIMARY KEY,
    sealed  BLOB NOT NULL
) STRICT;

CREATE TABLE operation (
    op_id  BLOB NOT NULL PRIMARY KEY CHECK (length(op_id) = 32),
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE held (
    row_id BLOB NOT NULL PRIMARY KEY CHECK (length(row_id) = 32),
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Departure order is what this table is for, and it is emptied at every push.
CREATE TABLE outbox (
    number INTEGER NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;
