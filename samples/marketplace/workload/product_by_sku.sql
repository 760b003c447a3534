-- name: product_by_sku
-- area: catalog
-- weight: 15
-- kind: read
-- param 1: products.sku
SELECT id, title, price, status FROM products WHERE sku = $1;
