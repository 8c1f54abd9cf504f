"""What can be wrong with a request before any rule is asked. The docstring is the message, as everywhere."""

from domain.errors import EscrowError, Forbidden, Invalid


class MalformedJson(EscrowError):
    """The body is not one JSON object in strict UTF-8, without duplicate keys, NaN or Infinity, at most 32 deep."""

    code = "malformed_json"
    status = 400


class TextUnfit(Invalid):
    """Texts hold no NUL, no control characters but tab and line break, and no half of a surrogate pair."""

    code = "text_unfit"


class BodyTooLarge(EscrowError):
    """The body is larger than 64 KiB."""

    code = "body_too_large"
    status = 413


class FileExpected(EscrowError):
    """Send the file as multipart/form-data, in one part named `file` with a file name."""

    code = "file_expected"
    status = 415


class FormMalformed(EscrowError):
    """The form is cut off, or is not one part named `file` with a file name."""

    code = "form_malformed"
    status = 400


class BodyTooSlow(EscrowError):
    """The body did not arrive in time."""

    code = "body_too_slow"
    status = 408


class MediaTypeUnsupported(EscrowError):
    """Send the body as application/json in UTF-8, without Content-Encoding."""

    code = "media_type_unsupported"
    status = 415


class HeadersTooLarge(EscrowError):
    """There are too many headers, or they are too long: 64 of 16 KiB together are enough for everybody."""

    code = "headers_too_large"
    status = 431


class MethodNotAllowed(EscrowError):
    """This address does not know that method; the Allow header says which it knows."""

    code = "method_not_allowed"
    status = 405


class SecondFactorRequired(Forbidden):
    """Show your second factor first, at POST /api/v1/auth/second-factor: for this it has to be within five minutes."""

    code = "second_factor_required"


class ApiKeyInsufficient(Forbidden):
    """This API key is not good for this: it lacks the scope, or a person has to sign in."""

    code = "api_key_insufficient"


class ApiKeyOfOtherMode(EscrowError):
    """This is a test key where money is real, or a live key where it is not."""

    code = "api_key_of_other_mode"
    status = 401


class TooManyRequests(EscrowError):
    """This API key asks too often; wait as long as Retry-After says."""

    code = "too_many_requests"
    status = 429


class KeyRequired(EscrowError):
    """A command needs an Idempotency-Key header of 1 to 255 visible ASCII characters, new for each intent."""

    code = "idempotency_key_required"
    status = 400


class NotVerified(EscrowError):
    """Confirm your e-mail address first."""

    code = "email_unverified"
    status = 403


class CursorInvalid(EscrowError):
    """This cursor was not given out for this list and this user; start again without one."""

    code = "cursor_invalid"
    status = 400


class HeaderInvalid(EscrowError):
    """A header of the request does not have the form that the documentation gives."""

    code = "header_invalid"
    status = 400


class PositionNotReached(EscrowError):
    """The read models have not reached this position of the log yet; ask again in a moment."""

    code = "position_not_reached"
    status = 503


class PositionUnknown(EscrowError):
    """The log does not have this position: use the Escrow-Position of an answer."""

    code = "position_unknown"
    status = 400


class InternalError(EscrowError):
    """Something went wrong on our side; the request id finds it in our log."""

    code = "internal_error"
    status = 500
