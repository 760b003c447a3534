-- name: cart_retrieval
-- area: carts
-- weight: 90
-- kind: read
-- param 1: carts.user_id
SELECT c.id, i.id AS item, i.quantity, i.unit_price, p.title, p.status
  FROM carts c JOIN cart_items i ON i.cart_id = c.id JOIN products p ON p.id = i.product_id
 WHERE c.user_id = $1 AND c.status = 'open' ORDER BY i.added_at;
