-- name: top_products
-- area: analytics
-- weight: 1
-- kind: read
-- param 1: product_views.tenant_id
-- param 2: days 7 30
SELECT product_id, count(*) AS views, count(DISTINCT visitor_id) AS visitors FROM product_views
 WHERE tenant_id = $1 AND viewed_at >= $2 GROUP BY product_id ORDER BY views DESC LIMIT 20;
