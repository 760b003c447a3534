-- name: shipments_of_order
-- area: shipping
-- weight: 15
-- kind: read
-- param 1: shipments.order_id
SELECT s.id, c.name, s.tracking_number, s.status FROM shipments s JOIN carriers c ON c.id = s.carrier_id WHERE s.order_id = $1;
