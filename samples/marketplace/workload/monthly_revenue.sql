-- name: monthly_revenue
-- area: analytics
-- weight: 1
-- kind: read
-- param 1: orders.tenant_id
SELECT date_trunc('month', created_at) AS month, count(*), sum(total), avg(total) FROM orders
 WHERE tenant_id = $1 AND paid_at IS NOT NULL GROUP BY month ORDER BY month;
