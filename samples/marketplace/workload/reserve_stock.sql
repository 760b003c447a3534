-- name: reserve_stock
-- area: inventory
-- weight: 8
-- kind: write
-- param 1: stock.warehouse_id
-- param 2: stock.variant_id
-- param 3: carts.id
INSERT INTO stock_reservations (warehouse_id, variant_id, cart_id, quantity, expires_at) VALUES ($1, $2, $3, 1, now() + interval '30 minutes');
