-- name: order_by_number
-- area: carts
-- weight: 12
-- kind: read
-- param 1: orders.order_number
SELECT id, status, total, currency, paid_at, shipped_at, delivered_at FROM orders WHERE order_number = $1;
