-- name: tracking_event
-- area: shipping
-- weight: 15
-- kind: write
-- param 1: shipments.id
-- param 2: choice Hub Leipzig|Hub Lyon|Hub Venlo|Destination
INSERT INTO tracking (shipment_id, status, place, occurred_at) VALUES ($1, 'in_transit', $2, now());
