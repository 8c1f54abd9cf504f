"""The three roles of the product: escrow_owner owns everything, escrow_app works, escrow_auditor reads."""

from typing import LiteralString

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier, Literal

from database.facts import DATABASE_ROLES, DatabaseRole, Passwords
from database.queries import load

QUERIES = load("database", "roles.sql")


def name_of(role: DatabaseRole) -> str:
    """The role's name in PostgreQUERIES."""
    return f"escrow_{role}"


def provision_roles(connection: Connection[TupleRow], passwords: Passwords) -> None:
    """Create the roles where they are missing and give them these passwords. Needs CREATEROLE."""
    for role in DATABASE_ROLES:
        if not _is_there(connection, QUERIES.role_exists, name_of(role)):
            connection.execute(SQL(QUERIES.create_role).format(role=Identifier(name_of(role))))
        set_password(connection, name_of(role), passwords.of(role))
    connection.execute(SQL(QUERIES.make_read_only).format(role=Identifier(name_of("auditor"))))


def set_password(connection: Connection[TupleRow], role: str, password: str) -> None:
    """Send the SCRAM verifier, never the password."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(SQL(QUERIES.set_password).format(role=Identifier(role), verifier=Literal(verifier)))


def provision_database(connection: Connection[TupleRow], database: str) -> None:
    """Create the database where it is missing, and hand it to its roles. Needs autocommit and a superuser."""
    if not _is_there(connection, QUERIES.database_exists, database):
        names = {"database": Identifier(database), "owner": Identifier(name_of("owner"))}
        connection.execute(SQL(QUERIES.create_database).format(**names))
    open_database(connection, database)


def open_database(connection: Connection[TupleRow], database: str) -> None:
    """Only the three roles may connect. A clone made from a template needs this again: it is not copied."""
    names = {role: Identifier(name_of(role)) for role in DATABASE_ROLES}
    for statement in (QUERIES.close_database, QUERIES.open_database, QUERIES.open_database_to_auditor):
        connection.execute(SQL(statement).format(database=Identifier(database), **names))


def _is_there(connection: Connection[TupleRow], query: LiteralString, name: str) -> bool:
    row = connection.execute(query, (name,)).fetchone()
    return row is not None and bool(row[0])
