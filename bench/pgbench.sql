-- name: create_yardstick
-- Where the rows go.
CREATE TABLE yardstick (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state bytea
);

-- name: insert_row
-- One row of 500 bytes: the script that pgbench repeats.
INSERT INTO yardstick (state)
VALUES (decode(repeat('ab', 500), 'hex'));
