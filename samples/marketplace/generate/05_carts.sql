-- needs: 02_catalog
INSERT INTO carts (id, tenant_id, user_id, visitor_id, status, currency, coupon_code, created_at, updated_at)
SELECT i, tenant, CASE WHEN chance(i, 5701, 66) THEN user_for(tenant, t, i, 5702) END, CASE WHEN NOT chance(i, 5701, 66) THEN uuid_of(i, 5704) END,
       (CASE WHEN t > data_end() - 604800 THEN 'open' WHEN chance(i, 5705, 45) THEN 'abandoned' WHEN chance(i, 5706, 6) THEN 'merged' WHEN chance(i, 5707, 6) THEN 'open' ELSE 'converted' END)::cart_status,
       tenant_currency(tenant), CASE WHEN chance(i, 5708, 9) THEN pick('{WELCOME10,SPRING15,FREESHIP,VIP20}', i, 5709) END, at(t), at(t + r(i, 5710, 80000))
  FROM (SELECT i, tenant_of(1 + r(i, 5711, 64)) AS tenant, event_seconds(i, carts_n()) AS t FROM generate_series(1, carts_n()) i OFFSET 0) s;

INSERT INTO cart_items (id, cart_id, product_id, variant_id, quantity, unit_price, currency, added_at)
SELECT s.item, s.cart, p.id, (p.id - 1) * 4 + 1 + r(s.item, 5801, variants_of(p.id)), 1 + r(s.item, 5802, 2) * r(s.item, 5803, 2), p.price, p.currency, at(s.t + k * 90)
  FROM (SELECT (i - 1) * 6 + k AS item, i AS cart, k, event_seconds(i, carts_n()) AS t, product_for(tenant_of(1 + r(i, 5711, 64)), event_seconds(i, carts_n()), i * 6 + k, 5804) AS product
          FROM generate_series(1, carts_n()) i CROSS JOIN LATERAL generate_series(1, 1 + r(i, 5806, 4)) k OFFSET 0) s
  JOIN products p ON p.id = s.product;

INSERT INTO cart_abandonments (cart_id, user_id, value, currency, last_step, reminder_count, recovered_at, abandoned_at)
SELECT c.id, c.user_id, v.value, c.currency, pick('{cart,cart,cart,address,delivery,payment}', c.id, 5901), CASE WHEN c.user_id IS NULL THEN 0 ELSE r(c.id, 5902, 4) END,
       CASE WHEN chance(c.id, 5903, 7) THEN c.updated_at + interval '2 days' END, c.updated_at + interval '1 hour'
  FROM carts c JOIN (SELECT cart_id, sum(quantity * unit_price) AS value FROM cart_items GROUP BY cart_id) v ON v.cart_id = c.id WHERE c.status = 'abandoned';

INSERT INTO wishlists (id, tenant_id, user_id, name, is_public, share_token, created_at, deleted_at)
SELECT i, tenant, user_for(tenant, t, i, 5951), pick('{My wishlist,My wishlist,My wishlist,Birthday,New flat,Gifts,Holiday,Baby}', i, 5953), chance(i, 5954, 20), CASE WHEN chance(i, 5954, 20) THEN uuid_of(i, 5955) END,
       at(t), CASE WHEN chance(i, 5956, 3) THEN at(data_end() - 7200) END
  FROM (SELECT i, tenant_of(1 + r(i, 5957, 64)) AS tenant, event_seconds(i, scaled(14000, 80)) AS t FROM generate_series(1, scaled(14000, 80)) i OFFSET 0) s;

INSERT INTO wishlist_items (wishlist_id, product_id, note, notify_below, added_at)
SELECT DISTINCT ON (w.id, product) w.id, product, CASE WHEN chance(w.id * 8 + k, 5961, 8) THEN pick('{in blue if possible,for Mum,wait for the sale,size M}', w.id, 5962) END,
       CASE WHEN chance(w.id * 8 + k, 5963, 15) THEN 10 + r(w.id, 5964, 90) END, w.created_at + k * interval '1 day'
  FROM wishlists w CROSS JOIN LATERAL generate_series(1, 1 + r(w.id, 5965, 8)) k CROSS JOIN LATERAL (SELECT product_for(w.tenant_id, extract(epoch FROM w.created_at)::bigint, w.id * 8 + k, 5966) AS product OFFSET 0) p
 ORDER BY w.id, product, k;
