-- name: add_to_wishlist
-- area: carts
-- weight: 6
-- kind: write
-- param 1: wishlists.id
-- param 2: products.id
INSERT INTO wishlist_items (wishlist_id, product_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;
