"""What is shown to its owner stands in no `repr`, which a log or a traceback may hold."""

import importlib
import pkgutil

from pydantic import BaseModel

from api import views

PERSONAL = {
    "account_name",
    "account_number_ends_in",
    "address",
    "device",
    "display_name",
    "email",
    "legal_name",
    "phone",
    "resolved_name",
    "user_agent",
}


def test_no_view_shows_personal_data_in_its_repr() -> None:
    seen = {
        (kind.__name__, name): field.repr
        for module in pkgutil.iter_modules(views.__path__, "api.views.")
        for kind in vars(importlib.import_module(module.name)).values()
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, field in kind.model_fields.items()
        if name in PERSONAL
    }
    assert {name for _, name in seen} == PERSONAL
    assert [each for each, is_shown in seen.items() if is_shown] == []
