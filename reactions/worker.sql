-- name: try_lead
-- Only one worker reacts at a time; the lock goes with its session.
SELECT pg_try_advisory_lock(hashtextextended('escrow reactions', 0));
