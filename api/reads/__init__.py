"""How tables and log are read: who asks, which past, which page, in which form."""
