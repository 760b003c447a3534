-- name: stock_update
-- area: inventory
-- weight: 20
-- kind: write
-- param 1: stock.warehouse_id
-- param 2: stock.variant_id
-- param 3: integer 1 3
UPDATE stock SET on_hand = on_hand - $3 WHERE warehouse_id = $1 AND variant_id = $2 AND on_hand >= $3;
