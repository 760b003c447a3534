-- name: order_history
-- area: carts
-- weight: 60
-- kind: read
-- param 1: orders.user_id
SELECT id, order_number, status, total, currency, created_at FROM orders
 WHERE user_id = $1 AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 20;
