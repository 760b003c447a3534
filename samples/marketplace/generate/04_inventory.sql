-- needs: 02_catalog
-- Each tenant has three warehouses; a variant is kept in one or two of them.
INSERT INTO warehouses (id, tenant_id, code, name, city, country, manager_user_id, capacity_m3, opened_on, closed_on)
SELECT i, tenant, upper(email_name(substr(city, 1, 3))) || '-' || i, city || ' ' || ('{Central,North,Returns}'::text[])[1 + (i - 1) % 3], city, country, of_tenant(tenant, r(i, 4001, 5), i, 4002),
       1000 + r(i, 4003, 20000), date '2015-01-01' + r(i, 4004, 3000), CASE WHEN i = 47 THEN date '2025-06-30' END
  FROM (SELECT i, 1 + (i - 1) / 3 AS tenant, place_no(i, 4005) AS p FROM generate_series(1, 48) i OFFSET 0) s JOIN places ON no = p;

INSERT INTO warehouse_locations (id, warehouse_id, aisle, rack, shelf, kind)
SELECT (w - 1) * 60 + k, w, chr(65 + (k - 1) / 12), 1 + (k - 1) % 12 / 4, 1 + (k - 1) % 4, CASE WHEN k > 56 THEN 'quarantine' WHEN k > 48 THEN 'returns' WHEN k > 36 THEN 'bulk' ELSE 'pick' END
  FROM generate_series(1, 48) w, generate_series(1, 60) k;

INSERT INTO stock (warehouse_id, variant_id, product_id, location_id, on_hand, reserved, reorder_point, updated_at)
SELECT (tenant - 1) * 3 + k, variant, product, ((tenant - 1) * 3 + k - 1) * 60 + 1 + r(variant, 4101, 48), on_hand, CASE WHEN on_hand > 10 THEN r(variant * 2 + k, 4102, 5) ELSE 0 END, 5 + 5 * r(product, 4103, 4), at(data_end() - skewed(variant, 4104, 8000000))
  FROM (SELECT v.id AS variant, v.product_id AS product, tenant_of(v.product_id) AS tenant, k, CASE WHEN chance(v.id * 2 + k, 4105, 7) THEN 0 ELSE 3 + skewed(v.id * 2 + k, 4106, 900)::int END AS on_hand
          FROM product_variants v CROSS JOIN LATERAL generate_series(1, CASE WHEN chance(v.id, 4107, 40) THEN 2 ELSE 1 END) k OFFSET 0) s;

INSERT INTO suppliers (id, tenant_id, name, contact_name, email, phone, country, lead_days, terms, deleted_at)
SELECT i, tenant_of(i), last_name(i, 4201) || ' ' || pick('{Imports,Manufacturing,Textiles,Foods,Electronics,Woodworks}', i, 4202), first_name(i, 4203) || ' ' || last_name(i, 4204), 'sales' || i || '@supplier.example',
       dial || ' ' || digits(i, 4205, 9), country, 3 + r(i, 4206, 40), jsonb_build_object('payment_days', 15 * (1 + r(i, 4207, 4)), 'minimum_order', 100 * (1 + r(i, 4208, 20)), 'incoterm', pick('{EXW,DAP,DDP,FOB}', i, 4209)),
       CASE WHEN chance(i, 4210, 4) THEN at(data_end() - 2000000) END
  FROM generate_series(1, scaled(4, 1) * 64) i JOIN places ON no = place_no(i, 4211);

CREATE TABLE marketplace_generator.purchases AS
SELECT i AS id, tenant, of_tenant(tenant, r(i, 4301, scaled(4, 1)), i, 4302)::int AS supplier, (tenant - 1) * 3 + 1 + r(i, 4303, 2) AS warehouse, event_seconds(i, scaled(7000, 50)) AS t,
       CASE WHEN event_seconds(i, scaled(7000, 50)) > data_end() - 1500000 THEN pick('{draft,sent,confirmed}', i, 4304) WHEN chance(i, 4305, 4) THEN 'cancelled' ELSE 'received' END AS status
  FROM (SELECT i, tenant_of(1 + r(i, 4306, 64)) AS tenant FROM generate_series(1, scaled(7000, 50)) i OFFSET 0) s;

INSERT INTO purchase_order_items (purchase_order_id, line, variant_id, quantity, unit_cost)
SELECT s.id, s.line, (p.id - 1) * 4 + 1 + r(s.n, 4401, variants_of(p.id)), 10 * (1 + r(s.n, 4402, 30)), round(p.price * (35 + r(p.id, 4403, 25)) / 100, 2)
  FROM (SELECT b.id, k AS line, b.id * 8 + k AS n, product_for(b.tenant, b.t, b.id * 8 + k, 4404) AS product FROM marketplace_generator.purchases b CROSS JOIN LATERAL generate_series(1, 1 + r(b.id, 4406, 7)) k OFFSET 0) s
  JOIN products p ON p.id = s.product;

INSERT INTO purchase_orders (id, tenant_id, supplier_id, warehouse_id, status, total, currency, ordered_at, expected_on, received_at)
SELECT b.id, b.tenant, b.supplier, b.warehouse, b.status, i.total, tenant_currency(b.tenant), at(b.t), at(b.t + 1900000)::date, CASE WHEN b.status = 'received' THEN at(least(data_end(), b.t + 900000 + r(b.id, 4501, 900000))) END
  FROM marketplace_generator.purchases b JOIN (SELECT purchase_order_id, sum(quantity * unit_cost) AS total FROM purchase_order_items GROUP BY 1) i ON i.purchase_order_id = b.id;

INSERT INTO transfers (id, tenant_id, from_warehouse_id, to_warehouse_id, status, requested_at, shipped_at, received_at)
SELECT i, tenant, (tenant - 1) * 3 + 1 + r(i, 4601, 2), (tenant - 1) * 3 + CASE WHEN chance(i, 4602, 20) THEN 3 ELSE 2 - r(i, 4601, 2) END, status, at(t), CASE WHEN status IN ('in_transit', 'received') THEN at(t + 40000) END, CASE WHEN status = 'received' THEN at(t + 220000 + r(i, 4603, 100000)) END
  FROM (SELECT i, tenant_of(1 + r(i, 4604, 64)) AS tenant, event_seconds(i, scaled(4000, 50)) AS t,
               CASE WHEN event_seconds(i, scaled(4000, 50)) > data_end() - 400000 THEN pick('{planned,in_transit}', i, 4605) WHEN chance(i, 4606, 3) THEN 'cancelled' ELSE 'received' END AS status FROM generate_series(1, scaled(4000, 50)) i OFFSET 0) s;

INSERT INTO transfer_items (transfer_id, variant_id, quantity, received_quantity)
SELECT DISTINCT ON (t.id, variant) t.id, variant, quantity, CASE WHEN t.status = 'received' THEN quantity END
  FROM transfers t CROSS JOIN LATERAL generate_series(1, 1 + r(t.id, 4701, 6)) k
 CROSS JOIN LATERAL (SELECT product_for(t.tenant_id, extract(epoch FROM t.requested_at)::bigint, t.id * 8 + k, 4702) AS product, 1 + r(t.id * 8 + k, 4704, 40) AS quantity OFFSET 0) p
 CROSS JOIN LATERAL (SELECT (product - 1) * 4 + 1 + r(t.id * 8 + k, 4705, variants_of(product)) AS variant) v
 ORDER BY t.id, variant, k;
