-- name: post_review
-- area: catalog
-- weight: 6
-- kind: write
-- param 1: products.id
-- param 2: users.tenant_id
-- param 3: users.id
-- param 4: integer 1 5
-- param 5: text
INSERT INTO reviews (product_id, tenant_id, user_id, rating, body, verified_purchase) VALUES ($1, $2, $3, $4, $5, true);
