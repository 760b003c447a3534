-- name: product_full_text_search
-- area: catalog
-- weight: 40
-- kind: read
-- param 1: products.tenant_id
-- param 2: word
SELECT id, title, price, currency, ts_rank(search, query) AS rank
  FROM products, plainto_tsquery('english', $2) AS query
 WHERE tenant_id = $1 AND search @@ query AND status = 'active' AND deleted_at IS NULL
 ORDER BY rank DESC, id LIMIT 20;
