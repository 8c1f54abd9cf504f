-- name: tables
-- What somebody has to look at, raised by an event; severities as in the runbook, P0 first.
CREATE TABLE alerts (
    position bigint PRIMARY KEY,
    severity text NOT NULL CHECK (severity IN ('P0', 'P1', 'P2', 'P3')),
    kind text NOT NULL,
    subject text NOT NULL,
    transaction_id uuid,
    actor_id text NOT NULL,
    amount_minor bigint,
    detail text,
    created_at timestamptz NOT NULL,
    raised_at timestamptz NOT NULL
);

-- name: indexes
-- The newest alerts, and those about a transaction.
CREATE INDEX alerts_raised ON alerts (raised_at, position, subject);
CREATE INDEX alerts_transaction ON alerts (transaction_id, position);

-- name: grants
-- The worker writes; the auditor reads.
GRANT SELECT, INSERT, UPDATE, DELETE ON alerts TO escrow_app;
GRANT SELECT ON alerts TO escrow_auditor;

-- name: list
-- Alerts from events, from projections that stopped, and from what stands still, waits or did not come, newest first.
SELECT
    position,
    severity,
    kind,
    subject,
    transaction_id,
    actor_id,
    amount_minor,
    detail,
    created_at,
    raised_at
FROM (
    SELECT
        position,
        severity,
        kind,
        subject,
        transaction_id,
        actor_id,
        amount_minor,
        detail,
        created_at,
        raised_at
    FROM alerts
    UNION ALL
    SELECT
        position,
        'P0',
        'projection_stopped',
        name,
        NULL,
        'projections',
        NULL,
        CASE WHEN resolved_at IS NULL THEN error ELSE 'it goes on since; it was ' || error END,
        failed_at,
        failed_at
    FROM projection_failures
    UNION ALL
    SELECT
        0,
        CASE kind WHEN 'restore' THEN 'P0' ELSE 'P1' END,
        CASE kind
            WHEN 'restore' THEN 'log_restored'
            WHEN 'reconciliation' THEN 'reconciliation_failed'
            ELSE kind || '_failing'
        END,
        id::text,
        NULL,
        'reactions',
        NULL,
        CASE
            WHEN kind = 'restore' AND resolved_at IS NULL
                THEN 'no money moves (' || reason || '): ' || coalesce(error, 'asking the processor')
            WHEN kind = 'restore' THEN 'money moves again (' || reason || ')'
            WHEN resolved_at IS NULL THEN reason || ': ' || coalesce(error, 'not tried yet')
            WHEN kind IN ('mail', 'sms') THEN reason || ': they leave again'
            ELSE reason || ': it ran since'
        END,
        noticed_at,
        noticed_at
    FROM standstills
    UNION ALL
    SELECT
        0,
        'P1',
        'reconciliation_missed',
        'reconciliation',
        NULL,
        'reconciliation',
        NULL,
        'no run for 26 hours: does escrow worker run? Then: escrow reconcile',
        last_run.at + INTERVAL '26 hours',
        last_run.at + INTERVAL '26 hours'
    FROM (
        SELECT
            coalesce(
                (
                    SELECT completed_at FROM reconciliations
                    ORDER BY position DESC
                    LIMIT 1
                ),
                (
                    SELECT (data ->> 'timestamp')::timestamptz FROM event_log
                    WHERE position = 1
                )
            ) AS at
    ) AS last_run
    WHERE last_run.at + INTERVAL '26 hours' < %(at)s::timestamptz
    UNION ALL
    SELECT
        0,
        'P1',
        'dispute_undecided',
        dispute_id::text,
        transaction_id,
        'clock',
        amount_minor,
        'undecided for ' || extract(DAY FROM %(at)s::timestamptz - opened_at) || ' days',
        opened_at,
        opened_at + date_trunc('day', %(at)s::timestamptz - opened_at)
    FROM disputes
    WHERE
        state IN ('open', 'escalated')
        AND source <> 'processor'
        AND opened_at + INTERVAL '14 days' <= %(at)s::timestamptz
    UNION ALL
    SELECT
        0,
        'P1',
        'webhooks_waiting',
        'inbox',
        NULL,
        'reactions',
        NULL,
        count(*) || ' deliveries: ' || coalesce(max(error), 'does escrow worker run?'),
        min(received_at),
        min(received_at)
    FROM payment_events
    WHERE
        processed_at IS NULL
        AND (next_attempt_at + INTERVAL '5 minutes' < %(at)s::timestamptz OR attempts >= 8)
    HAVING count(*) > 0
) AS raised
WHERE
    (%(transaction_id)s::uuid IS NULL OR transaction_id = %(transaction_id)s)
    AND (%(severity)s::text IS NULL OR severity = %(severity)s)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (
        %(before_at)s::timestamptz IS NULL
        OR (raised_at, position, subject) < (%(before_at)s, %(before_position)s::bigint, %(before_subject)s::text)
    )
ORDER BY raised_at DESC, position DESC, subject DESC
LIMIT %(limit)s;
