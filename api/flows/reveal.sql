-- name: keep_refusal
-- Remember an attempt to see credentials that was refused.
INSERT INTO public.refused_reveals (at, transaction_id, user_id, code, request_id)
VALUES (%(at)s, %(transaction_id)s, %(user_id)s, %(code)s, %(request_id)s);
