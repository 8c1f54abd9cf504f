-- The salt of the hash that the log has of a payout account. Who erases the account erases it, and the hash means nothing
-- then. Accounts that were named before the log had hashes have none.
ALTER TABLE public.payout_accounts ADD COLUMN salt bytea CHECK (octet_length(salt) = 32);
