-- name: article_search
-- area: support
-- weight: 5
-- kind: read
-- param 1: choice return parcel|invoice|cancel order|coupon|address
SELECT id, title, ts_headline('english', body, q) FROM knowledge_base_articles, plainto_tsquery('english', $1) AS q
 WHERE search @@ q AND deleted_at IS NULL ORDER BY ts_rank(search, q) DESC LIMIT 5;
