-- name: try_lead
-- Only one worker reacts at a time; the lock goes with its session.
SELECT pg_try_advisory_lock(hashtextextended('escrow reactions', 0));

-- name: still_lead
-- Fails once the session is lost, and the lock with it.
SELECT 1 AS is_alive;
