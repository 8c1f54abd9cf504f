"""The HTTP API. Where a thing lives, in folders that import only those below them:

- `routes`: one function for each path: parse, one call, answer.
- `flows`: what a request does beside its one command: passwords, vault, files, money that is asked for.
- `reads`: how tables and log are read: now or in the past, in pages, as JSON or CSV.
- `views`: what answers look like; `bodies` and `security_key`: what clients send.
- `http`: HTTP as it is read and answered here, strictly; no rule of escrow is known there.
- `files`: files that people send, from the first byte to the disk.

What holds these together lies beside them: who asks and what he may (`access`, `rights`, `sight`, `pace`), the way of
every command (`command`), what the routes work with (`dependencies`), what is kept of who did what (`access_log`,
`recording`), the description of it all (`openapi`, `reference`), the application (`app`).
"""
