-- name: product_detail
-- area: catalog
-- weight: 120
-- kind: read
-- param 1: products.id
SELECT p.*, b.name AS brand, c.path AS category, v.name AS vendor
  FROM products p
  JOIN categories c ON c.id = p.category_id
  JOIN vendors v ON v.id = p.vendor_id
  LEFT JOIN brands b ON b.id = p.brand_id
 WHERE p.id = $1;
