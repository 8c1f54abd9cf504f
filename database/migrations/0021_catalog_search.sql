-- Search in the catalog: the words of titles and descriptions, without what stands between them.

CREATE FUNCTION public.words_of_listing(body jsonb) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector(
    'simple'::regconfig,
    regexp_replace(concat_ws(' ', body ->> 'title', body ->> 'description'), '[^[:alnum:]]+', ' ', 'g')
);
REVOKE ALL ON FUNCTION public.words_of_listing(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.words_of_listing(jsonb) TO escrow_app;

CREATE INDEX contents_words ON public.contents USING gin (public.words_of_listing(body))
WHERE kind = 'listing' AND erased_at IS NULL;
