-- name: stock_for_product
-- area: inventory
-- weight: 40
-- kind: read
-- param 1: stock.product_id
SELECT w.name, s.variant_id, s.on_hand - s.reserved AS available FROM stock s JOIN warehouses w ON w.id = s.warehouse_id WHERE s.product_id = $1;
