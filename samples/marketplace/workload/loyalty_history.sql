-- name: loyalty_history
-- area: marketing
-- weight: 6
-- kind: read
-- param 1: loyalty_transactions.account_id
SELECT points, reason, booked_at FROM loyalty_transactions WHERE account_id = $1 ORDER BY booked_at DESC LIMIT 30;
