-- name: wishlist_retrieval
-- area: carts
-- weight: 20
-- kind: read
-- param 1: wishlists.user_id
SELECT w.name, p.id, p.title, p.price, i.added_at
  FROM wishlists w JOIN wishlist_items i ON i.wishlist_id = w.id JOIN products p ON p.id = i.product_id
 WHERE w.user_id = $1 AND w.deleted_at IS NULL ORDER BY i.added_at DESC;
