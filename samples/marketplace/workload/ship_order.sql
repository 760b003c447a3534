-- name: ship_order
-- area: carts
-- weight: 8
-- kind: write
-- param 1: orders.tenant_id
WITH shipped AS (
  UPDATE orders SET status = 'shipped', shipped_at = now()
   WHERE id = (SELECT id FROM orders WHERE tenant_id = $1 AND status IN ('paid', 'packed') AND paid_at <= now() ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id)
INSERT INTO order_status_history (order_id, status) SELECT id, 'shipped' FROM shipped;
