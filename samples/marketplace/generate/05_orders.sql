-- needs: 02_catalog
-- An order's base decides tenant, customer and times; its items come from the catalogue; its totals are the sums of its items.
CREATE TABLE marketplace_generator.order_base AS
SELECT i AS id, tenant, user_for(tenant, t, i, 5001) AS user_id, t AS created, paid, shipped, shipped + 86400 + r(i, 5003, 432000) AS delivered,
       CASE WHEN chance(i, 5004, 4) THEN 'cancelled' WHEN paid > data_end() OR chance(i, 5005, 1) THEN 'pending' WHEN shipped - 14000 > data_end() THEN 'paid' WHEN shipped > data_end() THEN 'packed'
            WHEN shipped + 86400 + r(i, 5003, 432000) > data_end() THEN 'shipped' WHEN chance(i, 5006, 3) THEN 'refunded' ELSE 'delivered' END::order_status AS status
  FROM (SELECT i, tenant_of(1 + r(i, 5007, 64)) AS tenant, event_seconds(i, orders_n()) AS t, event_seconds(i, orders_n()) + 20 + r(i, 5008, 1700) AS paid,
               event_seconds(i, orders_n()) + 14400 + r(i, 5002, 200000) AS shipped
          FROM generate_series(1, orders_n()) i OFFSET 0) s;
ANALYZE marketplace_generator.order_base;

INSERT INTO order_items (id, order_id, product_id, variant_id, vendor_id, quantity, unit_price, line_total, currency, gift_message)
SELECT s.item, s.id, p.id, (p.id - 1) * 4 + 1 + r(s.item, 5101, variants_of(p.id)), p.vendor_id, quantity, p.price, p.price * quantity, p.currency,
       CASE WHEN chance(s.item, 5102, 2) THEN pick('{"Happy birthday!","With love from all of us","Thank you for everything","Congratulations on the new flat"}', s.item, 5103) END
  FROM (SELECT (o.id - 1) * 6 + k AS item, o.id, product_for(o.tenant, o.created, o.id * 6 + k, 5104) AS product, CASE WHEN chance(o.id * 6 + k, 5106, 78) THEN 1 ELSE 1 + r(o.id * 6 + k, 5107, 4) END AS quantity
          FROM marketplace_generator.order_base o CROSS JOIN LATERAL generate_series(1, 1 + (u(o.id, 5108) * u(o.id, 5109) * 6)::int) k WHERE k <= 6 OFFSET 0) s
  JOIN products p ON p.id = s.product;

INSERT INTO orders (id, tenant_id, user_id, organisation_id, order_number, status, subtotal, discount, shipping, tax, total, currency, shipping_address, channel, customer_ip, note,
                    created_at, paid_at, shipped_at, delivered_at, cancelled_at, updated_at, deleted_at)
SELECT id, tenant, user_id, CASE WHEN chance(id, 5201, 5) THEN of_tenant(tenant, skewed(id, 5202, organisations_n() / 64), id, 5203) END, 'HW-' || 100000 + id, status,
       subtotal, discount, shipping, tax, subtotal - discount + shipping + tax, tenant_currency(tenant),
       jsonb_build_object('name', first_name(user_id, 1101) || ' ' || last_name(user_id, 1102), 'line1', 1 + r(user_id, 1203, 180) || ' ' || street(user_id, 1205),
                          'postcode', postcode || digits(user_id, 1211, digits), 'city', city, 'country', country),
       CASE WHEN chance(id, 5204, 52) THEN 'web' ELSE pick('{ios,ios,android,android,android,phone,api}', id, 5205) END, ip_of(user_id, 1120),
       CASE WHEN chance(id, 5206, 6) THEN pick('{"Please leave with the neighbour.","Ring twice.","Not before ten, please.","No substitutes.","Deliver to the back door."}', id, 5207) END,
       at(created), CASE WHEN status NOT IN ('pending', 'cancelled') THEN at(paid) END, CASE WHEN status IN ('shipped', 'delivered', 'refunded') THEN at(shipped) END,
       CASE WHEN status IN ('delivered', 'refunded') THEN at(delivered) END, CASE WHEN status = 'cancelled' THEN at(created + 3000 + r(id, 5208, 20000)) END,
       at(CASE status WHEN 'pending' THEN created WHEN 'cancelled' THEN created + 23000 WHEN 'paid' THEN paid WHEN 'packed' THEN paid + 3600 WHEN 'shipped' THEN shipped ELSE delivered END),
       CASE WHEN chance(id, 5209, 1) AND status = 'cancelled' THEN at(data_end() - 3600) END
  FROM (SELECT b.*, subtotal, discount, CASE WHEN subtotal > 60 THEN 0 ELSE 4.90 END AS shipping, round((subtotal - discount) * 0.20, 2) AS tax
          FROM marketplace_generator.order_base b JOIN (SELECT order_id, sum(line_total) AS subtotal FROM order_items GROUP BY order_id) i ON i.order_id = b.id
         CROSS JOIN LATERAL (SELECT CASE WHEN chance(b.id, 5210, 12) THEN round(subtotal * (5 * (1 + r(b.id, 5211, 4))) / 100, 2) ELSE 0 END AS discount OFFSET 0) d OFFSET 0) s
  JOIN places ON no = place_no(user_id, 1103)
 ORDER BY id;

INSERT INTO order_status_history (id, order_id, status, changed_by, reason, changed_at)
SELECT (id - 1) * 6 + k, id, stage::order_status, CASE WHEN k = 1 THEN user_id END, CASE WHEN stage = 'cancelled' THEN pick('{customer request,payment failed,out of stock}', id, 5301) WHEN stage = 'refunded' THEN 'return accepted' END,
       at(CASE k WHEN 1 THEN created WHEN 2 THEN CASE stage WHEN 'cancelled' THEN created + 3000 + r(id, 5208, 20000) ELSE paid END WHEN 3 THEN CASE WHEN status = 'packed' THEN paid + 3600 ELSE shipped - 14000 END WHEN 4 THEN shipped WHEN 5 THEN delivered ELSE delivered + 500000 END)
  FROM (SELECT *, CASE status WHEN 'cancelled' THEN '{pending,cancelled}'::text[] WHEN 'pending' THEN '{pending}' WHEN 'paid' THEN '{pending,paid}' WHEN 'packed' THEN '{pending,paid,packed}'
                       WHEN 'shipped' THEN '{pending,paid,packed,shipped}' WHEN 'delivered' THEN '{pending,paid,packed,shipped,delivered}' ELSE '{pending,paid,packed,shipped,delivered,refunded}' END AS stages
          FROM marketplace_generator.order_base OFFSET 0) b
 CROSS JOIN LATERAL unnest(stages) WITH ORDINALITY AS s(stage, k);
