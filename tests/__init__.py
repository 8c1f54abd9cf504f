"""An assertion that fails shows what it compared, in every module here: by itself pytest does so only in test files."""

from pkgutil import iter_modules

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{each.name}" for each in iter_modules(__path__)))
