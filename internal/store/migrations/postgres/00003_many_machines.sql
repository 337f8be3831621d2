-- +goose Up

ALTER TABLE alerts ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- A process that leads, for as long as it renews. Terms are never given twice. Who
-- writes holds the row of its term until the commit; who takes over deletes it first.
CREATE TABLE leaderships (
    term   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    holder TEXT        NOT NULL,
    since  TIMESTAMPTZ NOT NULL,
    until  TIMESTAMPTZ NOT NULL
);

-- What it leads: chains, markets, axes, rules and notifiers.
CREATE TABLE led (
    name TEXT PRIMARY KEY,
    term BIGINT NOT NULL REFERENCES leaderships (term) ON DELETE CASCADE
);

CREATE INDEX led_term ON led (term);

-- +goose Down

DROP TABLE led;
DROP TABLE leaderships;
ALTER TABLE alerts DROP COLUMN reason;
