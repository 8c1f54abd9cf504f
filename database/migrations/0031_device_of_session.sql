-- Its owner tells one session from another by the program that signed in. Gone with the session, and when the person is.
ALTER TABLE public.sessions ADD COLUMN device text CHECK (octet_length(device) <= 800);
COMMENT ON COLUMN public.sessions.device IS 'what the program called itself at sign-in; anybody can call it anything';
GRANT UPDATE (device) ON TABLE public.sessions TO escrow_app;
