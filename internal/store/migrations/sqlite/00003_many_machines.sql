-- +goose Up

ALTER TABLE alerts ADD COLUMN reason TEXT NOT NULL DEFAULT '';
UPDATE alerts SET reason = coalesce(json_extract(alert, '$.reason'), '');

-- +goose Down

ALTER TABLE alerts DROP COLUMN reason;
