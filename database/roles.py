"""The three roles of the product: escrow_owner owns everything, escrow_app works, escrow_auditor reads."""

from typing import LiteralString

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from database.facts import DATABASE_ROLES, DatabaseRole, Passwords
from database.queries import load

SQL = load("database", "roles.sql")


def name_of(role: DatabaseRole) -> str:
    """The role's name in PostgreSQL."""
    return f"escrow_{role}"


def provision_roles(connection: Connection[TupleRow], passwords: Passwords) -> None:
    """Create the roles where they are missing and give them these passwords. Needs CREATEROLE."""
    for role in DATABASE_ROLES:
        if not _is_there(connection, SQL.role_exists, name_of(role)):
            connection.execute(sql.SQL(SQL.create_role).format(role=sql.Identifier(name_of(role))))
        set_password(connection, name_of(role), passwords.of(role))
    connection.execute(sql.SQL(SQL.make_read_only).format(role=sql.Identifier(name_of("auditor"))))


def set_password(connection: Connection[TupleRow], role: str, password: str) -> None:
    """Send the SCRAM verifier, never the password."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL(SQL.set_password).format(role=sql.Identifier(role), verifier=sql.Literal(verifier)))


def provision_database(connection: Connection[TupleRow], database: str) -> None:
    """Create the database where it is missing, and hand it to its roles. Needs autocommit and a superuser."""
    if not _is_there(connection, SQL.database_exists, database):
        names = {"database": sql.Identifier(database), "owner": sql.Identifier(name_of("owner"))}
        connection.execute(sql.SQL(SQL.create_database).format(**names))
    open_database(connection, database)


def open_database(connection: Connection[TupleRow], database: str) -> None:
    """Only the three roles may connect. A clone made from a template needs this again: it is not copied."""
    names = {role: sql.Identifier(name_of(role)) for role in DATABASE_ROLES}
    for statement in (SQL.close_database, SQL.open_database, SQL.open_database_to_auditor):
        connection.execute(sql.SQL(statement).format(database=sql.Identifier(database), **names))


def _is_there(connection: Connection[TupleRow], query: LiteralString, name: str) -> bool:
    row = connection.execute(query, (name,)).fetchone()
    return row is not None and bool(row[0])
