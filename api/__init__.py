"""The HTTP API. Where a thing lives:

- `routes`: one function for each path: parse, one call, answer.
- `flows`: what a request does beside its one command: passwords, vault, files, money that is asked for.
- `reads`: how tables and log are read: now or in the past, in pages, as JSON or CSV.
- `views`: what answers look like; `bodies`: what clients send.
- `files`: files that people send, from the first byte to the disk.
- `http`: HTTP as it is read and answered here, strictly; nothing of escrow is known there.

What holds these together lies beside them: who asks and what he may (`access`, `rights`, `sight`), the way of every
command (`command`), what the routes work with (`dependencies`), the application (`app`).
"""
