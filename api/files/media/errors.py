"""Why a file is not taken."""

from domain.errors import EscrowError, Invalid


class FileEmpty(Invalid):
    """The file has nothing in it."""

    code = "file_empty"


class FileTooLarge(EscrowError):
    """The file is too large: images may have 10 MiB, PDF documents 20 MiB, videos 100 MiB."""

    code = "file_too_large"
    status = 413


class ImageTooLarge(EscrowError):
    """The image has more than 50 million pixels, or a side of more than 30,000."""

    code = "image_too_large"
    status = 413


class MediaUnsupported(EscrowError):
    """Files are PNG, JPEG or WebP images, PDF documents, MP4 or WebM videos: by what they hold, not by their name."""

    code = "media_unsupported"
    status = 415


class MediaDamaged(EscrowError):
    """The file begins like one of its kind but does not go on like one: cut off, changed, active, or two in one."""

    code = "media_damaged"
    status = 415
