-- name: limit_session
-- Bounds for everything this connection will do, and UTC, whatever the server's defaults are.
SELECT
    set_config('statement_timeout', %(statement_ms)s, false),
    set_config('lock_timeout', %(lock_ms)s, false),
    set_config('idle_in_transaction_session_timeout', %(idle_in_transaction_ms)s, false),
    set_config('timezone', 'UTC', false);
