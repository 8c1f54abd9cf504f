"""A server of one's own, named by DATABASE_URL: the three roles are made there once; the home keeps their passwords."""

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo
from psycopg.rows import TupleRow, class_row

from database.errors import DatabaseUnavailable, NotProvisioned, RolesInUse
from database.facts import DATABASE_ROLES, DatabaseRole, Passwords, make_passwords, read_facts, write_facts
from database.roles import SQL, name_of, open_database, provision_roles
from database.timeouts import PATIENT_CONNECT_SECONDS


class Standing(Enum):
    """What came of connecting as escrow_owner with the passwords that this home knows."""

    OWNER = auto()
    GUEST = auto()
    """They are right, and the database is somebody else's."""
    UNKNOWN = auto()


@dataclass(frozen=True)
class Session:
    """As whom DATABASE_URL connects."""

    database: str
    is_superuser: bool
    may_create_roles: bool
    may_create_databases: bool
    owns_database: bool

    @property
    def missing(self) -> str:
        """What this user would need and has not. To give a database away takes CREATEDB, not only owning it."""
        rights = {
            "CREATEROLE": self.may_create_roles,
            "CREATEDB": self.may_create_databases,
            "ownership of the database": self.owns_database,
        }
        return " and ".join(name for name, is_there in rights.items() if not is_there)


def find_external_dsn(url: str, home: Path, role: DatabaseRole) -> str:
    """The URL for a role, provisioning the server when it was not. A URL that names the role itself is taken as it is:
    whoever runs the database may have made the roles, and need not give this machine all of them."""
    if conninfo_to_dict(url).get("user") == name_of(role):
        return url
    known = read_facts(home).external
    if known is None or _try_owner(url, known) is not Standing.OWNER:
        known = _provision(url, home)
    return _with_user(url, role, known)


def describe_external(url: str) -> dict[str, str]:
    """Host, port, database and user; never the password."""
    parts = _read_parts(url)
    return {name: parts[name] for name in ("host", "hostaddr", "port", "dbname", "user") if parts.get(name)}


def _read_parts(url: str) -> dict[str, str]:
    """What the URL says, and by libpq's rule the database where it names none: other users would be given another."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    if parts.keys().isdisjoint(("dbname", "service")):
        defaults = {option.keyword.decode(): option.val for option in Conninfo.get_defaults() if option.val}
        found = defaults.get("dbname") or parts.get("user", "").encode() or defaults.get("user", b"")
        parts["dbname"] = found.decode()
    return parts


def _with_user(url: str, role: DatabaseRole, passwords: Passwords) -> str:
    parts = _read_parts(url)
    for name in ("user", "password"):
        parts.pop(name, None)
    database = quote(parts.pop("dbname", ""), safe="")
    login = f"{name_of(role)}:{quote(passwords.of(role), safe='')}"
    return f"postgresql://{login}@/{database}?{urlencode(parts, quote_via=quote)}"


def _try_owner(url: str, passwords: Passwords) -> Standing:
    dsn = _with_user(url, "owner", passwords)
    try:
        with psycopg.connect(dsn, connect_timeout=PATIENT_CONNECT_SECONDS) as connection:
            row = connection.execute(SQL.owns_database).fetchone()
    except psycopg.OperationalError:
        return Standing.UNKNOWN
    return Standing.OWNER if row == (True,) else Standing.GUEST


def _provision(url: str, home: Path) -> Passwords:
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=PATIENT_CONNECT_SECONDS)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(server="DATABASE_URL", **describe_external(url)) from error
    with connection:
        # Two processes of one home may come at once: the second finds what the first has written down.
        connection.execute(SQL.lock_provisioning)
        known = read_facts(home).external
        standing = Standing.UNKNOWN if known is None else _try_owner(url, known)
        if known is not None and standing is Standing.OWNER:
            return known
        if standing is Standing.UNKNOWN:
            _refuse_when_full(connection)
            _refuse_when_in_use(connection)
        passwords = known or make_passwords()
        me = _describe_session(connection)
        try:
            _provision_server(connection, passwords, me)
        except psycopg.errors.InsufficientPrivilege as error:
            raise NotProvisioned(missing=me.missing or "another right", **describe_external(url)) from error
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_facts(home, read_facts(home).model_copy(update={"external": passwords}))
    return passwords


def _refuse_when_full(connection: Connection[TupleRow]) -> None:
    """The server does not tell why it let nobody in, but for want of room it would not have let in the owner either."""
    if connection.execute(SQL.has_room, {"role": name_of("owner")}).fetchone() != (True,):
        raise DatabaseUnavailable(reason="no connection is free")


def _refuse_when_in_use(connection: Connection[TupleRow]) -> None:
    """New passwords would lock out another home's running program at its next connection."""
    names = [name_of(role) for role in DATABASE_ROLES]
    row = connection.execute(SQL.count_sessions, (names,)).fetchone()
    if row is not None and row[0] > 0:
        raise RolesInUse(sessions=int(row[0]))


def _describe_session(connection: Connection[TupleRow]) -> Session:
    with connection.cursor(row_factory=class_row(Session)) as cursor:
        me = cursor.execute(SQL.describe_user).fetchone()
    if me is None:
        raise NotProvisioned
    return me


def _provision_server(connection: Connection[TupleRow], passwords: Passwords, me: Session) -> None:
    provision_roles(connection, passwords)
    owner, database = sql.Identifier(name_of("owner")), sql.Identifier(me.database)
    if not me.is_superuser:
        connection.execute(sql.SQL(SQL.become_owner_member).format(owner=owner))
    connection.execute(sql.SQL(SQL.own_database).format(database=database, owner=owner))
    if me.is_superuser:
        connection.execute(SQL.own_schema)
    open_database(connection, me.database)
