-- Of two who ask for the same payment page at once one asks the processor, who shows a page once only.
ALTER TABLE public.payment_links ADD COLUMN opening_until timestamptz;
COMMENT ON COLUMN public.payment_links.opening_until IS
'until when whoever asks the processor for the page at this moment has the turn; null when nobody does';
