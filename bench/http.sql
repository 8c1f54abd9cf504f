-- name: insert_buyer
-- A verified user.
INSERT INTO users (id, email, email_is_unusual, display_name, legal_name, created_at, verified_at)
VALUES (%s, %s, FALSE, 'Buyer', 'Buyer', now(), now());

-- name: let_buy
-- The role of a buyer.
INSERT INTO user_roles (user_id, role, granted_at)
VALUES (%s, 'buyer', now());
