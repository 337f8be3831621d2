-- +goose Up

-- History, thinned by age: a row for each series, resolution (seconds) and bucket
-- of time. A series of an axis and a market holds bands, one of an axis alone its
-- price, one of a market alone its totals.
CREATE TABLE history_series (
    id     INTEGER PRIMARY KEY,
    axis   TEXT NOT NULL,
    market TEXT NOT NULL,
    UNIQUE (axis, market)
) STRICT;

CREATE TABLE history (
    series     INTEGER NOT NULL REFERENCES history_series (id) ON DELETE CASCADE,
    resolution INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    body       BLOB    NOT NULL,
    PRIMARY KEY (series, resolution, at)
) STRICT, WITHOUT ROWID;

-- Liquidations that really happened, as long as their block is part of the chain.
CREATE TABLE liquidations (
    chain      TEXT    NOT NULL,
    block      INTEGER NOT NULL,
    log        INTEGER NOT NULL,
    tx         TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    market     TEXT    NOT NULL,
    position   TEXT    NOT NULL,
    collateral TEXT    NOT NULL,
    debt       TEXT    NOT NULL,
    seized     TEXT    NOT NULL,
    repaid     TEXT    NOT NULL,
    seized_usd TEXT    NOT NULL,
    repaid_usd TEXT    NOT NULL,
    cents      INTEGER NOT NULL,
    short      INTEGER NOT NULL,
    PRIMARY KEY (chain, block, log, market)
) STRICT, WITHOUT ROWID;

CREATE INDEX liquidations_at ON liquidations (at);
CREATE INDEX liquidations_cents ON liquidations (cents);

-- Who took note of an alert.
CREATE TABLE acknowledgements (
    alert TEXT PRIMARY KEY REFERENCES alerts (id) ON DELETE CASCADE,
    at    INTEGER NOT NULL,
    name  TEXT    NOT NULL
) STRICT;

-- Rules that send nothing until a time.
CREATE TABLE mutes (
    rule  TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    name  TEXT    NOT NULL
) STRICT;

CREATE INDEX alerts_created ON alerts (created);

-- +goose Down

DROP INDEX alerts_created;
DROP TABLE mutes;
DROP TABLE acknowledgements;
DROP TABLE liquidations;
DROP TABLE history;
DROP TABLE history_series;
