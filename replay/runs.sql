-- name: begin
-- Somebody starts something; the row says so even when the program does not live to finish it.
INSERT INTO public.replay_runs (kind, actor, detail) VALUES (%(kind)s, %(actor)s, %(detail)s)
RETURNING id, started_at;

-- name: finish
-- What came of it.
UPDATE public.replay_runs
SET
    finished_at = clock_timestamp(),
    position = %(position)s,
    findings = %(findings)s,
    outcome = %(outcome)s
WHERE id = %(id)s
RETURNING finished_at;

-- name: list_last
-- The newest run of each kind.
SELECT DISTINCT ON (r.kind)
    r.kind,
    r.actor,
    r.started_at,
    r.finished_at,
    r.position,
    r.findings,
    r.outcome
FROM public.replay_runs AS r
ORDER BY r.kind ASC, r.id DESC;
