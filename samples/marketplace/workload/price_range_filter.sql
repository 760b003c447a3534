-- name: price_range_filter
-- area: catalog
-- weight: 20
-- kind: read
-- param 1: products.tenant_id
-- param 2: products.category_id
-- param 3: integer 5 60
-- param 4: integer 61 400
SELECT id, title, price FROM products
 WHERE tenant_id = $1 AND category_id = $2 AND price BETWEEN $3 AND $4 AND status = 'active'
 ORDER BY price LIMIT 24;
