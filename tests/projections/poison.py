"""An event at the end of the log, of any kind and content: also of one that nobody can read."""

POISON = """
INSERT INTO escrow_events (originator_id, originator_version, topic, state, notification_id, recorded_at, leaf_hash)
SELECT gen_random_uuid(), 1, %s, %s, max(notification_id) + 1, max(recorded_at), sha256('')
FROM escrow_events
"""
