-- name: product_search_by_category
-- area: catalog
-- weight: 90
-- kind: read
-- param 1: products.tenant_id
-- param 2: products.category_id
SELECT id, title, price, currency FROM products
 WHERE tenant_id = $1 AND category_id = $2 AND status = 'active' AND deleted_at IS NULL
 ORDER BY published_at DESC LIMIT 24;
