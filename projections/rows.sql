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

-- name: add
-- Add rows to a table that is only added to; one that is there already was applied twice, and is refused.
COPY {table} ({columns}) FROM STDIN;

-- name: stage
-- Room for many rows, on their way into their table.
CREATE TEMPORARY TABLE {stage} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA;

-- name: add_to_stage
-- The rows, as they are to be in their table.
COPY {stage} ({columns}) FROM STDIN;

-- name: upsert_staged
-- Insert the staged rows, or replace those that are there.
INSERT INTO {table} ({columns})
SELECT {columns} FROM {stage}
ON CONFLICT ({key}) DO UPDATE SET ({columns}) = ROW({replacements});
