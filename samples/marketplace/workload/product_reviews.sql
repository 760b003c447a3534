-- name: product_reviews
-- area: catalog
-- weight: 80
-- kind: read
-- param 1: reviews.product_id
SELECT r.rating, r.title, r.body, r.helpful_count, r.created_at, u.first_name
  FROM reviews r JOIN users u ON u.id = r.user_id
 WHERE r.product_id = $1 AND r.status = 'approved' AND r.deleted_at IS NULL
 ORDER BY r.created_at DESC LIMIT 10;
