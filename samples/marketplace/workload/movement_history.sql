-- name: movement_history
-- area: inventory
-- weight: 5
-- kind: read
-- param 1: stock_movements.variant_id
SELECT quantity, reason, order_id, moved_at FROM stock_movements WHERE variant_id = $1 ORDER BY moved_at DESC LIMIT 50;
