"""`escrow user`: creating people and deciding what they may do."""

from typing import Annotated

import typer

from cli.consent import require_consent
from cli.parse.options import DryRunOption, JsonOption, YesOption

app = typer.Typer(no_args_is_help=True, help="Create users and grant roles.")

Roles = Annotated[
    list[str], typer.Option("--role", help="buyer, seller, admin, super_admin, auditor or operator; repeatable.")
]
Email = Annotated[str, typer.Option(help="The address to sign in with.")]


@app.command(epilog="Example: escrow user create --email ops@example.com --name 'Ops' --role super_admin")
def create(
    email: Email,
    name: Annotated[str, typer.Option(help="The name that others see.")],
    role: Roles,
    legal_name: Annotated[str | None, typer.Option(help="The name to sign contracts with; else --name.")] = None,
    password_file: Annotated[
        typer.FileText | None, typer.Option(help="Where to read the password; else it is asked for.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Create a verified user with any roles."""
    from cli.run.user import create_account

    password = password_file.read().rstrip("\n") if password_file else typer.prompt("Password", hide_input=True)
    create_account(
        email=email, name=name, legal_name=legal_name or name, roles=role, password=password, as_json=as_json
    )


@app.command(epilog="Example: escrow user second-factor --email ops@example.com")
def second_factor(email: Email, as_json: JsonOption = False) -> None:
    """Give a new authenticator app and recovery codes to somebody who has lost both; sessions end."""
    from cli.run.user import replace_second_factor

    replace_second_factor(email=email, as_json=as_json)


@app.command(epilog="Example: escrow user roles --email ops@example.com --role admin --role auditor")
def roles(email: Email, role: Roles, as_json: JsonOption = False) -> None:
    """Set exactly these roles; every grant and revocation is an event."""
    from cli.run.user import set_roles

    set_roles(email=email, roles=role, as_json=as_json)


@app.command(epilog="Example: escrow user keys --email shop@example.com --revoke-all")
def keys(
    email: Email,
    revoke: Annotated[str | None, typer.Option(help="The id of a key to end.")] = None,
    revoke_all: Annotated[bool, typer.Option("--revoke-all", help="End every key of this user.")] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """List somebody's API keys, or revoke one or all; the keys themselves are known to nobody."""
    from cli.run.api_key import list_or_revoke

    require_consent(f"End every API key of {email}?", given=yes or dry_run or not revoke_all)
    key_id, every = (None, False) if dry_run else (revoke, revoke_all)
    list_or_revoke(email=email, key_id=key_id, every=every, as_json=as_json)


@app.command(epilog="Example: escrow user erase --email somebody@example.com --dry-run")
def erase(
    email: Annotated[str | None, typer.Option(help="Whose personal data is to go; this or --id.")] = None,
    user_id: Annotated[str | None, typer.Option("--id", help="The same by id: an erased address finds nobody.")] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Erase somebody's personal data, which nothing brings back; the log is not touched.

    While money, a dispute or a listing of theirs is open, or the retention period runs, it waits and exits with 9; the
    worker does it when it becomes possible.
    """
    from cli.run.erasure import erase_person, require_one_name

    require_one_name(email, user_id)
    require_consent(f"Erase everything personal of {email or user_id} for good?", given=yes or dry_run)
    erase_person(email=email, user_id=user_id, dry_run=dry_run, as_json=as_json)
