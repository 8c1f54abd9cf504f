-- name: limit_session
-- A batch may take long, a lock may not: whoever rebuilds a table holds it for moments only.
SELECT
    set_config('statement_timeout', '60s', FALSE),
    set_config('lock_timeout', '5s', FALSE),
    set_config('idle_in_transaction_session_timeout', '60s', FALSE);

-- name: try_lead
-- One runner at a time; the lock goes with the connection.
SELECT pg_try_advisory_lock(7310581);
