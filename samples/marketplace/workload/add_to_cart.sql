-- name: add_to_cart
-- area: carts
-- weight: 30
-- kind: write
-- param 1: carts.id
-- param 2: products.id
-- param 3: integer 1 3
INSERT INTO cart_items (cart_id, product_id, quantity, unit_price, currency)
SELECT $1, id, $3, price, currency FROM products WHERE id = $2;
