-- name: open_cart
-- area: carts
-- weight: 12
-- kind: write
-- param 1: users.tenant_id
-- param 2: users.id
INSERT INTO carts (tenant_id, user_id, currency) SELECT id, $2, currency FROM tenants WHERE id = $1 RETURNING id;
