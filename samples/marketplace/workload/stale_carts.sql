-- name: stale_carts
-- area: carts
-- weight: 2
-- kind: read
-- param 1: carts.tenant_id
-- param 2: days 7 60
SELECT c.id, c.user_id, sum(i.quantity * i.unit_price) AS value
  FROM carts c JOIN cart_items i ON i.cart_id = c.id
 WHERE c.tenant_id = $1 AND c.status = 'open' AND c.updated_at < $2 GROUP BY c.id ORDER BY value DESC LIMIT 100;
