-- name: pay_order
-- area: carts
-- weight: 12
-- kind: write
-- param 1: orders.tenant_id
UPDATE orders SET status = 'paid', paid_at = now()
 WHERE id = (SELECT id FROM orders WHERE tenant_id = $1 AND status = 'pending' ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED);
