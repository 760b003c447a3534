-- name: vendor_products
-- area: catalog
-- weight: 25
-- kind: read
-- param 1: products.vendor_id
SELECT id, title, price, status FROM products WHERE vendor_id = $1 AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 50;
