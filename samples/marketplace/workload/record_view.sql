-- name: record_view
-- area: analytics
-- weight: 40
-- kind: write
-- param 1: products.tenant_id
-- param 2: products.id
-- param 3: uuid
-- param 4: choice mobile|desktop|tablet
INSERT INTO product_views (tenant_id, product_id, visitor_id, device) VALUES ($1, $2, $3, $4);
