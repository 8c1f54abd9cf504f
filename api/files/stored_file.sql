-- name: lock
-- One at a time for each owner and hash, until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended(%s, 20));

-- name: insert_file
-- What somebody sent; of two with the same id the first one stands, and is there again if it was refused before.
INSERT INTO public.stored_files (file_id, owner_id, sha256, media_type, size_bytes, name, created_at)
VALUES (%(file_id)s, %(owner_id)s, %(sha256)s, %(media_type)s, %(size_bytes)s, %(name)s, %(at)s)
ON CONFLICT (file_id) DO UPDATE
SET
    name = coalesce(stored_files.name, excluded.name),
    erased_at = NULL;

-- name: find_file
-- Whose file it is, and under which hash it lies.
SELECT
    owner_id,
    sha256
FROM public.stored_files
WHERE file_id = %s;

-- name: erase_file
-- Forget what it was called.
UPDATE public.stored_files
SET
    name = NULL,
    erased_at = %(at)s
WHERE
    file_id = %(file_id)s
    AND erased_at IS NULL;

-- name: is_needed
-- Whether some id still names this file.
SELECT EXISTS (
    SELECT
    FROM public.stored_files
    WHERE
        owner_id = %s
        AND sha256 = %s
        AND erased_at IS NULL
) AS is_needed;

-- name: erase_files_of
-- Forget everything that one person has sent.
UPDATE public.stored_files
SET
    name = NULL,
    erased_at = %(at)s
WHERE
    owner_id = %(owner_id)s
    AND erased_at IS NULL;

-- name: read_names
-- What these files are called.
SELECT
    file_id,
    name
FROM public.stored_files
WHERE
    file_id = ANY(%s)
    AND erased_at IS NULL;
