-- name: low_stock
-- area: inventory
-- weight: 2
-- kind: read
-- param 1: stock.warehouse_id
SELECT s.variant_id, p.title, s.on_hand, s.reorder_point FROM stock s JOIN products p ON p.id = s.product_id
 WHERE s.warehouse_id = $1 AND s.on_hand < s.reorder_point ORDER BY s.on_hand LIMIT 100;
