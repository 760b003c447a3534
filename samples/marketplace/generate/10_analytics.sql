-- needs: 00_functions
CREATE FUNCTION marketplace_generator.views_n() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT scaled(234000, 1000)';
INSERT INTO product_views (id, tenant_id, product_id, user_id, visitor_id, device, referrer, seconds_on_page, viewed_at)
SELECT i, tenant, product_for(tenant, t, i, 10001), CASE WHEN chance(i, 10003, 40) THEN user_for(tenant, t, i, 10004) END, uuid_of(i / 4, 10006), CASE WHEN chance(i, 10007, 58) THEN 'mobile' WHEN chance(i, 10008, 80) THEN 'desktop' ELSE 'tablet' END,
       pick('{NULL,NULL,google,google,instagram,newsletter,bing,direct}', i, 10009), skewed(i, 10010, 600), at(t)
  FROM (SELECT i, tenant_of(1 + r(i / 4, 10011, 64)) AS tenant, event_seconds(i, views_n()) AS t FROM generate_series(1, views_n()) i OFFSET 0) s;

INSERT INTO search_queries (id, tenant_id, user_id, query, filters, result_count, took_ms, searched_at)
SELECT i, tenant, CASE WHEN chance(i, 10101, 45) THEN user_for(tenant, t, i, 10102) END,
       CASE WHEN chance(i, 10104, 40) THEN pick('{black,navy,wool,leather,oak,cotton,steel,vintage}', i, 10105) || ' ' ELSE '' END || lower(l.nouns[1 + r(i, 10106, 3)]),
       CASE WHEN chance(i, 10107, 35) THEN jsonb_build_object('category_id', 13 + l.no, 'max_price', 10 * (1 + r(i, 10108, 30))) WHEN chance(i, 10109, 20) THEN '{"in_stock": true}' ELSE '{}' END,
       CASE WHEN chance(i, 10110, 6) THEN 0 ELSE skewed(i, 10111, 900) END, 4 + skewed(i, 10112, 900), at(t)
  FROM (SELECT i, tenant_of(1 + r(i, 10113, 64)) AS tenant, event_seconds(i, scaled(54500, 300)) AS t, floor(54 * u(i, 10114) * u(i, 10115))::int AS leaf FROM generate_series(1, scaled(54500, 300)) i OFFSET 0) s
  JOIN leaves l ON l.no = s.leaf;

INSERT INTO reports (id, tenant_id, owner_user_id, name, definition, schedule, recipients, created_at)
SELECT i, tenant_of(i), of_tenant(tenant_of(i), r(i, 10201, 6), i, 10202), pick('{Revenue,Returns,Stock,Conversion,Top products,New customers}', i, 10203) || ' ' || pick('{by day,by week,by month,by country,by vendor}', i, 10204),
       jsonb_build_object('source', pick('{orders,returns,stock,product_views}', i, 10205), 'group_by', jsonb_build_array(pick('{day,week,month,country}', i, 10206)), 'limit', 10 * (1 + r(i, 10207, 20))),
       pick('{daily,weekly,monthly,NULL}', i, 10208), ARRAY['reports' || i || '@example.com'], at(1704067200 + r(i, 10209, 40000000))
  FROM generate_series(1, 192) i;
INSERT INTO report_runs (id, report_id, status, row_count, took, error, started_at)
SELECT i, 1 + r(i, 10301, 192), status, CASE WHEN status = 'done' THEN skewed(i, 10302, 5000) END, CASE WHEN status IN ('done', 'failed') THEN (1 + skewed(i, 10303, 90000)) * interval '1 millisecond' END, CASE WHEN status = 'failed' THEN pick('{statement timeout,division by zero,out of memory}', i, 10304) END, at(event_seconds(i, scaled(9500, 100)))
  FROM (SELECT i, CASE WHEN i > scaled(9500, 100) - 5 THEN 'queued' WHEN chance(i, 10305, 3) THEN 'failed' ELSE 'done' END AS status FROM generate_series(1, scaled(9500, 100)) i OFFSET 0) s;
