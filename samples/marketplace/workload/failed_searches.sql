-- name: failed_searches
-- area: analytics
-- weight: 1
-- kind: read
-- param 1: search_queries.tenant_id
-- param 2: days 14 60
SELECT query, count(*) FROM search_queries WHERE tenant_id = $1 AND result_count = 0 AND searched_at >= $2 GROUP BY query ORDER BY count(*) DESC LIMIT 20;
