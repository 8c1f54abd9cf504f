"""What must happen because of an event: calls to the outside world, deadlines, and what follows them.

Reactions are level-triggered: for a transaction that may need something they read its state and take the next step, so
that a lost notification, a repeated webhook, a crash between two steps and a plain poll all lead to the same end.

`worker` runs everything, and every road leads to `advance`, which takes the steps of one transaction: `payment`,
`chargeback`, `loss`, `deadline`, `contract`, `refund`, `clawback`, `payout`, `vault`, `listing`, `chargeback_answer`.
Roads are the log itself (`watch` keeps in mind what is not over), webhooks (`inbox`, then `backlog`), the clock, and
questions that nobody's webhook caused (`sweep`, `chargeback_search`, by hand `asking`).

Beside these, `payment` opens the page for the buyer, `attention` sends the processor what it asks of a person,
`transfer_approval` tells it whether a transfer is ours, `outage` makes up for lost time, `erasure` forgets people who
asked for it, and `deliveries` shows the inbox.

`notification` tells people: `telling` says of what, `audience` whom, `notice` which facts, `writing` in which words.
After a restore `gate` lets nothing pass (`watermark` notices it) until `recovery` and `hold` have taken up what the log
has forgotten. Whatever asks, sends or records uses the `toolbox`.
"""
