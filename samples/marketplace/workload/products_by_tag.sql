-- name: products_by_tag
-- area: catalog
-- weight: 10
-- kind: read
-- param 1: products.tenant_id
-- param 2: choice sale|featured|organic|vip
SELECT id, title, price FROM products WHERE tenant_id = $1 AND tags @> ARRAY[$2::text] AND status = 'active' LIMIT 24;
