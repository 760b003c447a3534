-- name: product_variants
-- area: catalog
-- weight: 80
-- kind: read
-- param 1: products.id
SELECT v.id, v.name, v.options, p.price + v.price_delta AS price
  FROM product_variants v JOIN products p ON p.id = v.product_id
 WHERE v.product_id = $1 AND v.is_active ORDER BY v.position;
