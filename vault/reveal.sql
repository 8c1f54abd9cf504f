-- name: get_answer
-- The sealed answer of a reveal, while it lives.
SELECT answer
FROM public.reveal_answers
WHERE
    command_id = %s
    AND expires_at > %s;

-- name: take_repeat
-- Claim the only repeat of a plaintext answer; no row for whoever comes second.
INSERT INTO public.reveal_repeats (command_id, transaction_id)
VALUES (%s, %s)
ON CONFLICT (command_id) DO NOTHING
RETURNING command_id;
