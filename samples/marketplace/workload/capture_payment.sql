-- name: capture_payment
-- area: carts
-- weight: 10
-- kind: write
-- param 1: payments.order_id
UPDATE payments SET status = 'captured', captured_at = now() WHERE order_id = $1 AND status IN ('initiated', 'authorised');
