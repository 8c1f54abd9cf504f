-- name: try_lead
-- Only one process reconciles by itself; the lock goes with its session.
SELECT pg_try_advisory_lock(hashtextextended('escrow reconciliation', 0));

-- name: require_session
-- Fails when the session is gone, and the lock with it.
SELECT 1;
