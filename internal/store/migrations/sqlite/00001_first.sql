-- +goose Up

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- A market's cursor: the accounts are complete up to and including this block.
CREATE TABLE markets (
    id     INTEGER PRIMARY KEY,
    name   TEXT    NOT NULL UNIQUE,
    number INTEGER NOT NULL,
    hash   BLOB    NOT NULL,
    parent BLOB    NOT NULL,
    time   INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    market  INTEGER NOT NULL REFERENCES markets (id) ON DELETE CASCADE,
    address BLOB    NOT NULL CHECK (length(address) = 20),
    PRIMARY KEY (market, address)
) STRICT, WITHOUT ROWID;

-- What a rule remembers: the part that a reorg does not take back ...
CREATE TABLE rule_states (
    rule      TEXT PRIMARY KEY,
    pruned    INTEGER NOT NULL,
    doubts    TEXT    NOT NULL,
    revisions TEXT    NOT NULL
) STRICT;

-- ... and the part that it does, a row for each observation it can reach.
CREATE TABLE checkpoints (
    rule TEXT    NOT NULL,
    seq  INTEGER NOT NULL,
    body TEXT    NOT NULL,
    PRIMARY KEY (rule, seq)
) STRICT;

CREATE TABLE beats (
    source TEXT PRIMARY KEY,
    body   TEXT NOT NULL
) STRICT;

CREATE TABLE decisions (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    rule       TEXT    NOT NULL,
    axis       TEXT    NOT NULL,
    level      TEXT    NOT NULL,
    side       TEXT    NOT NULL,
    episode    INTEGER NOT NULL,
    from_phase TEXT    NOT NULL,
    to_phase   TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    price      TEXT    NOT NULL,
    chain_time INTEGER NOT NULL,
    sent       INTEGER NOT NULL
) STRICT;

-- Times are nanoseconds since 1970, UTC. The key is what makes an alert happen once.
CREATE TABLE alerts (
    id        TEXT PRIMARY KEY,
    dedup_key TEXT    NOT NULL UNIQUE,
    kind      TEXT    NOT NULL,
    rule      TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    alert     TEXT    NOT NULL,
    message   TEXT    NOT NULL
) STRICT;

CREATE TABLE deliveries (
    id          INTEGER PRIMARY KEY,
    alert       TEXT    NOT NULL REFERENCES alerts (id),
    notifier    TEXT    NOT NULL,
    fate        TEXT    NOT NULL CHECK (fate IN ('pending', 'sent', 'dead')),
    urgency     INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    failures    INTEGER NOT NULL DEFAULT 0,
    uncertain   INTEGER NOT NULL DEFAULT 0,
    lease       TEXT    NOT NULL DEFAULT '',
    lease_until INTEGER NOT NULL DEFAULT 0,
    settled_at  INTEGER NOT NULL DEFAULT 0,
    reason      TEXT    NOT NULL DEFAULT '',
    UNIQUE (alert, notifier)
) STRICT;

CREATE INDEX deliveries_waiting ON deliveries (notifier, urgency DESC, created, id) WHERE fate = 'pending';

-- A receiver that asked to be left alone.
CREATE TABLE holds (
    notifier TEXT PRIMARY KEY,
    until    INTEGER NOT NULL
) STRICT;

-- +goose Down

DROP TABLE holds;
DROP TABLE deliveries;
DROP TABLE alerts;
DROP TABLE decisions;
DROP TABLE beats;
DROP TABLE checkpoints;
DROP TABLE rule_states;
DROP TABLE accounts;
DROP TABLE markets;
DROP TABLE meta;
