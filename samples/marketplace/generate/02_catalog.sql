-- needs: 00_functions
-- Product titles, descriptions and reviews are put together from lists; price and weight follow the category.
INSERT INTO categories (id, parent_id, name, slug, path, depth, position)
SELECT i, NULL, name, email_name(replace(name, ' ', '-')), name, 0, i
  FROM unnest('{Electronics,Fashion,Shoes,Home and Kitchen,Furniture,Beauty,Sport,Toys,Books and Paper,Food and Drink,Garden,Pets and Baby}'::text[]) WITH ORDINALITY AS d(name, i);
INSERT INTO categories (id, parent_id, name, slug, path, depth, position)
SELECT 13 + l.no, l.department, l.name, email_name(replace(replace(l.name, '''', ''), ' ', '-')), c.name || ' / ' || l.name, 1, l.no
  FROM leaves l JOIN categories c ON c.id = l.department;

CREATE FUNCTION marketplace_generator.brands_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(250, 60)';
INSERT INTO brands (id, name, slug, country, founded_year, website, story)
SELECT i, name, lower(name) || i, (array['DE','GB','FR','US','NL','ES','IT','PL','SE','CH'])[1 + r(i, 2003, 10)], 1880 + r(i, 2004, 140), 'https://' || lower(name) || i || '.example',
       name || ' ' || pick('{is a family workshop,began as a market stall,is a small design studio,has been a cooperative from the start}', i, 2005) || ' and ' || pick('{makes things that last,works with local materials,repairs what it sells,keeps its range small}', i, 2006) || '.'
  FROM (SELECT i, pick('{Nor,Hal,Bel,Ost,Ved,Lin,Kar,Mer,Tor,Sol,Ari,Fen,Gal,Ros,Ull,Wes}', i, 2001) || pick('{dhaus,mark,mont,wick,berg,ora,vida,lund,stead,enza,field,quist,ette,holm,ino,gate}', i, 2002) AS name
          FROM generate_series(1, brands_n()) i OFFSET 0) s;

CREATE FUNCTION marketplace_generator.variants_of(product bigint) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 1 + r($1, 2102, 4)';

INSERT INTO products (id, tenant_id, vendor_id, category_id, brand_id, sku, title, slug, description, status, price, compare_at_price, currency,
                      weight_grams, tags, attributes, published_at, created_at, updated_at, deleted_at)
SELECT s.i, tenant, of_tenant(tenant, skewed(s.i, 2011, vendors_n() / 64), s.i, 2012), 13 + l.no, b.id,
       upper(substr(b.name, 1, 3)) || '-' || lpad(l.no::text, 2, '0') || '-' || lpad(s.i::text, 7, '0'),
       b.name || ' ' || adjective || ' ' || noun || ', ' || colour, lower(replace(b.name || '-' || adjective || '-' || noun || '-' || colour, ' ', '-')) || '-' || s.i,
       'A ' || lower(adjective) || ' ' || lower(noun) || ' (' || lower(colour) || '), made of ' || material || '. '
         || pick('{"It is made to be used every day and to be repaired when needed.","Designed with people who use it for a living.","Small batches keep the quality where we want it.","The details are simple, the finish is not.","A favourite of our customers since it first came out.","Light enough to carry, strong enough to keep."}', s.i, 2013) || ' '
         || pick('{"Wipe clean with a damp cloth.","Ships in recycled packaging.","Comes with a two-year guarantee.","Fits most standard sizes.","Matches the rest of the collection.","Tested by an independent laboratory.","Spare parts are available for ten years."}', s.i, 2014),
       (CASE WHEN age > 0 AND chance(s.i, 2015, 6) THEN 'archived' WHEN chance(s.i, 2016, 4) THEN 'paused' WHEN chance(s.i, 2017, 3) THEN 'draft' ELSE 'active' END)::product_status,
       p.price, CASE WHEN chance(s.i, 2018, 22) THEN round(p.price * (110 + r(s.i, 2019, 50)) / 100, 0) + 0.99 END, tenant_currency(tenant),
       greatest(20, l.grams * (60 + r(s.i, 2020, 80)) / 100),
       ARRAY[lower(colour), material] || CASE WHEN chance(s.i, 2021, 15) THEN '{sale}'::text[] WHEN chance(s.i, 2022, 10) THEN '{new,featured}' WHEN chance(s.i, 2023, 12) THEN '{organic}' ELSE '{}' END,
       jsonb_build_object('finish', colour, 'material', material, 'warranty_months', 12 * (1 + r(s.i, 2024, 3)), 'origin', b.country,
                          'dimensions_cm', jsonb_build_array(5 + r(s.i, 2025, 80), 4 + r(s.i, 2026, 60), 2 + r(s.i, 2027, 40))),
       at(j + 86400), at(j), at(j + u(s.i, 2028) * (data_end() - j)), CASE WHEN chance(s.i, 2029, 2) THEN at(data_end() - u(s.i, 2030) * (data_end() - j)) END
  FROM (SELECT i, tenant_of(i) AS tenant, joined_seconds(i, products_n()) AS j, data_end() - joined_seconds(i, products_n()) - 94608000 AS age,
               floor(54 * u(i, 2031) * (0.4 + 0.6 * u(i, 2031)))::int AS leaf, skewed(i, 2032, 14) AS brand_rank,
               pick('{Classic,Compact,Everyday,Premium,Lightweight,Handmade,Modern,Vintage,Nordic,Slim,Sturdy,Soft,Foldable,Travel,Studio,Original}', i, 2033) AS adjective
          FROM generate_series(1, products_n()) i OFFSET 0) s
  JOIN leaves l ON l.no = s.leaf
  JOIN brands b ON b.id = 1 + (s.leaf * 5 + s.brand_rank) % brands_n()
 CROSS JOIN LATERAL (SELECT l.nouns[1 + r(s.i, 2036, 3)] AS noun, finish(l.department, s.i, 2034) AS colour, material(l.department, s.i, 2035) AS material, greatest(2, round(l.price * (40 + r(s.i, 2037, 90) + r(s.i, 2038, 90)) / 100)) - 0.01 AS price OFFSET 0) p;

INSERT INTO product_variants (id, product_id, sku, name, options, price_delta, barcode, position, is_active)
SELECT (i - 1) * 4 + k, i, 'V' || lpad(i::text, 7, '0') || '-' || k, size, jsonb_build_object('size', size, 'pack', 1 + r(i, 2101, 3)), CASE k WHEN 4 THEN 5 WHEN 3 THEN 2.50 ELSE 0 END,
       '40' || digits(i * 4 + k, 2103, 9) || r(i, 2104, 100), k, chance(i * 4 + k, 2105, 96)
  FROM generate_series(1, products_n()) i CROSS JOIN LATERAL generate_series(1, variants_of(i)) k CROSS JOIN LATERAL (SELECT ('{Small,Medium,Large,Extra Large}'::text[])[k] AS size) s;

INSERT INTO product_images (id, product_id, url, alt_text, width, height, position)
SELECT (i - 1) * 3 + k, i, 'https://images.example/p/' || i % 256 || '/' || i || '-' || k || '.webp', ('{Front view,Detail,In use}'::text[])[k], 1200, CASE WHEN chance(i, 2201, 70) THEN 1200 ELSE 1600 END, k
  FROM generate_series(1, products_n()) i CROSS JOIN LATERAL generate_series(1, 1 + r(i, 2202, 3)) k;

INSERT INTO price_history (id, product_id, price, currency, valid_during)
SELECT (p.id - 1) * 3 + k, p.id, CASE k WHEN changes THEN p.price ELSE round(p.price * (90 + r(p.id * 3 + k, 2301, 30)) / 100, 2) END, p.currency,
       tstzrange(p.created_at + (k - 1) * length / changes, CASE WHEN k < changes THEN p.created_at + k * length / changes END)
  FROM (SELECT id, price, currency, created_at, timestamptz '2026-01-01 00:00:00+00' - created_at AS length, 1 + r(id, 2302, 3) AS changes FROM products) p
 CROSS JOIN LATERAL generate_series(1, changes) k;

-- A product has a quality of its own which its ratings follow; every body agrees with its rating.
INSERT INTO reviews (id, tenant_id, product_id, user_id, rating, title, body, status, verified_purchase, helpful_count, created_at, updated_at, deleted_at)
SELECT i, tenant, product, user_for(tenant, t, i, 2401), rating,
       CASE WHEN chance(i, 2402, 70) THEN pick(CASE WHEN rating >= 4 THEN '{Very happy,Would buy again,Exactly as described,Great value,Lovely quality,A good find}'::text[] WHEN rating = 3 THEN '{It is all right,Mixed feelings,Good but not great}' ELSE '{Disappointed,Not for me,Sent it back,Expected more}' END, i, 2403) END,
       pick(CASE WHEN rating >= 4 THEN '{"Arrived quickly and looks even better than in the pictures.","I use it every day and have no complaints at all.","The quality is excellent for the price.","Bought one for myself and a second one as a present.","Feels solid and is well made.","My whole family likes it."}'::text[]
                 WHEN rating = 3 THEN '{"It does what it should, but I had hoped for a little more.","Good idea, average finish.","The colour is different from the photo, otherwise fine.","Delivery took longer than promised, the product itself is fine."}'
                 ELSE '{"It broke after two weeks of normal use.","The size is wrong and the material feels cheap.","Arrived damaged and the reply took days.","Not at all what the description says.","I returned it at once."}' END, i, 2404) || ' '
         || pick(CASE WHEN rating >= 4 THEN '{"The packaging was simple and plastic free.","Support answered my question within an hour.","Recommended.","I will order here again.","Five months later it still looks new."}'::text[]
                 ELSE '{"Support was friendly, I must say.","I would not order it again.","Perhaps I was just unlucky.","For the price I expected better."}' END, i, 2405)
         || CASE WHEN chance(i, 2406, 40) THEN ' ' || pick('{"Size up if you are between sizes.","The instructions could be clearer.","Fits well in a small flat.","It is heavier than I thought.","The smell goes away after a day.","Please offer it in more colours."}', i, 2407) ELSE '' END,
       (CASE WHEN t > data_end() - 172800 OR chance(i, 2408, 2) THEN 'pending' WHEN chance(i, 2409, 4) THEN 'rejected' ELSE 'approved' END)::review_status,
       chance(i, 2410, 71), CASE WHEN chance(i, 2411, 35) THEN 1 + r(i, 2412, 3) ELSE 0 END, at(t), at(t + 3600), CASE WHEN chance(i, 2413, 1) THEN at(t + 86400) END
  FROM (SELECT i, tenant, t, product, least(5, greatest(1, 3 + r(product, 2414, 3) + r(i, 2415, 3) - CASE WHEN chance(i, 2416, 22) THEN 3 ELSE 1 END)) AS rating
          FROM (SELECT i, tenant_of(1 + r(i, 2417, 64)) AS tenant, event_seconds(i, reviews_n()) AS t FROM generate_series(1, reviews_n()) i OFFSET 0) a
         CROSS JOIN LATERAL (SELECT product_for(tenant, t, i, 2418) AS product OFFSET 0) b OFFSET 0) s;

INSERT INTO review_votes (review_id, user_id, helpful, voted_at)
SELECT id, (r(id, 2501, users_n() / 64) + k) % (users_n() / 64) * 64 + tenant_first(tenant_id) + 1, k <= helpful_count, created_at + k * interval '7 hours'
  FROM reviews CROSS JOIN LATERAL generate_series(1, helpful_count + CASE WHEN chance(id, 2502, 8) THEN 1 ELSE 0 END) k;

INSERT INTO product_questions (id, product_id, user_id, question, asked_at)
SELECT i, product_for(tenant, t, i, 2601), user_for(tenant, t, i, 2603),
       pick('{"Does it fit a standard frame?","Is the cover washable?","Which sizes do you have in stock?","Can it be used outdoors?","How long is the cable?","Is it suitable for children?","Do you ship to Ireland?","What is it made of exactly?","Is there a spare part for the lid?","Does the colour fade in the sun?"}', i, 2605), at(t)
  FROM (SELECT i, tenant_of(1 + r(i, 2606, 64)) AS tenant, event_seconds(i, scaled(12500, 60)) AS t FROM generate_series(1, scaled(12500, 60)) i OFFSET 0) s;

INSERT INTO product_answers (id, question_id, vendor_id, user_id, answer, answered_at)
SELECT row_number() OVER (ORDER BY q.id), q.id, CASE WHEN chance(q.id, 2701, 70) THEN p.vendor_id END, CASE WHEN NOT chance(q.id, 2701, 70) THEN q.user_id END,
       pick('{"Yes, it does.","No, we are sorry.","Please see the size chart in the pictures.","We tested it and it works well.","It is on its way to our warehouse.","Yes, at 30 degrees.","Our support can send you one."}', q.id, 2702), q.asked_at + (1 + r(q.id, 2703, 70)) * interval '1 hour'
  FROM product_questions q JOIN products p ON p.id = q.product_id WHERE chance(q.id, 2704, 76);
