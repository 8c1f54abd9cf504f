-- name: preload
-- The rows that a fold is going to ask for.
SELECT to_json(t)::text
FROM {table} AS t
INNER JOIN json_populate_recordset(NULL::{table}, %s) AS k USING ({key});

-- name: upsert
-- Insert the rows, or replace those that are there.
INSERT INTO {table} ({columns})
SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s)
ON CONFLICT ({key}) DO UPDATE SET ({columns}) = ROW({replacements});

-- name: insert
-- Add the rows; one that is there already was applied twice.
INSERT INTO {table} ({columns})
SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s);
