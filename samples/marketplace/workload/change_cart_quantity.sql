-- name: change_cart_quantity
-- area: carts
-- weight: 10
-- kind: write
-- param 1: cart_items.id
-- param 2: integer 1 9
UPDATE cart_items SET quantity = $2 WHERE id = $1;
