-- needs: 05_orders 01_organisations
INSERT INTO campaigns (id, tenant_id, name, channel, budget, currency, starts_on, ends_on, audience)
SELECT i, tenant_of(i), pick('{Spring,Summer,Autumn,Winter,Black Friday,Back to School,Gift,Clearance}', i, 7001) || ' ' || pick('{Launch,Weekend,Push,Stories,Newsletter,Retargeting}', i, 7002), pick('{email,search,social,display,affiliate}', i, 7003),
       500 * (1 + skewed(i, 7004, 60)), tenant_currency(tenant_of(i)), d, d + 7 + r(i, 7005, 40), jsonb_build_object('age_from', 18 + r(i, 7006, 20), 'countries', jsonb_build_array(country), 'opt_in_only', chance(i, 7007, 60))
  FROM (SELECT i, at(event_seconds(i, scaled(5, 2) * 64))::date AS d, place_no(i, 7008) AS p FROM generate_series(1, scaled(5, 2) * 64) i OFFSET 0) s JOIN places ON no = p;

INSERT INTO ads (id, campaign_id, vendor_id, product_id, headline, placement, bid, currency, keywords, is_active, created_at)
SELECT s.i, s.campaign, p.vendor_id, p.id, pick('{Now at,Only today at,Best price at,New at,Customers love it at}', s.i, 7101) || ' ' || p.price || ' ' || p.currency || ': ' || split_part(p.title, ',', 1), pick('{home,search,search,category,product,checkout}', s.i, 7102),
       0.05 + r(s.i, 7103, 150) / 100.0, p.currency, string_to_array(lower(split_part(p.title, ',', 1)), ' '), chance(s.i, 7104, 70), at(s.t)
  FROM (SELECT i, campaign, event_seconds(i, ads_n()) AS t, product_for(tenant_of(campaign), event_seconds(i, ads_n()), i, 7105) AS product
          FROM (SELECT i, 1 + r(i, 7107, scaled(5, 2) * 64) AS campaign FROM generate_series(1, ads_n()) i OFFSET 0) a OFFSET 0) s JOIN products p ON p.id = s.product;

CREATE FUNCTION marketplace_generator.impressions_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(117000, 400)';
CREATE FUNCTION marketplace_generator.ad_of(impression bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT 1 + skewed($1, 7201, ads_n())';
INSERT INTO ad_impressions (id, ad_id, user_id, placement, cost, shown_at)
SELECT i, a.id, CASE WHEN chance(i, 7202, 55) THEN user_for(tenant_of(a.campaign_id), event_seconds(i, impressions_n()), i, 7203) END, a.placement, a.bid / 20, at(greatest(event_seconds(i, impressions_n()), extract(epoch FROM a.created_at)))
  FROM generate_series(1, impressions_n()) i JOIN ads a ON a.id = ad_of(i);
INSERT INTO ad_clicks (id, impression_id, ad_id, order_id, clicked_at)
SELECT row_number() OVER (ORDER BY id), id, ad_id, CASE WHEN chance(id, 7301, 6) THEN 1 + r(id, 7302, orders_n()) END, shown_at + (2 + r(id, 7303, 40)) * interval '1 second' FROM ad_impressions WHERE chance(id, 7304, 4);

-- Each tenant has its coupons; the first of a tenant is the one used most.
CREATE FUNCTION marketplace_generator.coupons_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(12, 2) * 64';
CREATE FUNCTION marketplace_generator.coupon_of(order_id bigint, tenant int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT of_tenant($2, skewed($1, 7401, coupons_n() / 64), $1, 7402)';
INSERT INTO coupon_redemptions (id, coupon_id, order_id, user_id, amount, currency, redeemed_at)
SELECT row_number() OVER (ORDER BY id), coupon_of(id, tenant_id), id, user_id, discount, currency, created_at FROM orders WHERE discount > 0;
INSERT INTO coupons (id, tenant_id, code, kind, value, currency, minimum_total, max_uses, used_count, category_ids, valid_from, valid_to, deleted_at)
SELECT i, tenant_of(i), pick('{WELCOME,SPRING,VIP,THANKS,FRIENDS,SUNNY,WINTER,FREESHIP}', i, 7403) || 5 * (1 + r(i, 7404, 5)) || '-' || i, pick('{percent,percent,percent,amount,free_shipping}', i, 7405), 5 * (1 + r(i, 7404, 5)), tenant_currency(tenant_of(i)),
       10 * r(i, 7406, 6), CASE WHEN chance(i, 7407, 40) THEN 100 * (1 + r(i, 7408, 50)) END, coalesce(uses, 0), CASE WHEN chance(i, 7409, 30) THEN ARRAY[13 + r(i, 7410, 54), 13 + r(i, 7411, 54)] ELSE '{}' END,
       at(1704067200 + r(i, 7412, 10000000)), at(1767225600 + r(i, 7413, 20000000)), CASE WHEN chance(i, 7414, 3) THEN at(data_end() - 90000) END
  FROM generate_series(1, coupons_n()) i LEFT JOIN (SELECT coupon_id, count(*) AS uses FROM coupon_redemptions GROUP BY 1) c ON c.coupon_id = i;

INSERT INTO deals (id, tenant_id, name, discount_percent, active_during, is_featured)
SELECT i, tenant_of(i), pick('{Daily,Weekend,Flash,Season,Midnight}', i, 7501) || ' ' || pick('{Deal,Offer,Sale,Special}', i, 7502), 5 + 5 * r(i, 7503, 10), tstzrange(at(t), at(t + 86400 * (1 + r(i, 7504, 9)))), chance(i, 7505, 15)
  FROM (SELECT i, event_seconds(i, scaled(700, 64)) AS t FROM generate_series(1, scaled(700, 64)) i OFFSET 0) s;
INSERT INTO deal_products (deal_id, product_id, deal_price, quantity_limit)
SELECT DISTINCT ON (d.id, p.id) d.id, p.id, round(p.price * (100 - d.discount_percent) / 100, 2), CASE WHEN chance(d.id, 7601, 50) THEN 10 * (1 + r(d.id, 7602, 20)) END
  FROM deals d CROSS JOIN LATERAL generate_series(1, 3 + r(d.id, 7603, 8)) k CROSS JOIN LATERAL (SELECT product_for(d.tenant_id, extract(epoch FROM lower(d.active_during))::bigint, d.id * 16 + k, 7604) AS product OFFSET 0) x
  JOIN products p ON p.id = x.product ORDER BY d.id, p.id;

INSERT INTO loyalty_programs (id, tenant_id, name, points_per_unit, rules)
SELECT i, i, name || ' Club', 1 + r(i, 7701, 3), jsonb_build_object('expiry_months', 12 + 12 * r(i, 7702, 2), 'birthday_bonus', 100, 'point_value', 0.01) FROM (SELECT id::int AS i, name FROM tenants) t;
INSERT INTO loyalty_tiers (id, program_id, name, minimum_points, perks)
SELECT (i - 1) * 3 + k, i, ('{Bronze,Silver,Gold}'::text[])[k], (ARRAY[0, 500, 2000])[k], CASE k WHEN 1 THEN '{birthday bonus}'::text[] WHEN 2 THEN '{birthday bonus,free shipping}' ELSE '{birthday bonus,free shipping,early access}' END FROM generate_series(1, 16) i, generate_series(1, 3) k;
-- A user's account bears the user's number; its points are the sum of its transactions.
INSERT INTO loyalty_transactions (id, account_id, order_id, points, reason, booked_at)
SELECT id * 2, user_id, id, greatest(1, floor(total))::int, 'purchase', paid_at FROM orders WHERE paid_at IS NOT NULL AND chance(user_id, 7801, 55)
UNION ALL SELECT id * 2 + 1, user_id, id, 50 + 50 * r(id, 7803, 4), 'bonus', paid_at + interval '1 minute' FROM orders WHERE paid_at IS NOT NULL AND chance(user_id, 7801, 55) AND chance(id, 7802, 12);
INSERT INTO loyalty_accounts (id, program_id, tier_id, user_id, card_number, points, enrolled_at)
SELECT i, tenant_of(i), tenant_of(i) * 3 - CASE WHEN points >= 2000 THEN 0 WHEN points >= 500 THEN 1 ELSE 2 END, i, '9' || digits(i, 7901, 9) || lpad(i::text, 7, '0'), points, at(joined_seconds(i, users_n()) + 5000)
  FROM (SELECT i, coalesce(points, 0)::int AS points FROM generate_series(1, users_n()) i LEFT JOIN (SELECT account_id, sum(points) AS points FROM loyalty_transactions GROUP BY 1) t ON account_id = i WHERE chance(i, 7801, 55)) s;

INSERT INTO newsletter_subscriptions (id, tenant_id, user_id, email, topics, confirmed_at, unsubscribed_at, signup_ip)
SELECT i, tenant_id, id, email, ARRAY[pick('{new arrivals,sales}', i, 7951), pick('{home,fashion,sport,tech,food}', i, 7952)], CASE WHEN chance(i, 7953, 92) THEN created_at + interval '1 day' END, CASE WHEN chance(i, 7954, 14) THEN at(data_end() - skewed(i, 7955, 40000000)) END, last_login_ip
  FROM (SELECT row_number() OVER (ORDER BY id) AS i, * FROM users WHERE marketing_opt_in) u;
