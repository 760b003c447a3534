-- name: vendor_sales
-- area: vendors
-- weight: 6
-- kind: read
-- param 1: order_items.vendor_id
-- param 2: days 7 90
SELECT o.created_at::date AS day, sum(i.line_total) FROM order_items i JOIN orders o ON o.id = i.order_id
 WHERE i.vendor_id = $1 AND o.created_at >= $2 AND o.paid_at IS NOT NULL GROUP BY day ORDER BY day;
