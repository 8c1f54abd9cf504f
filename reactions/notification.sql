-- name: begin_checkpoint
-- Where telling begins: where the reactions are, or at the beginning of a log that nobody has reacted to.
INSERT INTO reaction_checkpoints (name, position, updated_at)
SELECT
    %(name)s,
    coalesce((SELECT position FROM reaction_checkpoints WHERE name = 'reactions'), 0),
    %(at)s
ON CONFLICT (name) DO NOTHING;
