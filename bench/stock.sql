-- name: create_balances
-- The one table of the library's projection.
CREATE TABLE balances (
    id uuid PRIMARY KEY,
    amount_minor bigint NOT NULL
);

-- name: move_balance
-- Fold one event.
INSERT INTO balances (id, amount_minor)
VALUES (%s, %s)
ON CONFLICT (id) DO UPDATE SET amount_minor = balances.amount_minor + excluded.amount_minor;
