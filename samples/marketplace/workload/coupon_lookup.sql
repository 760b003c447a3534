-- name: coupon_lookup
-- area: marketing
-- weight: 15
-- kind: read
-- param 1: coupons.tenant_id
-- param 2: coupons.code
SELECT id, kind, value, minimum_total, max_uses, used_count FROM coupons WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL;
