-- name: track_parcel
-- area: shipping
-- weight: 25
-- kind: read
-- param 1: shipments.tracking_number
SELECT s.status, s.estimated_on, t.status AS event, t.place, t.occurred_at
  FROM shipments s JOIN tracking t ON t.shipment_id = s.id WHERE s.tracking_number = $1 ORDER BY t.occurred_at;
