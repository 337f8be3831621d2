-- +goose Up

-- More can become of a delivery: told together with others, or not to be told there.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_fate_check;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_fate_check CHECK (fate IN ('pending', 'sent', 'dead', 'digested', 'skipped'));
-- The alert that stands for it.
ALTER TABLE deliveries ADD COLUMN digest TEXT NOT NULL DEFAULT '';

-- When a notifier was last sent something: a JSON list of times, oldest first.
CREATE TABLE paces (
    notifier TEXT PRIMARY KEY,
    sends    TEXT NOT NULL
);

-- Which alerts were told in an episode.
CREATE TABLE told (
    episode TEXT NOT NULL,
    alert   TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    PRIMARY KEY (episode, alert)
);

CREATE INDEX told_alert ON told (alert);

-- +goose Down

DROP TABLE told;
DROP TABLE paces;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_fate_check;
UPDATE deliveries SET fate = 'sent' WHERE fate IN ('digested', 'skipped');
ALTER TABLE deliveries ADD CONSTRAINT deliveries_fate_check CHECK (fate IN ('pending', 'sent', 'dead'));
ALTER TABLE deliveries DROP COLUMN digest;
