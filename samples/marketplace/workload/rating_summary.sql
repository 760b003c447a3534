-- name: rating_summary
-- area: catalog
-- weight: 50
-- kind: read
-- param 1: reviews.product_id
SELECT rating, count(*) FROM reviews WHERE product_id = $1 AND status = 'approved' GROUP BY rating ORDER BY rating;
