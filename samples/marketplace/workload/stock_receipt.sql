-- name: stock_receipt
-- area: inventory
-- weight: 6
-- kind: write
-- param 1: stock.warehouse_id
-- param 2: stock.variant_id
-- param 3: integer 10 80
WITH moved AS (
  INSERT INTO stock_movements (warehouse_id, variant_id, quantity, reason) VALUES ($1, $2, $3, 'receipt') RETURNING quantity)
UPDATE stock SET on_hand = on_hand + moved.quantity FROM moved WHERE warehouse_id = $1 AND variant_id = $2;
