-- +goose Up

-- More can become of a delivery: told together with others, or not to be told there.
CREATE TABLE deliveries_new (
    id          INTEGER PRIMARY KEY,
    alert       TEXT    NOT NULL REFERENCES alerts (id),
    notifier    TEXT    NOT NULL,
    fate        TEXT    NOT NULL CHECK (fate IN ('pending', 'sent', 'dead', 'digested', 'skipped')),
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
    digest      TEXT    NOT NULL DEFAULT '', -- the alert that stands for it
    UNIQUE (alert, notifier)
) STRICT;

INSERT INTO deliveries_new (id, alert, notifier, fate, urgency, created, next_at, attempts, failures, uncertain, lease, lease_until, settled_at, reason)
    SELECT id, alert, notifier, fate, urgency, created, next_at, attempts, failures, uncertain, lease, lease_until, settled_at, reason FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE deliveries_new RENAME TO deliveries;

CREATE INDEX deliveries_waiting ON deliveries (notifier, urgency DESC, created, id) WHERE fate = 'pending';

-- When a notifier was last sent something: a JSON list of times, oldest first.
CREATE TABLE paces (
    notifier TEXT PRIMARY KEY,
    sends    TEXT NOT NULL
) STRICT;

-- Which alerts were told in an episode.
CREATE TABLE told (
    episode TEXT NOT NULL,
    alert   TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    PRIMARY KEY (episode, alert)
) STRICT, WITHOUT ROWID;

CREATE INDEX told_alert ON told (alert);

-- +goose Down

DROP TABLE told;
DROP TABLE paces;
CREATE TABLE deliveries_old (
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
INSERT INTO deliveries_old (id, alert, notifier, fate, urgency, created, next_at, attempts, failures, uncertain, lease, lease_until, settled_at, reason)
    SELECT id, alert, notifier, CASE WHEN fate IN ('digested', 'skipped') THEN 'sent' ELSE fate END,
        urgency, created, next_at, attempts, failures, uncertain, lease, lease_until, settled_at, reason FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE deliveries_old RENAME TO deliveries;
CREATE INDEX deliveries_waiting ON deliveries (notifier, urgency DESC, created, id) WHERE fate = 'pending';
