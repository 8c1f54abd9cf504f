"""What PostgreSQL raises where it cannot read what it has written: a bad disk or index, or the hand of somebody."""

from psycopg.errors import (
    DataCorrupted,
    IndexCorrupted,
    InsufficientPrivilege,
    InternalError_,
    IoError,
    UndefinedColumn,
    UndefinedFile,
    UndefinedFunction,
    UndefinedTable,
    WrongObjectType,
)

DAMAGED = (DataCorrupted, IndexCorrupted, InternalError_, IoError, UndefinedFile)

ALTERED = (InsufficientPrivilege, UndefinedColumn, UndefinedFunction, UndefinedTable, WrongObjectType)
"""A table or column, or the right to it, was taken away, or something else stands in its place."""

UNREADABLE = (*DAMAGED, *ALTERED)
