-- Where a refund went that could not go back the way it came: the log has the salted hash, this the account, erasable.

ALTER TABLE public.contents
    DROP CONSTRAINT contents_kind_check,
    ADD CONSTRAINT contents_kind_check CHECK (kind IN ('listing', 'statement', 'signature', 'refund_account'));
