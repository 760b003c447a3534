-- name: best_customers
-- area: analytics
-- weight: 1
-- kind: read
-- param 1: orders.tenant_id
SELECT u.id, u.email, count(*) AS orders, sum(o.total) AS spent FROM orders o JOIN users u ON u.id = o.user_id
 WHERE o.tenant_id = $1 AND o.status = 'delivered' GROUP BY u.id ORDER BY spent DESC LIMIT 20;
