-- name: similar_products
-- area: catalog
-- weight: 20
-- kind: read
-- param 1: products.id
SELECT o.id, o.title, o.price FROM products p
  JOIN products o ON o.category_id = p.category_id AND o.tenant_id = p.tenant_id AND o.id <> p.id
 WHERE p.id = $1 AND o.status = 'active' AND o.price BETWEEN p.price * 0.7 AND p.price * 1.3 LIMIT 8;
