-- name: products_by_material
-- area: catalog
-- weight: 8
-- kind: read
-- param 1: choice oak|linen|steel|merino wool|glass|leather
SELECT id, title, price FROM products WHERE attributes @> jsonb_build_object('material', $1::text) AND status = 'active' ORDER BY price LIMIT 24;
