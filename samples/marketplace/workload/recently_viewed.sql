-- name: recently_viewed
-- area: analytics
-- weight: 12
-- kind: read
-- param 1: product_views.user_id
SELECT p.id, p.title, max(v.viewed_at) AS seen FROM product_views v JOIN products p ON p.id = v.product_id
 WHERE v.user_id = $1 GROUP BY p.id, p.title ORDER BY seen DESC LIMIT 12;
