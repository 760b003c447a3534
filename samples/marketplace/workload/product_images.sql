-- name: product_images
-- area: catalog
-- weight: 60
-- kind: read
-- param 1: products.id
SELECT url, alt_text, width, height FROM product_images WHERE product_id = $1 ORDER BY position;
