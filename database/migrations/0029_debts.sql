-- What sellers owe, in the reactions' own memory: before a payout is ordered, the debts of its payee are looked up here.
-- All three are null where nobody owes anything.
ALTER TABLE public.watched_transactions
ADD COLUMN debtor_id uuid,
ADD COLUMN debt_currency text,
ADD COLUMN owing_since timestamptz;

CREATE INDEX watched_transactions_debtor ON public.watched_transactions (debtor_id, debt_currency)
WHERE debtor_id IS NOT NULL;

-- The worker folds the log anew when it begins, so that debts from before are in the new columns.
DELETE FROM public.reaction_checkpoints WHERE name = 'watch';
