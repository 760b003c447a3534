-- name: remove_from_cart
-- area: carts
-- weight: 5
-- kind: write
-- param 1: cart_items.id
DELETE FROM cart_items WHERE id = $1;
