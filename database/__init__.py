"""PostgreSQL itself: the embedded server, the pool, the migrations and the loader of named SQL."""
