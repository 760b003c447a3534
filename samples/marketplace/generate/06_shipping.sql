-- needs: 05_orders
-- Shipment and tracking follow the order's dates; a shipment bears its order's number.
INSERT INTO carriers (id, code, name, tracking_url, support_phone, services) VALUES
  (1, 'dpx', 'Deutsche Paket Express', 'https://track.dpx.example/', '+49 800 555010', '{standard,express}'), (2, 'royalpost', 'Royal Post', 'https://royalpost.example/t/', '+44 800 5550', '{standard,next_day}'),
  (3, 'unipar', 'UniParcel', 'https://unipar.example/track/', '+1 800 5550100', '{standard,express,freight}'), (4, 'colisud', 'Colis du Sud', 'https://colisud.example/s/', '+33 800 5551', '{standard,pickup_point}'),
  (5, 'nordfrakt', 'Nordfrakt', 'https://nordfrakt.example/', '+46 20 555', '{standard,freight}'), (6, 'velo', 'Velo Couriers', 'https://velo.example/', NULL, '{same_day}');

INSERT INTO shipping_zones (id, tenant_id, name, countries)
SELECT (i - 1) * 3 + k, i, ('{Domestic,Europe,World}'::text[])[k], CASE k WHEN 1 THEN ARRAY[(SELECT country FROM tenants WHERE id = i)] WHEN 2 THEN '{DE,FR,NL,ES,IT,PL,SE,IE,AT,PT}'::char(2)[] ELSE '{GB,US,CH}' END
  FROM generate_series(1, 16) i, generate_series(1, 3) k;

INSERT INTO shipping_rates (id, zone_id, carrier_id, service, max_weight_grams, price, currency, delivery_days)
SELECT (z - 1) * 4 + k, z, 1 + (z + k) % 6, ('{standard,standard,standard,express}'::text[])[k], (ARRAY[2000, 10000, 31500, 10000])[k], 2.90 + 2 * k + 3 * ((z - 1) % 3), tenant_currency(1 + (z - 1) / 3), int4range(1 + (z - 1) % 3, 4 + 3 * ((z - 1) % 3), '[]')
  FROM generate_series(1, 48) z, generate_series(1, 4) k;

INSERT INTO shipments (id, tenant_id, order_id, warehouse_id, carrier_id, tracking_number, status, weight_grams, cost, currency, recipient_name, recipient_phone, shipped_at, estimated_on, delivered_at, created_at)
SELECT id, tenant_id, id, (tenant_id - 1) * 3 + 1 + r(id, 6001, 2), CASE WHEN chance(id, 6002, 70) THEN 1 + tenant_id % 5 ELSE 1 + r(id, 6003, 6) END, upper(substr(token_of(id, 6004), 1, 4)) || digits(id, 6005, 9),
       (CASE WHEN delivered_at IS NOT NULL THEN 'delivered' WHEN chance(id, 6006, 30) THEN 'out_for_delivery' ELSE 'in_transit' END)::shipment_status,
       200 + skewed(id, 6007, 24000), 2.90 + r(id, 6008, 600) / 100.0, currency, shipping_address ->> 'name', CASE WHEN chance(id, 6009, 60) THEN digits(user_id, 1108, 9) END,
       shipped_at, shipped_at::date + 3, delivered_at, shipped_at - interval '2 hours'
  FROM orders WHERE shipped_at IS NOT NULL;

INSERT INTO shipment_items (shipment_id, order_item_id, quantity)
SELECT s.id, i.id, i.quantity FROM order_items i JOIN shipments s ON s.id = i.order_id;

INSERT INTO tracking (id, shipment_id, status, place, detail, occurred_at)
SELECT (s.id - 1) * 5 + k, s.id, (CASE k WHEN 1 THEN 'label_created' WHEN 2 THEN 'picked_up' WHEN 5 THEN 'delivered' WHEN 4 THEN 'out_for_delivery' ELSE 'in_transit' END)::shipment_status,
       CASE WHEN k <= 2 THEN 'Warehouse' WHEN k = 3 THEN pick('{Hub Leipzig,Hub Lyon,Hub Birmingham,Hub Venlo,Hub Madrid,Hub Memphis}', s.id, 6101) ELSE 'Destination' END,
       CASE WHEN k = 5 AND chance(s.id, 6102, 60) THEN jsonb_build_object('signed_by', s.recipient_name) WHEN k = 3 AND chance(s.id, 6103, 5) THEN '{"delay": "weather"}' END,
       CASE k WHEN 1 THEN s.created_at WHEN 2 THEN s.shipped_at WHEN 5 THEN s.delivered_at WHEN 4 THEN coalesce(s.delivered_at - interval '5 hours', s.shipped_at + interval '19 hours') ELSE s.shipped_at + interval '14 hours' END
  FROM shipments s CROSS JOIN LATERAL generate_series(1, CASE s.status WHEN 'delivered' THEN 5 WHEN 'out_for_delivery' THEN 4 ELSE 3 END) k;

INSERT INTO returns (id, tenant_id, order_id, user_id, status, reason, comment, refund_amount, currency, requested_at, received_at, closed_at)
SELECT row_number() OVER (ORDER BY id), tenant_id, id, user_id, (CASE WHEN status = 'refunded' THEN 'refunded' ELSE pick('{rejected,received,in_transit,approved,requested}', id, 6201) END)::return_status,
       pick('{wrong_size,wrong_size,damaged,not_as_described,changed_mind,changed_mind,arrived_late,wrong_item}', id, 6202),
       CASE WHEN chance(id, 6203, 40) THEN pick('{"The box was open.","Too small.","I ordered two by mistake.","Came after the birthday.","The colour is different."}', id, 6204) END,
       CASE WHEN status = 'refunded' THEN total ELSE 0 END, currency, delivered_at + interval '1 day', CASE WHEN status = 'refunded' THEN delivered_at + interval '5 days' END, CASE WHEN status = 'refunded' THEN delivered_at + interval '6 days' END
  FROM orders WHERE status = 'refunded' OR (status = 'delivered' AND chance(id, 6205, 3));

INSERT INTO return_items (return_id, order_item_id, quantity, condition, restock)
SELECT t.id, i.id, i.quantity, pick('{new,new,new,opened,used,broken}', i.id, 6301), chance(i.id, 6302, 75) FROM returns t JOIN order_items i ON i.order_id = t.order_id;
