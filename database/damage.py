"""What PostgreSQL raises where it cannot read what it has written: the disk is bad, or an index."""

from psycopg.errors import DataCorrupted, IndexCorrupted, InternalError_, IoError, UndefinedFile

DAMAGED = (DataCorrupted, IndexCorrupted, InternalError_, IoError, UndefinedFile)
