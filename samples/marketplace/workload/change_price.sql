-- name: change_price
-- area: catalog
-- weight: 4
-- kind: write
-- param 1: products.id
-- param 2: integer 80 125
WITH changed AS (
  UPDATE products SET price = greatest(0.99, round(price * $2::int / 100, 2)) WHERE id = $1 RETURNING id, price, currency)
INSERT INTO price_history (product_id, price, currency, valid_during)
SELECT id, price, currency, tstzrange(now(), NULL) FROM changed;
