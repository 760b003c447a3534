-- name: returns_of_user
-- area: shipping
-- weight: 5
-- kind: read
-- param 1: returns.user_id
SELECT r.id, r.status, r.reason, r.refund_amount, o.order_number FROM returns r JOIN orders o ON o.id = r.order_id WHERE r.user_id = $1 ORDER BY r.requested_at DESC;
