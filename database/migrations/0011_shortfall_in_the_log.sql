-- That a payout or refund waits for the processor's balance is an event of the log now, so that the reason why money is
-- stuck, the tables and the past all say it. What waits at this moment is recorded by the next try to send it.

DROP TABLE public.balance_shortfalls;
