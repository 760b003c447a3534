-- name: order_detail
-- area: carts
-- weight: 50
-- kind: read
-- param 1: orders.id
SELECT o.order_number, o.status, o.total, i.quantity, i.unit_price, p.title
  FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id
 WHERE o.id = $1 ORDER BY i.id;
