-- The log: one table of events, one function that appends to it, one view to read it by. What a byte of it means is
-- written in docs/reference/log-format.md.

-- A superset of the table of the library `eventsourcing`, so that its stock recorder can read ours.
CREATE TABLE public.escrow_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    leaf_hash bytea NOT NULL,
    CONSTRAINT escrow_events_position PRIMARY KEY (notification_id),
    CONSTRAINT escrow_events_version UNIQUE (originator_id, originator_version),
    CONSTRAINT escrow_events_position_starts_at_1 CHECK (notification_id >= 1),
    CONSTRAINT escrow_events_topic_is_named CHECK (topic <> ''),
    CONSTRAINT escrow_events_state_fits CHECK (octet_length(state) <= 262144),
    CONSTRAINT escrow_events_leaf_is_sha256 CHECK (octet_length(leaf_hash) = 32)
);

-- Which command was answered with which events, for ever. A fold of the log: every event carries both digests, and
-- eventstore/log.sql has the statement that rebuilds this table.
CREATE TABLE public.idempotency (
    command_id bytea NOT NULL,
    request_digest bytea NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    stream_id uuid NOT NULL,
    stream_version bigint NOT NULL,
    CONSTRAINT idempotency_command PRIMARY KEY (command_id),
    CONSTRAINT idempotency_digests_are_sha256 CHECK (octet_length(command_id) = 32 AND octet_length(request_digest) = 32)
);

-- What is written stays written. The owner, too, has to disable this trigger first, which leaves a trace.
CREATE FUNCTION public.refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the log is never rewritten: % on % refused', tg_op, tg_table_name
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER escrow_events_are_immutable
BEFORE UPDATE OR DELETE OR TRUNCATE ON public.escrow_events
FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_rewriting();

-- The Merkle leaf of one event (RFC 9162 section 2.1.1): 0x00 and the fields, integers big-endian. STABLE, because
-- extract() of a timestamptz is: declared IMMUTABLE it would not be inlined, which costs more than the hash.
CREATE FUNCTION public.leaf_hash_of(
    log_position bigint, stream_id uuid, stream_version bigint, topic text, recorded_at timestamptz, state bytea
) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.sha256(
    '\x00'::bytea || 'escrow-leaf-v1'::bytea
    || pg_catalog.int8send(log_position)
    || pg_catalog.uuid_send(stream_id)
    || pg_catalog.int8send(stream_version)
    || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(topic, 'UTF8')))
    || pg_catalog.convert_to(topic, 'UTF8')
    || pg_catalog.int8send((extract(EPOCH FROM recorded_at) * 1000000)::bigint)
    || pg_catalog.int4send(pg_catalog.octet_length(state))
    || state
);

-- Append many commands in one commit, each all or nothing, and say what became of each.
--
-- Per event: `items` (the 1-based place of its command), `stream_ids`, `versions`, `topics`, `states`; the events of a
-- stream stand in order. Per stream that a decision rests on without writing to it: `read_items`, `read_stream_ids`,
-- `read_versions` (0: it does not exist). Per command: `command_ids`, `request_digests`, and `result_stream_ids` and
-- `result_versions`, from which its answer is refolded. Per sealed answer: the `answer_...` arguments.
--
-- Outcomes: `stored`; `conflict` (a stream moved on, in the log or through an earlier winner of this batch);
-- `replayed` (this command is in the log already, same request) and `mismatch` (same, another request), both with the
-- positions and the result of the first time (NULL for `stored`: the caller has it).
--
-- The advisory lock makes positions dense and visible in order, and is held until the commit is: a reader that has seen
-- position n has seen all before it. Heads are probed through the index, one by one: a plan made while the table was
-- small would otherwise scan the log for ever (the settings below forbid it).
CREATE FUNCTION public.append_events(
    items int [], stream_ids uuid [], versions bigint [], topics text [], states bytea [],
    read_items int [], read_stream_ids uuid [], read_versions bigint [],
    command_ids bytea [], request_digests bytea [], result_stream_ids uuid [], result_versions bigint [],
    answer_items int [], answers bytea [], answer_transaction_ids uuid [], answer_deposit_ids uuid [],
    answer_user_ids uuid [], answer_expire_at timestamptz []
) RETURNS TABLE (
    item int, outcome text, first_position bigint, last_position bigint, stream_id uuid, stream_version bigint
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    command_count CONSTANT int := cardinality(command_ids);
    head bigint := 0;
    moment timestamptz := clock_timestamp();
    malformed boolean;
    contested boolean;
    winners int [];
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'append_events needs READ COMMITTED: an older snapshot does not see the head of the log'
            USING ERRCODE = 'active_sql_transaction';
    END IF;
    IF command_count NOT BETWEEN 1 AND 512 THEN
        RAISE EXCEPTION 'a batch has 1 to 512 commands, not %', command_count
            USING ERRCODE = 'program_limit_exceeded';
    END IF;

    PERFORM pg_advisory_xact_lock(7310579);

    SELECT e.notification_id, greatest(e.recorded_at, moment) INTO head, moment
    FROM public.escrow_events AS e ORDER BY e.notification_id DESC LIMIT 1;
    IF NOT FOUND THEN
        head := 0;
        moment := clock_timestamp();
    END IF;

    -- Who could win: new to the log and up to date with it. Contested if not all of them can.
    WITH touched AS MATERIALIZED (
        SELECT e.item, e.stream_id, min(e.version) AS next_version, max(e.version) - min(e.version) + 1 - count(*) AS gaps
        FROM unnest(items, stream_ids, versions) AS e (item, stream_id, version) GROUP BY e.item, e.stream_id
        UNION ALL
        SELECT r.item, r.stream_id, r.version + 1, 0
        FROM unnest(read_items, read_stream_ids, read_versions) AS r (item, stream_id, version)
    ), fresh AS MATERIALIZED (
        SELECT t.item FROM touched AS t
        LEFT JOIN LATERAL (
            SELECT e.originator_version AS version FROM public.escrow_events AS e
            WHERE e.originator_id = t.stream_id ORDER BY e.originator_version DESC LIMIT 1
        ) AS last ON TRUE
        GROUP BY t.item HAVING bool_and(
            CASE WHEN t.next_version > 1 THEN last.version IS NOT DISTINCT FROM t.next_version - 1
                 ELSE coalesce(last.version < t.next_version, TRUE) END
        )
    ), candidate AS MATERIALIZED (
        SELECT c.item::int AS item, c.command_id
        FROM unnest(command_ids) WITH ORDINALITY AS c (command_id, item) JOIN fresh AS f ON f.item = c.item
        WHERE c.command_id NOT IN (SELECT k.command_id FROM public.idempotency AS k WHERE k.command_id = ANY(command_ids))
    )
    SELECT
        array(SELECT c.item FROM candidate AS c ORDER BY c.item),
        EXISTS (SELECT FROM touched AS t JOIN candidate AS c USING (item) GROUP BY t.stream_id HAVING count(*) > 1)
        OR EXISTS (SELECT FROM candidate AS c GROUP BY c.command_id HAVING count(*) > 1),
        EXISTS (SELECT FROM touched AS t WHERE t.gaps <> 0 OR (t.item BETWEEN 1 AND command_count) IS NOT TRUE)
    INTO winners, contested, malformed;

    IF malformed IS NOT FALSE THEN
        RAISE EXCEPTION 'a stream has no gaps, and every event a command' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF contested THEN
        winners := public.settle_contest(winners, command_ids, items, stream_ids, read_items, read_stream_ids);
    END IF;

    IF cardinality(winners) > 0 THEN
        RETURN QUERY
        WITH numbered AS MATERIALIZED (
            SELECT e.*, head + row_number() OVER (ORDER BY e.place) AS position
            FROM unnest(items, stream_ids, versions, topics, states) WITH ORDINALITY
                AS e (item, stream_id, version, topic, state, place)
            JOIN unnest(winners) AS w (item) USING (item)
        ), stored AS (
            INSERT INTO public.escrow_events
                (originator_id, originator_version, topic, state, notification_id, recorded_at, leaf_hash)
            SELECT n.stream_id, n.version, n.topic, n.state, n.position, moment,
                   public.leaf_hash_of(n.position, n.stream_id, n.version, n.topic, moment, n.state)
            FROM numbered AS n
        ), span AS MATERIALIZED (
            SELECT n.item, min(n.position) AS first_position, max(n.position) AS last_position
            FROM numbered AS n GROUP BY n.item
        ), remembered AS (
            INSERT INTO public.idempotency
                (command_id, request_digest, first_position, last_position, stream_id, stream_version)
            SELECT command_ids[s.item], request_digests[s.item], s.first_position, s.last_position,
                   result_stream_ids[s.item], result_versions[s.item]
            FROM span AS s
        )
        SELECT s.item, 'stored', s.first_position, s.last_position, NULL::uuid, NULL::bigint FROM span AS s;

        IF cardinality(answers) > 0 THEN
            INSERT INTO public.reveal_answers (command_id, transaction_id, deposit_id, user_id, answer, expires_at)
            SELECT command_ids[a.item], a.transaction_id, a.deposit_id, a.user_id, a.answer, a.expires_at
            FROM unnest(
                answer_items, answers, answer_transaction_ids, answer_deposit_ids, answer_user_ids, answer_expire_at
            ) AS a (item, answer, transaction_id, deposit_id, user_id, expires_at)
            JOIN unnest(winners) AS w (item) USING (item);
        END IF;

        NOTIFY escrow_events;
    END IF;

    IF cardinality(winners) < command_count THEN
        RETURN QUERY
        SELECT c.item::int,
               CASE WHEN known.request_digest IS NULL THEN 'conflict'
                    WHEN known.request_digest = c.request_digest THEN 'replayed' ELSE 'mismatch' END,
               known.first_position, known.last_position, known.stream_id, known.stream_version
        FROM unnest(command_ids, request_digests) WITH ORDINALITY AS c (command_id, request_digest, item)
        LEFT JOIN LATERAL (
            SELECT k.* FROM public.idempotency AS k WHERE k.command_id = c.command_id LIMIT 1
        ) AS known ON TRUE
        WHERE NOT EXISTS (SELECT FROM unnest(winners) AS w (item) WHERE w.item = c.item);
    END IF;
END
$$;

-- Let the candidates win one after the other: who meets the command or a written stream of an earlier winner loses,
-- and a loser stands in nobody's way.
CREATE FUNCTION public.settle_contest(
    candidates int [], command_ids bytea [], items int [], stream_ids uuid [], read_items int [], read_stream_ids uuid []
) RETURNS int []
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    candidate int;
    own uuid [];
    read uuid [];
    written uuid [] := '{}';
    answered bytea [] := '{}';
    winners int [] := '{}';
BEGIN
    FOREACH candidate IN ARRAY candidates LOOP
        SELECT coalesce(array_agg(e.stream_id), '{}') INTO own
        FROM unnest(items, stream_ids) AS e (item, stream_id) WHERE e.item = candidate;
        SELECT coalesce(array_agg(r.stream_id), '{}') INTO read
        FROM unnest(read_items, read_stream_ids) AS r (item, stream_id) WHERE r.item = candidate;
        IF NOT (own || read) && written AND NOT command_ids[candidate] = ANY(answered) THEN
            winners := winners || candidate;
            written := written || own;
            answered := answered || command_ids[candidate];
        END IF;
    END LOOP;
    RETURN winners;
END
$$;

-- The state of an event as jsonb, NULL where it cannot be decoded (text and jsonb refuse NUL): never an error. An
-- exception block and not pg_input_is_valid, which PostgreSQL 15 does not have.
CREATE FUNCTION public.decode_state(state bytea) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN convert_from(state, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;

-- The log for people who query it.
CREATE VIEW public.event_log AS
SELECT
    e.notification_id AS position,
    e.recorded_at,
    e.originator_id AS stream,
    e.originator_version AS version,
    e.topic AS type,
    d.data ->> 'actor_id' AS actor,
    d.data
FROM public.escrow_events AS e CROSS JOIN LATERAL public.decode_state(e.state) AS d (data);

REVOKE ALL ON TABLE public.escrow_events, public.idempotency, public.event_log FROM PUBLIC;
REVOKE ALL ON FUNCTION public.append_events, public.settle_contest, public.leaf_hash_of, public.decode_state FROM PUBLIC;
GRANT SELECT ON TABLE public.escrow_events, public.idempotency, public.event_log TO escrow_app, escrow_auditor;
GRANT EXECUTE ON FUNCTION public.leaf_hash_of, public.decode_state TO escrow_app, escrow_auditor;
GRANT EXECUTE ON FUNCTION public.append_events TO escrow_app;
